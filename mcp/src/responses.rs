//! Bodies that are too long for a result, kept as resources until newer ones need the room.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{Resource, ResourceContents, ResourceTemplate};
use tempfile::TempDir;

/// How many are kept, however small they are.
const MAX_KEPT: usize = 64;

/// How long a part is where nothing is said, bytes.
const PART: usize = 512 << 10;

/// What resources' URIs begin with.
const SCHEME: &str = "plannt://response/";

/// A folder of this process's own, gone when it ends; only its user can read it.
pub(crate) struct Responses {
    folder: TempDir,
    max_bytes: usize,
    kept: Mutex<VecDeque<Kept>>,
}

#[derive(Clone)]
struct Kept {
    id: String,
    name: String,
    mime_type: Option<String>,
    bytes: usize,
}

impl Responses {
    pub(crate) fn new(max_bytes: usize) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("plannt-mcp-").tempdir()?;
        Ok(Self { folder, max_bytes, kept: Mutex::default() })
    }

    /// Keeps a body; `name` says what it is the answer to.
    pub(crate) fn keep(
        &self,
        name: String,
        mime_type: Option<String>,
        body: &[u8],
    ) -> io::Result<Resource> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(io::Error::other)?;
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.path(&id))?.write_all(body)?;
        let kept = Kept { id, name, mime_type, bytes: body.len() };
        let resource = kept.resource();
        let mut all = self.lock();
        all.push_back(kept);
        let mut total: usize = all.iter().map(|kept| kept.bytes).sum();
        while all.len() > 1 && (total > self.max_bytes || all.len() > MAX_KEPT) {
            let Some(oldest) = all.pop_front() else { break };
            total -= oldest.bytes;
            // What can't be removed now goes with the folder.
            let _ = fs::remove_file(self.path(&oldest.id));
        }
        Ok(resource)
    }

    /// The newest first.
    pub(crate) fn list(&self) -> Vec<Resource> {
        self.lock().iter().rev().map(Kept::resource).collect()
    }

    /// How a part is asked for: some clients can't take all of a long body at once, and no model wants it.
    pub(crate) fn template() -> ResourceTemplate {
        ResourceTemplate::new(
            format!("{SCHEME}{{id}}{{?from,length}}"),
            "A part of a long response",
        )
        .with_description("Bytes from an offset; without a length 512 KiB, without both all of it")
    }

    /// None for a URI that was never given out, whose body had to give way, or that asks for a part that is not there.
    pub(crate) fn read(&self, uri: &str) -> Option<ResourceContents> {
        let rest = uri.strip_prefix(SCHEME)?;
        let (id, query) =
            rest.split_once('?').map_or((rest, None), |(id, query)| (id, Some(query)));
        let kept = self.lock().iter().find(|kept| kept.id == id)?.clone();
        let body = fs::read(self.path(&kept.id)).ok()?;
        let part = match query {
            Some(query) => body.get(range(query, body.len())?)?,
            None => &body,
        };
        let is_text = std::str::from_utf8(&body).is_ok();
        let contents = match std::str::from_utf8(part) {
            Ok(text) if is_text => ResourceContents::text(text, uri),
            _ => ResourceContents::blob(STANDARD.encode(part), uri),
        };
        Some(match kept.mime_type {
            Some(mime_type) => contents.with_mime_type(mime_type),
            None => contents,
        })
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.path().join(id)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `from=N`, `length=N`, or both, once each.
fn range(query: &str, bytes: usize) -> Option<Range<usize>> {
    let (mut from, mut length) = (None, None);
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=')?;
        let place = match name {
            "from" => &mut from,
            "length" => &mut length,
            _ => return None,
        };
        if place.replace(value.parse::<usize>().ok()?).is_some() {
            return None;
        }
    }
    let from = from.unwrap_or(0);
    Some(from..from.checked_add(length.unwrap_or(PART))?.min(bytes))
}

impl Kept {
    fn resource(&self) -> Resource {
        let resource = Resource::new(format!("{SCHEME}{}", self.id), self.name.clone())
            .with_size(self.bytes as u64);
        match &self.mime_type {
            Some(mime_type) => resource.with_mime_type(mime_type.clone()),
            None => resource,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_oldest_give_way_and_only_what_was_given_out_is_read() {
        let responses = Responses::new(10).unwrap();
        let keep = |body: &[u8]| responses.keep("x".into(), None, body).unwrap().uri;
        let first = keep(b"123456");
        let second = keep(b"\xff\xfe");
        assert!(responses.read(&first).is_some());
        let third = keep(b"abcdefgh");
        assert!(responses.read(&first).is_none());
        assert!(matches!(
            responses.read(&second),
            Some(ResourceContents::BlobResourceContents { blob, .. }) if blob == "//4="
        ));
        assert!(matches!(
            responses.read(&third),
            Some(ResourceContents::TextResourceContents { text, .. }) if text == "abcdefgh"
        ));
        let uris: Vec<_> = responses.list().into_iter().map(|r| r.uri).collect();
        assert_eq!(uris, [third, second]);
        // A body that is longer than all the room is still there for whoever paid for it.
        let long = keep(&[b'a'; 100]);
        assert_eq!(responses.list().len(), 1);
        for uri in ["plannt://response/../../etc/passwd", "file:///etc/passwd", "", &long[..30]] {
            assert!(responses.read(uri).is_none(), "{uri}");
        }
    }

    #[test]
    fn a_part_is_what_was_asked_for() {
        let responses = Responses::new(100).unwrap();
        let uri = responses.keep("x".into(), None, "aé0123".as_bytes()).unwrap().uri;
        let part = |query: &str| match responses.read(&format!("{uri}?{query}"))? {
            ResourceContents::TextResourceContents { text, .. } => Some(text),
            ResourceContents::BlobResourceContents { blob, .. } => Some(format!("blob {blob}")),
            _ => None,
        };
        assert_eq!(part("from=3&length=2").as_deref(), Some("01"));
        assert_eq!(part("from=5").as_deref(), Some("23"));
        assert_eq!(part("length=1").as_deref(), Some("a"));
        assert_eq!(part("from=7").as_deref(), Some(""));
        // Half a character is bytes.
        assert_eq!(part("length=2").as_deref(), Some("blob YcM="));
        for query in
            ["from=8", "from=-1", "from=1&from=2", "to=3", "", "from", "from=18446744073709551615"]
        {
            assert_eq!(part(query), None, "{query}");
        }
    }
}
