//! The thread that writes: it takes all steps that wait, and commits them together.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use plannt_core::PaymentHash;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::connection::{self, Store, store_error};
use super::{SqliteOptions, steps};
use crate::{AttemptId, Clock, PairId, SpendOutcome, StoreError, StoreOpenError, SystemClock};

/// Steps in one commit, at most: their sum is short beside the sync.
const BATCH: usize = 1_024;
/// A log above this is emptied as soon as its readers let it: while several processes never rest,
/// it would grow without end.
const MAX_LOG_BYTES: u64 = 64 << 20;
const CHECK_LOG_EVERY: u64 = 256;

/// Whom a step is for, and what it came to, which is true once it is committed.
pub(super) struct Reply<T> {
    to: oneshot::Sender<Result<T, StoreError>>,
    outcome: Option<Result<T, StoreError>>,
}

impl<T> Reply<T> {
    pub(super) fn new(to: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { to, outcome: None }
    }

    fn send(self, commit: &Result<(), StoreError>) {
        let outcome = match commit {
            Ok(()) => self.outcome.unwrap_or(Err(StoreError::Closed)),
            Err(error) => Err(error.clone()),
        };
        // Who has gone releases its attempt itself.
        let _ = self.to.send(outcome);
    }
}

/// A step to do.
pub(super) enum Job {
    Count {
        reply: Reply<u64>,
    },
    Prune {
        now: u64,
        reply: Reply<u64>,
    },
    Release {
        hash: PaymentHash,
        attempt: AttemptId,
        reply: Reply<bool>,
    },
    Spend {
        hash: PaymentHash,
        attempt: AttemptId,
        uses: u32,
        keep_until: u64,
        reply: Reply<SpendOutcome>,
    },
}

impl Job {
    fn run(&mut self, sqlite: &Connection, pruned_before: i64) -> rusqlite::Result<()> {
        match self {
            Self::Count { reply } => reply.outcome = Some(Ok(steps::count(sqlite)?)),
            // Done in chunks between the batches.
            Self::Prune { .. } => {}
            Self::Release { hash, attempt, reply } => {
                reply.outcome = Some(Ok(steps::release(sqlite, hash, attempt)?));
            }
            Self::Spend { hash, attempt, uses, keep_until, reply } => {
                let key = (&*hash, &*attempt);
                let outcome = steps::spend(sqlite, key, *uses, *keep_until, pruned_before)?;
                reply.outcome = Some(outcome);
            }
        }
        Ok(())
    }

    fn answer(self, commit: &Result<(), StoreError>) {
        match self {
            Self::Count { reply } | Self::Prune { reply, .. } => reply.send(commit),
            Self::Release { reply, .. } => reply.send(commit),
            Self::Spend { reply, .. } => reply.send(commit),
        }
    }
}

/// A pruning that goes on, a chunk between two batches.
struct Pruning {
    now: u64,
    deleted: u64,
    reply: Option<Reply<u64>>,
}

pub(super) struct Writer {
    /// `None` after a failure that may have to do with the connection: the next batch opens anew.
    store: Option<Store>,
    path: PathBuf,
    pair: PairId,
    options: SqliteOptions,
    queue: Receiver<Job>,
    prunings: Vec<Pruning>,
    next_prune: Option<Instant>,
    commits: u64,
}

impl Writer {
    pub(super) fn new(
        store: Store,
        path: PathBuf,
        pair: PairId,
        options: SqliteOptions,
        queue: Receiver<Job>,
    ) -> Self {
        // The first pruning is due at once.
        let next_prune = options.prune_interval.map(|_| Instant::now());
        let prunings = Vec::new();
        Self { store: Some(store), path, pair, options, queue, prunings, next_prune, commits: 0 }
    }

    /// Until the last handle is gone.
    pub(super) fn run(mut self) {
        while let Some(batch) = self.next_batch() {
            if !batch.is_empty() {
                self.commit(batch);
            }
            self.prune_chunk();
        }
    }

    /// What waits; empty when it is time to prune; `None` at the end.
    fn next_batch(&mut self) -> Option<Vec<Job>> {
        let wait = match self.next_prune {
            _ if !self.prunings.is_empty() => Duration::ZERO,
            Some(due) => due.saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        };
        let first = if wait.is_zero() {
            match self.queue.try_recv() {
                Ok(job) => Some(job),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => return None,
            }
        } else if wait == Duration::MAX {
            Some(self.queue.recv().ok()?)
        } else {
            match self.queue.recv_timeout(wait) {
                Ok(job) => Some(job),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        };
        let mut batch = Vec::new();
        let mut next = first;
        while let Some(job) = next {
            match job {
                Job::Prune { now, reply } => {
                    self.prunings.push(Pruning { now, deleted: 0, reply: Some(reply) });
                }
                // Who has gone takes no use.
                Job::Spend { ref reply, .. } if reply.to.is_closed() => {}
                job => batch.push(job),
            }
            next = if batch.len() < BATCH { self.queue.try_recv().ok() } else { None };
        }
        Some(batch)
    }

    fn commit(&mut self, mut batch: Vec<Job>) {
        let commit = self.transaction(|sqlite| {
            let pruned_before = steps::pruned_before(sqlite)?;
            batch.iter_mut().try_for_each(|job| job.run(sqlite, pruned_before))
        });
        for job in batch {
            job.answer(&commit);
        }
    }

    /// One transaction, durable when it returns.
    fn transaction<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let outcome = self.store().and_then(|store| transact(store, work));
        match &outcome {
            Ok(_) => {
                self.commits = self.commits.wrapping_add(1);
                if self.commits.is_multiple_of(CHECK_LOG_EVERY) {
                    self.bound_log();
                }
            }
            // The connection is as good as before.
            Err(StoreError::Busy) => {}
            // Closing it forgets whatever it holds in memory.
            Err(_) => self.store = None,
        }
        outcome
    }

    fn store(&mut self) -> Result<&mut Store, StoreError> {
        if self.store.is_none() {
            let opened = connection::open(&self.path, &self.pair, self.options.busy_timeout);
            self.store = Some(opened.map_err(|error| match error {
                StoreOpenError::Foreign { .. } | StoreOpenError::Missing { .. } => {
                    StoreError::Replaced
                }
                StoreOpenError::Store(error) => error,
                error => StoreError::Failed { message: error.to_string() },
            })?);
        }
        self.store.as_mut().ok_or(StoreError::Closed)
    }

    fn bound_log(&mut self) {
        let Some(store) = &self.store else { return };
        if store.log_bytes() > MAX_LOG_BYTES {
            store.patience.renew();
            // When readers hold it, the next time does it.
            let _ = store.sqlite.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }

    fn prune_chunk(&mut self) {
        if let (Some(due), Some(interval)) = (self.next_prune, self.options.prune_interval)
            && due <= Instant::now()
        {
            self.next_prune = Some(Instant::now() + interval);
            self.prunings.push(Pruning { now: SystemClock.now(), deleted: 0, reply: None });
        }
        let Some(mut pruning) = self.prunings.pop() else { return };
        let now = pruning.now;
        let outcome = self.transaction(|sqlite| steps::prune(sqlite, now));
        if let Ok(deleted) = outcome {
            pruning.deleted += u64::from(deleted);
            if deleted == steps::PRUNE_CHUNK {
                self.prunings.push(pruning);
                return;
            }
        }
        match pruning.reply {
            Some(mut reply) => {
                reply.outcome = Some(Ok(pruning.deleted));
                reply.send(&outcome.map(|_| ()));
            }
            None => match outcome {
                Ok(_) if pruning.deleted == 0 => {}
                Ok(_) => tracing::debug!(entries = pruning.deleted, "pruned the spend store"),
                Err(error) => tracing::warn!(code = error.code(), "pruning waits: {error}"),
            },
        }
    }
}

fn transact<T>(
    store: &mut Store,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    store.check_files()?;
    store.patience.renew();
    // Dropped before its commit, it rolls back.
    let transaction = store
        .sqlite
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(store_error)?;
    let value = work(&transaction).map_err(store_error)?;
    transaction.commit().map_err(|error| store_error(error).into_unknown())?;
    store.check_files().map_err(StoreError::into_unknown)?;
    Ok(value)
}
