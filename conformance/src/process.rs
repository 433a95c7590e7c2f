//! An implementation in another program, asked over its standard input and output: one JSON object
//! a line, one answer for each request, in order (README.md).

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::adapter::{Adapter, Answer};

/// Longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// How long an answer may take unless the caller says otherwise.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// A running adapter program. It is ended when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    time_limit: Duration,
    /// `Err` once the program is lost: every later case fails with the same reason.
    lines: Result<Lines, String>,
}

/// A thread's ends: it writes a line and reads one, and may wait on the program for ever.
#[derive(Debug)]
struct Lines {
    requests: Sender<String>,
    answers: Receiver<io::Result<Vec<u8>>>,
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
        Ok(Self { child, time_limit: TIME_LIMIT, lines: Ok(Lines::start(stdin, stdout)) })
    }

    /// How long one answer may take; 30 seconds unless said otherwise.
    #[must_use]
    pub fn with_time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }
}

impl Lines {
    fn start(mut stdin: ChildStdin, stdout: ChildStdout) -> Self {
        let (requests, asked) = channel::<String>();
        let (answered, answers) = channel();
        let mut stdout = BufReader::new(stdout);
        thread::spawn(move || {
            for request in asked {
                let answer = exchange(&mut stdin, &mut stdout, &request);
                let lost = answer.is_err();
                if answered.send(answer).is_err() || lost {
                    return;
                }
            }
        });
        Self { requests, answers }
    }

    fn ask(&self, request: String, time_limit: Duration) -> Result<Vec<u8>, String> {
        let ended = || "the adapter ended".to_owned();
        self.requests.send(request).map_err(|_| ended())?;
        match self.answers.recv_timeout(time_limit) {
            Ok(Ok(line)) => Ok(line),
            // Whether its end shows when it is asked or when it should answer is chance.
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Err(ended()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(RecvTimeoutError::Timeout) => Err(format!("no answer within {time_limit:?}")),
            Err(RecvTimeoutError::Disconnected) => Err(ended()),
        }
    }
}

fn exchange(
    stdin: &mut ChildStdin,
    stdout: &mut BufReader<ChildStdout>,
    request: &str,
) -> io::Result<Vec<u8>> {
    stdin.write_all(request.as_bytes())?;
    stdin.flush()?;
    let mut line = Vec::new();
    stdout.take(MAX_ANSWER_BYTES).read_until(b'\n', &mut line)?;
    match line.last() {
        Some(b'\n') => Ok(line),
        _ if line.len() as u64 == MAX_ANSWER_BYTES => {
            Err(io::Error::other("an answer is longer than 16 MiB"))
        }
        _ => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

impl Adapter for Process {
    fn run(&mut self, id: &str, suite: &str, input: &Value) -> Answer {
        let request = format!("{}\n", json!({ "id": id, "suite": suite, "input": input }));
        let asked = match &self.lines {
            Ok(lines) => lines.ask(request, self.time_limit),
            Err(lost) => Err(lost.clone()),
        };
        match asked {
            Ok(line) => read_answer(id, &line),
            Err(lost) => {
                self.lines = Err(lost.clone());
                Answer::Failure(lost)
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended, not waited for: it may never notice that its input has. That it has ended by
        // itself already is no failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_answer(id: &str, line: &[u8]) -> Answer {
    let answer: WireAnswer = match serde_json::from_slice(line) {
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
