//! What waits, endpoint by endpoint and why: for whoever empties a queue.

use rusqlite::{OptionalExtension, TransactionBehavior};

use super::{Lane, Store, failed};
use crate::clock::Millis;
use crate::error::Result;

/// Retries brought forward in one transaction: a page that accepts meanwhile waits for it, a few milliseconds at most.
const BATCH: usize = 500;

/// What waits for one endpoint.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The endpoint, with what the owner and the engine have decided about it.
    pub lane: Lane,
    /// Deliveries that wait.
    pub pending: i64,
    /// How many of them may be sent now, as far as they themselves are concerned.
    pub due: i64,
    /// Since when the first of those might have been sent.
    pub due_since: Option<Millis>,
    /// When the next of the others is due.
    pub next_attempt_at: Option<Millis>,
    /// Why the last attempt of the one that is due next has failed.
    pub last_error: Option<String>,
}

impl Store {
    /// What waits at `now`, by endpoint; endpoints for which nothing waits are left out. Expands what was accepted and not
    /// yet expanded.
    pub fn waiting(&mut self, now: Millis) -> Result<Vec<Waiting>> {
        self.expand_for_reading()?;
        let mut waiting = Vec::new();
        for lane in self.lanes()? {
            let (pending, due, next_attempt_at): (i64, i64, Option<Millis>) = self
                .connection
                .prepare_cached(
                    "SELECT count(*), ifnull(sum(due_at <= ?2), 0), min(iif(due_at > ?2, due_at, NULL))
                     FROM delivery INDEXED BY delivery_due WHERE endpoint = ?1 AND state = 0",
                )
                .and_then(|mut statement| {
                    statement.query_row((lane.key, now), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                })
                .map_err(failed)?;
            if pending == 0 {
                continue;
            }
            let held_back = if lane.endpoint.ordered { self.behind_a_retry(lane.key, now)? } else { 0 };
            let due_since = self
                .connection
                .prepare_cached(
                    "SELECT min(at) FROM
                       (SELECT * FROM (SELECT created_at AS at FROM delivery INDEXED BY delivery_due
                                       WHERE endpoint = ?1 AND state = 0 AND due_at = 0 ORDER BY event_seq LIMIT 1)
                        UNION ALL
                        SELECT min(due_at) FROM delivery INDEXED BY delivery_due
                        WHERE endpoint = ?1 AND state = 0 AND due_at > 0 AND due_at <= ?2)",
                )
                .and_then(|mut statement| statement.query_row((lane.key, now), |row| row.get(0)))
                .map_err(failed)?;
            let last_error = self
                .connection
                .prepare_cached(
                    "SELECT last_error FROM delivery INDEXED BY delivery_due
                     WHERE endpoint = ?1 AND state = 0 AND due_at > 0 ORDER BY due_at LIMIT 1",
                )
                .and_then(|mut statement| statement.query_row([lane.key], |row| row.get(0)).optional())
                .map(Option::flatten)
                .map_err(failed)?;
            waiting.push(Waiting { lane, pending, due: due - held_back, due_since, next_attempt_at, last_error });
        }
        Ok(waiting)
    }

    /// First attempts that an `ordered` endpoint holds back because an earlier delivery of the record waits.
    fn behind_a_retry(&self, endpoint: i64, now: Millis) -> Result<i64> {
        self.connection
            .prepare_cached(
                "SELECT count(*) FROM delivery d WHERE d.endpoint = ?1 AND d.state = 0 AND d.due_at = 0 AND d.record <> ''
                   AND d.record IN (SELECT record FROM delivery INDEXED BY delivery_due
                                    WHERE endpoint = ?1 AND state = 0 AND due_at > ?2 AND replayed_at IS NULL)",
            )
            .and_then(|mut statement| statement.query_row((endpoint, now), |row| row.get(0)))
            .map_err(failed)
    }

    /// Makes every retry that waits at `now` due at once. What an endpoint's pause, suspension or switch holds back stays
    /// held back. Returns how many there were. In steps, so that no page waits for it.
    pub fn hurry(&mut self, now: Millis) -> Result<usize> {
        self.hurry_those_of(None, now)
    }

    /// As [`Store::hurry`], of one endpoint by its key.
    pub(super) fn hurry_those_of(&mut self, endpoint: Option<i64>, now: Millis) -> Result<usize> {
        let mut hurried = 0;
        loop {
            let transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
            let write = || -> rusqlite::Result<usize> {
                let changed = transaction
                    .prepare_cached(
                        // The delay stays: a clock that is set back pulls nothing further off than it was.
                        "UPDATE delivery SET due_at = ?1 WHERE id IN
                           (SELECT d.id FROM endpoint e JOIN delivery d INDEXED BY delivery_due
                              ON d.endpoint = e.key AND d.state = 0 AND d.due_at > ?1
                            WHERE ?3 IS NULL OR e.key = ?3 LIMIT ?2)",
                    )?
                    .execute((now, BATCH as i64, endpoint))?;
                // Whoever sends reads its lanes anew.
                transaction.execute("UPDATE setup SET version = version + 1", [])?;
                Ok(changed)
            };
            let changed = write().map_err(failed)?;
            transaction.commit().map_err(failed)?;
            hurried += changed;
            if changed < BATCH {
                return Ok(hurried);
            }
        }
    }
}
