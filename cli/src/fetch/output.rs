//! Writes a response: to standard output or a file, as it arrives.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use plannt_client::Response;

use crate::args::FetchArgs;
use crate::error::CliError;

/// Where a response goes. It is opened before anything is paid: what can't be written must not be bought.
pub(super) struct Output {
    /// None for standard output.
    file: Option<OutputFile>,
}

struct OutputFile {
    file: File,
    /// Set while the file holds nothing but that this call made it.
    made: Option<PathBuf>,
}

impl Output {
    /// Opens the file of `--output`, and leaves what it holds alone until there is a response.
    pub(super) fn open(args: &FetchArgs) -> Result<Self, CliError> {
        let Some(path) = args.output.as_deref().filter(|path| *path != Path::new("-")) else {
            return Ok(Self { file: None });
        };
        let opened = match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(file) => Ok(OutputFile { file, made: Some(path.to_owned()) }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Made all the same where it is a link to nowhere.
                let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
                file.map(|file| OutputFile { file, made: None })
            }
            Err(error) => Err(error),
        };
        let file = opened.map_err(CliError::io(&format!("write to {}", path.display())))?;
        Ok(Self { file: Some(file) })
    }

    pub(super) async fn write(
        mut self,
        args: &FetchArgs,
        mut response: Response,
    ) -> Result<(), CliError> {
        let mut out = self.begin().map_err(CliError::io("write the response"))?;
        if (args.include || args.head) && !put(&mut out, &head(&response))? {
            return Ok(());
        }
        while let Some(chunk) = response.body.next().await {
            let chunk = chunk.map_err(|e| CliError::Broken(e.to_string()))?;
            if !put(&mut out, &chunk)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> io::Result<Box<dyn Write>> {
        let Some(output) = &mut self.file else { return Ok(Box::new(io::stdout().lock())) };
        output.made = None;
        // A pipe or a device has no length.
        if output.file.metadata()?.is_file() {
            output.file.set_len(0)?;
        }
        Ok(Box::new(output.file.try_clone()?))
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some(path) = self.made.take() {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Writes what has arrived at once, since the rest may take its time. False where nobody reads on: a reader that has
/// gone away has what it wanted, and the rest is not fetched.
fn put(out: &mut dyn Write, bytes: &[u8]) -> Result<bool, CliError> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(CliError::io("write the response")(error)),
    }
}

fn head(response: &Response) -> Vec<u8> {
    let reason = response.status.canonical_reason().unwrap_or_default();
    let mut head =
        format!("{:?} {} {reason}\r\n", response.version, response.status.as_u16()).into_bytes();
    for (name, value) in &response.headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}
