//! Writes a response: to standard output or a file, as it arrives.

use std::fs::File;
use std::io::{self, Write};

use futures_util::StreamExt;
use plannt_client::Response;

use crate::args::FetchArgs;
use crate::error::CliError;
use crate::print::ignore_closed;

pub(super) async fn write(args: &FetchArgs, mut response: Response) -> Result<(), CliError> {
    let mut out: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(
            File::create(path).map_err(CliError::io(&format!("create {}", path.display())))?,
        ),
        None => Box::new(io::stdout().lock()),
    };
    if args.include || args.head {
        put(&mut out, &head(&response))?;
    }
    while let Some(chunk) = response.body.next().await {
        let chunk = chunk.map_err(|e| CliError::Broken(e.to_string()))?;
        put(&mut out, &chunk)?;
    }
    out.flush().or_else(ignore_closed).map_err(CliError::io("write the response"))
}

fn put(out: &mut dyn Write, bytes: &[u8]) -> Result<(), CliError> {
    out.write_all(bytes).or_else(ignore_closed).map_err(CliError::io("write the response"))
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
