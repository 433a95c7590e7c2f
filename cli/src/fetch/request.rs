//! From the command line to a request, as curl reads it.

use std::io::Read;

use plannt_client::Request;
use url::Url;

use crate::args::FetchArgs;
use crate::error::CliError;

/// The largest body that is read into memory, bytes: it must be kept to be sent again with the credential.
const MAX_BODY_BYTES: u64 = 256 * 1024 * 1024;

pub(super) fn build(args: &FetchArgs) -> Result<Request, CliError> {
    let url = complete(args.url.as_deref().unwrap_or_default());
    let body = body(&args.data)?;
    let method = match &args.request {
        Some(method) => method.as_str(),
        None if args.head => "HEAD",
        None if body.is_some() => "POST",
        None => "GET",
    };
    let usage = |e: plannt_client::RequestError| CliError::Usage(e.to_string());
    let mut request = Request::new(method, &url).map_err(usage)?;
    let mut removed = Vec::new();
    for line in &args.header {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| CliError::Usage("a header line needs a colon: `Name: value`".into()))?;
        match value.trim() {
            "" => removed.push(name.trim().to_ascii_lowercase()),
            value => request = request.header(name.trim(), value).map_err(usage)?,
        }
    }
    let defaults = [("accept", "*/*"), ("content-type", "application/x-www-form-urlencoded")];
    for (name, value) in defaults {
        let wanted = name != "content-type" || body.is_some();
        if wanted && !request.headers.contains_key(name) && !removed.iter().any(|r| r == name) {
            request = request.header(name, value).map_err(usage)?;
        }
    }
    Ok(match body {
        Some(body) => request.body(body),
        None => request,
    })
}

/// A URL without a scheme is `https`, and `http` where it stays on this machine.
fn complete(url: &str) -> String {
    // One further on is in a path or query.
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    if scheme.is_some_and(|s| s.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))) {
        return url.to_owned();
    }
    let http = format!("http://{url}");
    let is_local = Url::parse(&http).is_ok_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    });
    if is_local { http } else { format!("https://{url}") }
}

/// The `--data` options, joined with `&`.
fn body(data: &[String]) -> Result<Option<Vec<u8>>, CliError> {
    if data.is_empty() {
        return Ok(None);
    }
    let mut body = Vec::new();
    for (i, part) in data.iter().enumerate() {
        if i > 0 {
            body.push(b'&');
        }
        match part.strip_prefix('@') {
            None => body.extend_from_slice(part.as_bytes()),
            Some("-") => read(std::io::stdin(), "standard input", &mut body)?,
            Some(path) => {
                let file =
                    std::fs::File::open(path).map_err(CliError::io(&format!("open {path}")))?;
                read(file, path, &mut body)?;
            }
        }
    }
    Ok(Some(body))
}

fn read(from: impl Read, name: &str, body: &mut Vec<u8>) -> Result<(), CliError> {
    let before = body.len() as u64;
    from.take(MAX_BODY_BYTES + 1)
        .read_to_end(body)
        .map_err(CliError::io(&format!("read {name}")))?;
    if body.len() as u64 - before > MAX_BODY_BYTES {
        return Err(CliError::Usage(format!("{name} is larger than {MAX_BODY_BYTES} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_scheme_is_https_but_on_this_machine() {
        for (given, meant) in [
            ("127.0.0.1:8402/v1/demo", "http://127.0.0.1:8402/v1/demo"),
            ("localhost/x", "http://localhost/x"),
            ("[::1]:1/x", "http://[::1]:1/x"),
            ("api.example/x", "https://api.example/x"),
            ("localhost.example", "https://localhost.example"),
            ("http://api.example", "http://api.example"),
            ("api.example/x?to=http://b", "https://api.example/x?to=http://b"),
            ("localhost:1/?to=http://b", "http://localhost:1/?to=http://b"),
        ] {
            assert_eq!(complete(given), meant);
        }
    }

    #[test]
    fn data_is_joined_as_curl_joins_it() {
        let data = ["a=1".to_owned(), "b=@2".to_owned()];
        assert_eq!(body(&data).ok().flatten(), Some(b"a=1&b=@2".to_vec()));
        assert_eq!(body(&[]).ok().flatten(), None);
        assert!(body(&["@/no/such/file".to_owned()]).is_err());
    }
}
