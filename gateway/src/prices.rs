//! What each route cost before: a credential bought at a price that has since gone up stays good until it
//! expires (docs/PROTOCOL.md §2, `max_price_msat`), also over a restart, which is when prices change.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

const FILE: &str = "prices.json";
const LOCK: &str = "prices.lock";
/// A credential is valid for this long after its challenge at least, in seconds, however short `validity` is: the
/// gate's invoices expire after 10 minutes, by a clock that may be 2 minutes ahead, and it outlives them by 10.
const SHORTEST_WINDOW: u64 = 600 + 120 + 600;

/// The prices of one service in its data folder, locked while it is open.
pub(crate) struct Prices {
    path: PathBuf,
    service: String,
    window: u64,
    now: u64,
    entries: Vec<Entry>,
    _lock: File,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Entry {
    service: String,
    route: String,
    price_msat: u64,
    /// How long a credential that is sold at this price is valid, in seconds.
    window: u64,
    /// The last second, unix, in which such a credential may be valid; `None` for the price of the latest start.
    until: Option<u64>,
}

impl Prices {
    /// Opens the prices of `service`, whose credentials are valid for `validity` seconds and whose invoices may be so many
    /// seconds older than their challenges as `shelf` says. `now` in unix seconds.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn open(
        data_dir: &Path,
        service: &str,
        validity: u64,
        shelf: u64,
        now: u64,
    ) -> io::Result<Self> {
        let lock = private().open(data_dir.join(LOCK))?;
        lock.lock()?;
        let path = data_dir.join(FILE);
        let entries = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).unwrap_or_else(|_| {
                tracing::warn!(path = %path.display(), "unreadable: earlier prices are forgotten");
                Vec::new()
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let window = validity.max(SHORTEST_WINDOW + shelf);
        Ok(Self { path, service: service.to_owned(), window, now, entries, _lock: lock })
    }

    /// Notes that a route costs `price_msat` from now on, and gives the lowest price at which a credential for it
    /// may have been sold that is still valid.
    pub(crate) fn lowest(&mut self, route: &str, price_msat: NonZeroU64) -> u64 {
        let Self { service, window, now, entries, .. } = self;
        let price_msat = price_msat.get();
        let is_this = |entry: &Entry| entry.service == *service && entry.route == route;
        // It was sold until now: nobody knows when the last process stopped, or whether it did.
        for entry in entries.iter_mut().filter(|entry| is_this(entry)) {
            entry.until.get_or_insert(now.saturating_add(entry.window));
        }
        entries.retain(|entry| {
            let is_over = entry.until.is_some_and(|until| until < *now);
            let goes_on =
                is_this(entry) && entry.price_msat == price_msat && entry.window <= *window;
            !is_over && !goes_on
        });
        let earlier = entries.iter().filter(|entry| is_this(entry)).map(|entry| entry.price_msat);
        let lowest = earlier.fold(price_msat, u64::min);
        entries.push(Entry {
            service: service.clone(),
            route: route.to_owned(),
            price_msat,
            window: *window,
            until: None,
        });
        lowest
    }

    /// Writes it all in place of what was there, durably.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn save(self) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(&self.entries)?;
        // The lock is held: nobody else writes the draft.
        let draft = self.path.with_extension("json.new");
        let mut file = private().truncate(true).open(&draft)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&draft, &self.path)
    }
}

/// Opens a file to write, made with mode 0600 where it is missing.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn start(dir: &Path, service: &str, price: u64, validity: u64, now: u64) -> u64 {
        start_with(dir, service, price, validity, 0, now)
    }

    fn start_with(
        dir: &Path,
        service: &str,
        price: u64,
        validity: u64,
        shelf: u64,
        now: u64,
    ) -> u64 {
        let mut prices = Prices::open(dir, service, validity, shelf, now).unwrap();
        let lowest = prices.lowest("GET /a", NonZeroU64::new(price).unwrap());
        prices.save().unwrap();
        lowest
    }

    #[test]
    fn the_lowest_price_is_remembered_for_one_window() {
        let dir = tempfile::tempdir().unwrap();
        let start = |price, now| start(dir.path(), "api", price, 3_600, now);
        assert_eq!(start(100, 1_000), 100);
        assert_eq!(start(200, 2_000), 100);
        assert_eq!(start(300, 3_000), 100);
        // 100 was sold until 2,000, and 200 until 3,000.
        assert_eq!(start(300, 2_000 + 3_600), 100);
        assert_eq!(start(300, 2_000 + 3_601), 200);
        assert_eq!(start(300, 3_000 + 3_601), 300);
        // Down, and up again.
        assert_eq!(start(50, 9_000), 50);
        assert_eq!(start(300, 9_001), 50);
        assert_eq!(start(50, 9_002), 50);
        assert_eq!(start(300, 9_002 + 3_600), 50);
        assert_eq!(start(300, 9_002 + 2 * 3_600 + 1), 300);
    }

    #[test]
    fn a_window_is_the_one_of_its_time() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(start(dir.path(), "api", 100, 86_400, 1_000), 100);
        assert_eq!(start(dir.path(), "api", 200, 0, 1_000), 100);
        assert_eq!(start(dir.path(), "api", 300, 0, 1_000 + SHORTEST_WINDOW), 100);
        assert_eq!(start(dir.path(), "api", 300, 0, 1_000 + 86_401), 300);
        // The same price for a shorter time: the longer one still runs.
        assert_eq!(start(dir.path(), "api", 100, 86_400, 100_000), 100);
        assert_eq!(start(dir.path(), "api", 100, 0, 100_001), 100);
        assert_eq!(start(dir.path(), "api", 300, 0, 150_000), 100);
    }

    #[test]
    fn invoices_from_a_pool_outlive_their_challenges_by_as_much_as_they_waited() {
        let dir = tempfile::tempdir().unwrap();
        let start = |price, shelf, now| start_with(dir.path(), "api", price, 0, shelf, now);
        assert_eq!(start(100, 1_800, 1_000), 100);
        assert_eq!(start(200, 0, 1_000), 100);
        assert_eq!(start(300, 0, 1_000 + SHORTEST_WINDOW + 1_800), 100);
        assert_eq!(start(300, 0, 1_000 + SHORTEST_WINDOW + 1_801), 200);
    }

    #[test]
    fn services_do_not_share_prices_and_a_broken_file_stops_nobody() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(start(dir.path(), "api", 100, 3_600, 1_000), 100);
        assert_eq!(start(dir.path(), "demo", 200, 3_600, 1_000), 200);
        assert_eq!(start(dir.path(), "api", 300, 3_600, 1_000), 100);
        fs::write(dir.path().join(FILE), "{").unwrap();
        assert_eq!(start(dir.path(), "api", 300, 3_600, 1_000), 300);
    }
}
