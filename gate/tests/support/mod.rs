//! What several test files need.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

pub mod faulty;
pub mod http;
pub mod world;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A file system of its own, unmounted when dropped.
pub struct Mount(TempDir);

impl Mount {
    /// A megabyte; `None`, and a line that says so, where mounting is not permitted.
    pub fn small_tmpfs() -> Option<Self> {
        Self::new(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
    }

    /// The same folder, read-only; not even root can write there.
    pub fn read_only(folder: &Path) -> Option<Self> {
        let mount = Self::new(&["--bind".as_ref(), folder.as_os_str()])?;
        let remount: [&OsStr; 3] =
            ["-o".as_ref(), "remount,ro,bind".as_ref(), mount.path().as_os_str()];
        succeeds("mount", &remount).then_some(mount)
    }

    fn new<A: AsRef<OsStr>>(arguments: &[A]) -> Option<Self> {
        let target = tempfile::tempdir().unwrap();
        let mut all: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        all.push(target.path().as_os_str());
        if succeeds("mount", &all) {
            return Some(Self(target));
        }
        eprintln!("SKIPPED: mounting a file system is not permitted here");
        None
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no byte free; the file that takes them all. Again when some have become free.
    pub fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = fs::File::options().append(true).create(true).open(&path).unwrap();
        for size in [65_536, 4_096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        succeeds("umount", &[self.path()]);
    }
}

fn succeeds<A: AsRef<OsStr>>(program: &str, arguments: &[A]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
