//! Invoices ahead of demand, so that a challenge costs no round trip to the node.
//!
//! An invoice is in one challenge, ever, also over crashes and between processes: what is handed out is in memory only,
//! and what is on the disk is handed out by nobody. It lies there in blocks, a file each. Who wants to use a block removes
//! its file first, durably; of several processes one succeeds. So a crash costs the few invoices that are in memory, and
//! those nobody has seen.

mod blocks;
mod payees;
mod shelf;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Notify;

use crate::Clock;
use crate::maker::{Invoice, InvoiceKey, MIN_PAYABLE_SECONDS, Maker};
use blocks::{Block, Folder};
use shelf::Shelves;

/// How long nothing is done where nothing happens: time enough for invoices to grow old.
const IDLE: Duration = Duration::from_secs(10);
/// How long to wait after the node made no invoice, at first and at most.
const BACKOFF: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(10)];

/// The first look at the node takes this part of the deadline at most: challenges wait for it.
const PROBE_SHARE: u32 = 4;

/// How many invoices a [`Gate`](crate::Gate) keeps ahead of demand. A price that was prepared
/// ([`Gate::prepare`](crate::Gate::prepare)) has them always; any other has twice as many as challenges asked for it, up to
/// the same number, until nobody has asked for [`SHELF_SECONDS`](Self::SHELF_SECONDS).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolOptions {
    /// For each price and description; at least 1.
    pub size: usize,
    /// How many prices have invoices; of more, those that were asked for longest ago have none, those that were prepared last of
    /// all. 64 unless set.
    pub prices: usize,
    /// How many the node is asked for at a time, at most; 32 unless set. While nobody asks for challenges it is two, then
    /// twice as many each time, and half as many when the node makes none.
    pub in_flight: usize,
    /// Where they outlive the process; nowhere unless set. Processes may share it.
    pub folder: Option<PathBuf>,
}

impl PoolOptions {
    /// How long an invoice may wait in the pool, seconds: so much longer it can be paid, and a credential of a short
    /// validity is valid ([`Terms::validity_seconds`](crate::Terms)).
    pub const SHELF_SECONDS: u32 = 1_800;

    /// So many invoices for each price.
    pub fn new(size: usize) -> Self {
        Self { size: size.max(1), prices: 64, in_flight: 32, folder: None }
    }

    /// Keeps them in a folder, too; made where it is missing.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }
}

/// What a pool did and has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// Challenges whose invoice came from it.
    pub hits: u64,
    /// Challenges for which the node was asked.
    pub misses: u64,
    /// Invoices that are ready now, of all prices.
    pub ready: usize,
}

pub(crate) struct Pool {
    options: PoolOptions,
    maker: Arc<Maker>,
    clock: Arc<dyn Clock>,
    /// How long the node may take for an invoice.
    deadline: Duration,
    folder: Option<Folder>,
    shelves: Mutex<Shelves>,
    started: AtomicBool,
    wake: Arc<Notify>,
    /// Told when something has come from the disk.
    arrived: Notify,
    hits: AtomicU64,
    misses: AtomicU64,
    pace: Mutex<Pace>,
    this: Weak<Self>,
}

/// How hard the node is pressed: a small one that fills a pool has challenges to answer meanwhile.
struct Pace {
    in_flight: usize,
    /// How many challenges there had been at the last look.
    asked: u64,
}

impl Pace {
    const IDLE: usize = 2;

    /// How many to ask for now.
    fn next(&mut self, asked: u64, most: usize) -> usize {
        let is_wanted = std::mem::replace(&mut self.asked, asked) != asked;
        self.in_flight = if is_wanted { self.in_flight * 2 } else { Self::IDLE };
        self.in_flight = self.in_flight.clamp(1, most.max(1));
        self.in_flight
    }

    fn failed(&mut self) {
        self.in_flight = (self.in_flight / 4).max(1);
    }
}

/// What earlier processes left is being taken up, until this is dropped.
struct Loading<'a>(&'a Pool);

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        self.0.lock().is_loading = false;
        self.0.arrived.notify_waiters();
    }
}

/// What a step of the work in the background came to.
enum Progress {
    Idle,
    More,
    NodeDown,
}

impl Pool {
    pub(crate) fn new(
        options: PoolOptions,
        maker: Arc<Maker>,
        clock: Arc<dyn Clock>,
        deadline: Duration,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            folder: options
                .folder
                .clone()
                .map(|path| Folder::new(path, maker.invoicer().invoicer_id())),
            shelves: Mutex::new(Shelves::new(options.prices.max(1), options.folder.is_some())),
            options,
            maker,
            clock,
            deadline,
            started: AtomicBool::new(false),
            wake: Arc::default(),
            arrived: Notify::new(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            pace: Mutex::new(Pace { in_flight: Pace::IDLE, asked: 0 }),
            this: this.clone(),
        })
    }

    /// An invoice that nobody has seen, and that can be paid for 5 minutes at least.
    pub(crate) async fn take(&self, key: &InvoiceKey) -> Option<Invoice> {
        self.start();
        self.lock().asked(key, self.clock.now());
        let taken = loop {
            let arrived = self.arrived.notified();
            let (taken, is_low, ahead, is_coming) = {
                let mut shelves = self.lock();
                let is_loading = shelves.is_loading;
                let shelf = shelves.wanted(key);
                let taken = shelf.take(least_expiry(self.clock.now()));
                let is_low = shelf.ready.len() < self.low();
                // The work in the background may be waiting for a node that is down.
                let ahead = if taken.is_none() { shelf.next_block() } else { None };
                (taken, is_low, ahead, is_loading || shelf.is_claiming())
            };
            if is_low {
                self.wake.notify_one();
            }
            match ahead {
                Some(block) => self.claim(key, block).await,
                None if taken.is_none() && is_coming => arrived.await,
                None => break taken,
            }
        };
        let counter = if taken.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        taken
    }

    pub(crate) fn prepare(&self, key: InvoiceKey) {
        self.lock().keep(&key);
        self.start();
        self.wake.notify_one();
    }

    pub(crate) fn status(&self, now: u64) -> PoolStatus {
        PoolStatus {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            ready: self.lock().ready(least_expiry(now)),
        }
    }

    /// Below so many, more are made ready.
    fn low(&self) -> usize {
        self.options.size.div_ceil(2)
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the work in the background, which ends with the pool.
    fn start(&self) {
        if !self.started.swap(true, Ordering::Relaxed) {
            tokio::spawn(run(self.this.clone(), Arc::clone(&self.wake)));
        }
    }

    /// Takes up what earlier processes left. First the node is asked for an invoice: it may have been exchanged behind the same
    /// name, and nobody gets what is paid to the old one. Of one that does not answer nothing else is known.
    async fn load(&self) {
        let _loading = Loading(self);
        let Some(folder) = self.folder.clone() else { return };
        let (maker, now) = (Arc::clone(&self.maker), self.clock.now());
        let check = move |key: &InvoiceKey, bolt11| {
            maker.check(bolt11, key, PoolOptions::SHELF_SECONDS, now).ok()
        };
        let read = move || -> Vec<_> {
            let read = |(path, key, invoices): (_, InvoiceKey, Vec<String>)| {
                let invoices = invoices.into_iter().filter_map(|bolt11| check(&key, bolt11));
                // One of which nothing is left goes with what is too old.
                let block = Block { path, invoices: invoices.collect() };
                (key, block)
            };
            folder.read().into_iter().map(read).collect()
        };
        let found = blocking(read).await.unwrap_or_default();
        let Some((key, _)) = found.first() else { return };
        let probe = tokio::time::timeout(self.deadline / PROBE_SHARE, self.make(key)).await;
        let mut shelves = self.lock();
        if let Ok(Some(invoice)) = probe {
            shelves.wanted(key);
            shelves.add(key, vec![invoice]);
        }
        for (key, block) in found {
            shelves.wanted(&key);
            shelves.add_block(&key, block);
        }
    }

    /// Moves a block from the disk into memory, also when nobody waits for the end any more.
    async fn claim(&self, key: &InvoiceKey, block: Block) {
        let (Some(folder), Some(pool)) = (self.folder.clone(), self.this.upgrade()) else { return };
        let key = key.clone();
        blocking(move || {
            let claimed = folder.claim(block);
            pool.lock().add_claimed(&key, claimed.unwrap_or_default());
            pool.arrived.notify_waiters();
        })
        .await;
    }

    async fn make(&self, key: &InvoiceKey) -> Option<Invoice> {
        let made = self.maker.make(key, PoolOptions::SHELF_SECONDS, self.clock.now());
        let made = tokio::time::timeout(self.deadline, made).await;
        if made.is_err() {
            tracing::warn!("the lightning node made no invoice in time");
        }
        let invoice = made.ok()?.ok()?;
        self.lock().learn(&invoice);
        Some(invoice)
    }

    async fn step(&self) -> Progress {
        let now = self.clock.now();
        let useless = self.lock().drop_old(least_expiry(now));
        if !useless.is_empty() {
            let _ = blocking(move || useless.iter().for_each(Block::forget)).await;
        }
        let claimable = self.lock().claimable(self.low());
        if let Some((key, block)) = claimable {
            self.claim(&key, block).await;
            return Progress::More;
        }
        let neediest = self.lock().neediest(self.options.size, now);
        let Some((key, missing)) = neediest else { return Progress::Idle };
        let asked = self.hits.load(Ordering::Relaxed) + self.misses.load(Ordering::Relaxed);
        let count = missing.min(self.pace().next(asked, self.options.in_flight));
        let made = (0..count).map(|_| self.make(&key));
        let made: Vec<_> = join_all(made).await.into_iter().flatten().collect();
        if made.len() < count {
            self.pace().failed();
        }
        if made.is_empty() {
            return Progress::NodeDown;
        }
        self.store(&key, made).await;
        Progress::More
    }

    /// What is needed soon stays in memory; what lies ahead is kept on the disk, if anywhere.
    async fn store(&self, key: &InvoiceKey, invoices: Vec<Invoice>) {
        let is_needed = self.lock().ready_of(key) < self.low();
        match self.folder.clone() {
            Some(folder) if !is_needed => {
                let (own, spare) = (key.clone(), invoices.clone());
                match blocking(move || folder.write(&own, invoices)).await.flatten() {
                    Some(block) => self.lock().add_block(key, block),
                    None => self.lock().add(key, spare),
                }
            }
            _ => self.lock().add(key, invoices),
        }
    }
}

impl Drop for Pool {
    /// What nobody has seen is there for the next start.
    fn drop(&mut self) {
        self.wake.notify_one();
        let Some(folder) = &self.folder else { return };
        let shelves = self.shelves.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (key, invoices) in shelves.drain_ready() {
            folder.write(&key, invoices);
        }
    }
}

fn least_expiry(now: u64) -> u64 {
    now.saturating_add(MIN_PAYABLE_SECONDS)
}

async fn run(pool: Weak<Pool>, wake: Arc<Notify>) {
    if let Some(pool) = pool.upgrade() {
        pool.load().await;
    }
    let [mut backoff, longest] = BACKOFF;
    loop {
        let Some(alive) = pool.upgrade() else { return };
        let progress = alive.step().await;
        drop(alive);
        match progress {
            Progress::More => backoff = BACKOFF[0],
            Progress::Idle => {
                let _ = tokio::time::timeout(IDLE, wake.notified()).await;
            }
            Progress::NodeDown => {
                tokio::time::sleep(backoff).await;
                backoff = (backoff * 2).min(longest);
            }
        }
    }
}

/// Work on the disk, beside the async threads; `None` where the runtime ends.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
