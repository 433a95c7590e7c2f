//! An implementation in another program, asked over its standard input and output: one JSON object
//! a line, one answer for each request, in order (README.md).

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::adapter::{Adapter, Answer};

/// Longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// A running adapter program. It is ended when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// `None` once the program is lost: every later case fails with the same reason.
    pipes: Option<(ChildStdin, BufReader<ChildStdout>)>,
    lost: String,
}

/// Why an adapter program cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// It cannot be started.
    #[error("could not start {program}: {source}")]
    Start {
        /// As it was given.
        program: String,
        /// What the system says.
        source: io::Error,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireAnswer {
    id: String,
    output: Option<Value>,
    error: Option<String>,
    unsupported: Option<bool>,
}

impl Process {
    /// Starts `program`. Its standard error is this process's.
    ///
    /// # Errors
    /// [`ProcessError::Start`].
    pub fn start(
        program: &OsStr,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Self, ProcessError> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|source| ProcessError::Start {
                program: program.to_string_lossy().into_owned(),
                source,
            })?;
        let stdin = child.stdin.take().expect("piped above");
        let stdout = child.stdout.take().expect("piped above");
        let pipes = Some((stdin, BufReader::new(stdout)));
        Ok(Self { child, pipes, lost: String::new() })
    }

    fn exchange(&mut self, request: &str) -> io::Result<String> {
        let Some((stdin, stdout)) = &mut self.pipes else {
            return Err(io::Error::other(self.lost.clone()));
        };
        stdin.write_all(request.as_bytes())?;
        stdin.write_all(b"\n")?;
        stdin.flush()?;
        let mut line = String::new();
        stdout.take(MAX_ANSWER_BYTES).read_line(&mut line)?;
        if line.ends_with('\n') {
            Ok(line)
        } else {
            Err(io::Error::other("the adapter ended, or its answer is longer than 16 MiB"))
        }
    }
}

impl Adapter for Process {
    fn run(&mut self, id: &str, suite: &str, input: &Value) -> Answer {
        let request = json!({ "id": id, "suite": suite, "input": input }).to_string();
        match self.exchange(&request) {
            Ok(line) => read_answer(id, &line),
            Err(error) => {
                self.pipes = None;
                // Whether its end shows when it is asked or when it should answer is chance.
                self.lost = match error.kind() {
                    io::ErrorKind::BrokenPipe => "the adapter ended".into(),
                    _ => error.to_string(),
                };
                Answer::Failure(self.lost.clone())
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its input ends, and a program that reads on to the end exits by itself; one that does not
        // is ended. Neither can fail in a way that matters here.
        self.pipes = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_answer(id: &str, line: &str) -> Answer {
    let answer: WireAnswer = match serde_json::from_str(line) {
        Ok(answer) => answer,
        Err(error) => return Answer::Failure(format!("not an answer: {error}")),
    };
    if answer.id != id {
        return Answer::Failure(format!("an answer to {} instead", answer.id));
    }
    match (answer.output, answer.error, answer.unsupported) {
        (Some(output), None, None) => Answer::Output(output),
        (None, Some(code), None) => Answer::Error(code),
        (None, None, Some(true)) => Answer::Unsupported,
        _ => Answer::Failure("neither output, nor error, nor unsupported: true alone".into()),
    }
}
