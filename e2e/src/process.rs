//! A program that runs beside the test, and ends with it whatever happens.

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running program, whose output goes to a file. Dropping it kills it, and so does the end of the test's own process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    watcher: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it in a process group of its own: an interrupt of the test reaches it only by the test's end, and what it starts
    /// ends with it.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.process_group(0).spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let watcher = at_our_end("kill -9 -\"$1\"", &child.id().to_string());
        Self { child, watcher, log: log.to_owned() }
    }

    /// Whether it has ended by itself.
    ///
    /// # Panics
    /// When the system can't say.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The last lines that it wrote.
    pub fn last_words(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Process {
    /// `kill -9` to all of its group, and waits for its end.
    fn drop(&mut self) {
        // The watcher first: once the child is waited for, its number may be another's.
        let _ = self.watcher.kill();
        let _ = self.watcher.wait();
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

/// Runs a shell command with one argument when this process ends, however it ends: it holds a pipe that only then is closed.
pub(crate) fn at_our_end(command: &str, argument: &str) -> Child {
    Command::new("sh")
        .args(["-c", &format!("read _; {command}"), "sh", argument])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap()
}
