//! One call at a time on a request key, over threads and processes.
//!
//! The system frees a file lock when its process ends, however it ends, so a killed call holds up nobody.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::JournalError;
use super::error::Blame;

/// Holds a request key until it is dropped, or its process ends.
#[derive(Debug)]
pub struct KeyLock {
    path: PathBuf,
    /// Held for its lock.
    _file: File,
}

impl KeyLock {
    /// Takes the lock called `name`, or `None` if another has it now.
    pub(super) fn try_take(
        folder: &Path,
        name: &str,
        blame: &Blame,
    ) -> Result<Option<Self>, JournalError> {
        let path = folder.join(name);
        loop {
            let file = open_private(&path).map_err(|error| blame.io(&error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(blame.io(&error)),
            }
            // The last holder may have removed the file between opening and locking it: then this lock is on a file
            // that nobody else will find, and the next turn makes a new one.
            if is_at(&file, &path) {
                return Ok(Some(Self { path, _file: file }));
            }
        }
    }
}

impl Drop for KeyLock {
    fn drop(&mut self) {
        // While the lock is still held, so that no other holder's file is removed. Elsewhere than on Unix an open
        // file can't be told from its successor, so it stays.
        if cfg!(unix) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Opens a file for reading and writing, making it with mode 0600 where it is missing.
pub(super) fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(found)) => (held.dev(), held.ino()) == (found.dev(), found.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn one_holder_at_a_time_although_the_file_comes_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let inside = Arc::new(AtomicU32::new(0));
        let taken = Arc::new(AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let (inside, taken, folder) = (inside.clone(), taken.clone(), folder.path());
                scope.spawn(move || {
                    let blame = Blame::new(folder);
                    for _ in 0..2_000 {
                        let Some(lock) = KeyLock::try_take(folder, "k", &blame).unwrap() else {
                            std::thread::yield_now();
                            continue;
                        };
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        taken.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert!(taken.load(Ordering::SeqCst) > 0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
