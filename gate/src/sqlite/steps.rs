//! The steps of spending, within a transaction that the writer commits.

use plannt_core::PaymentHash;
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::connection::TOUCH;
use crate::{AttemptId, SpendOutcome, StoreError};

/// Entries that one transaction deletes: it holds the lock for a few milliseconds at most.
pub(super) const PRUNE_CHUNK: u32 = 500;

/// Until when entries may have been deleted, unix seconds.
pub(super) fn pruned_before(sqlite: &Connection) -> Result<i64> {
    let sql = "SELECT value FROM meta WHERE key = 'pruned_before'";
    sqlite.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

pub(super) fn spend(
    sqlite: &Connection,
    (hash, attempt): (&PaymentHash, &AttemptId),
    uses: u32,
    keep_until: u64,
    pruned_before: i64,
) -> Result<std::result::Result<SpendOutcome, StoreError>> {
    // SQLite's integers are signed; nobody's clock gets there.
    let keep_until = i64::try_from(keep_until).unwrap_or(i64::MAX);
    if keep_until < pruned_before {
        return Ok(Err(StoreError::ClockSkew));
    }
    let (hash, attempt) = (hash.as_bytes(), attempt.as_bytes());
    let there = sqlite
        .prepare_cached("SELECT 1 FROM attempts WHERE hash = ?1 AND attempt = ?2")?
        .exists(params![hash, attempt])?;
    if there {
        // Written again, so that this commit makes it durable whatever became of the first.
        let used: u32 = sqlite
            .prepare_cached(
                "UPDATE entries SET keep_until = max(keep_until, ?2) WHERE hash = ?1 \
                 RETURNING used",
            )?
            .query_row(params![hash, keep_until], |row| row.get(0))?;
        return Ok(Ok(SpendOutcome::Granted { remaining: uses.saturating_sub(used) }));
    }
    let used: Option<u32> = if uses == 0 {
        None
    } else {
        sqlite
            .prepare_cached(
                "INSERT INTO entries (hash, keep_until, used) VALUES (?1, ?2, 1) \
                 ON CONFLICT (hash) DO UPDATE SET \
                     used = used + 1, keep_until = max(keep_until, excluded.keep_until) \
                 WHERE used < ?3 RETURNING used",
            )?
            .query_row(params![hash, keep_until, uses], |row| row.get(0))
            .optional()?
    };
    let Some(used) = used else {
        sqlite
            .prepare_cached(
                "UPDATE entries SET keep_until = ?2 WHERE hash = ?1 AND keep_until < ?2",
            )?
            .execute(params![hash, keep_until])?;
        return Ok(Ok(SpendOutcome::Refused));
    };
    sqlite
        .prepare_cached("INSERT INTO attempts (hash, attempt) VALUES (?1, ?2)")?
        .execute(params![hash, attempt])?;
    Ok(Ok(SpendOutcome::Granted { remaining: uses.saturating_sub(used) }))
}

pub(super) fn release(
    sqlite: &Connection,
    hash: &PaymentHash,
    attempt: &AttemptId,
) -> Result<bool> {
    let (hash, attempt) = (hash.as_bytes(), attempt.as_bytes());
    let removed = sqlite
        .prepare_cached("DELETE FROM attempts WHERE hash = ?1 AND attempt = ?2")?
        .execute(params![hash, attempt])?;
    if removed == 0 {
        // A commit that failed may have left its pages at the end of the log. Writing there makes
        // sure that no recovery finds the attempt after this answer.
        sqlite.prepare_cached(TOUCH)?.execute([])?;
        return Ok(false);
    }
    sqlite.prepare_cached("UPDATE entries SET used = used - 1 WHERE hash = ?1")?.execute([hash])?;
    sqlite.prepare_cached("DELETE FROM entries WHERE hash = ?1 AND used = 0")?.execute([hash])?;
    Ok(true)
}

/// Deletes up to [`PRUNE_CHUNK`] entries, and says how many.
pub(super) fn prune(sqlite: &Connection, now: u64) -> Result<u32> {
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let hashes: Vec<[u8; 32]> = sqlite
        .prepare_cached(
            "SELECT hash FROM entries WHERE keep_until < ?1 ORDER BY keep_until LIMIT ?2",
        )?
        .query_map(params![now, PRUNE_CHUNK], |row| row.get(0))?
        .collect::<Result<_>>()?;
    if hashes.is_empty() {
        return Ok(0);
    }
    sqlite
        .prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'pruned_before' AND value < ?1")?
        .execute([now])?;
    let mut attempts = sqlite.prepare_cached("DELETE FROM attempts WHERE hash = ?1")?;
    let mut entries = sqlite.prepare_cached("DELETE FROM entries WHERE hash = ?1")?;
    for hash in &hashes {
        attempts.execute([hash])?;
        entries.execute([hash])?;
    }
    Ok(u32::try_from(hashes.len()).unwrap_or(PRUNE_CHUNK))
}

pub(super) fn count(sqlite: &Connection) -> Result<u64> {
    let sql = "SELECT count(*) FROM entries";
    let count: i64 = sqlite.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}
