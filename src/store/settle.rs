//! Settling: the outcome of attempts and the new state of their deliveries, in one transaction.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::endpoints::{LaneChange, write_standing};
use super::tally::Changes;
use super::{State, Store, failed};
use crate::clock::Millis;
use crate::delivery::Exchange;
use crate::error::Result;
use crate::event::DeliveryId;

/// The requests of a delivery that are kept, the newest: more than any schedule has, and an end to the log of one that is
/// throttled for days, with an answer of up to 64 KiB each.
const REQUESTS_KEPT: i64 = 50;

/// What a cancelled delivery says whose request could not be held back any more.
const UNDER_WAY: &str = "cancelled while its request was under way; the log of its attempts says what became of it";

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It arrived.
    Delivered,
    /// The next attempt is due this many milliseconds after settlement.
    Again {
        /// The delay, in milliseconds.
        delay: Millis,
    },
    /// No further attempt.
    Dead,
    /// The request used up no attempt.
    Unchanged,
}

/// An attempt that has ended, or a delivery that ends without one.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its site.
    pub site: String,
    /// Attempts used up before this one.
    pub attempts: u32,
    /// What becomes of it.
    pub change: Change,
    /// Why it failed, for the owner.
    pub error: Option<String>,
    /// The request, if one was made, with the headers it carried.
    pub request: Option<(Exchange, Vec<(String, String)>)>,
}

impl Store {
    /// Writes `settlements` and `lanes`, all or nothing. A delivery that is no longer pending, or has had
    /// another attempt, keeps its state; its request is logged all the same. Returns how many changed state
    /// or used up an attempt.
    pub(crate) fn settle(&mut self, settlements: &[&Settlement], lanes: &[LaneChange], now: Millis) -> Result<usize> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let write = || -> rusqlite::Result<usize> {
            let (mut changes, mut changed) = (Changes::default(), 0);
            for settlement in settlements {
                changed += settle_one(&transaction, settlement, &mut changes, now)?;
            }
            changes.write(&transaction)?;
            for lane in lanes {
                write_standing(&transaction, lane)?;
            }
            Ok(changed)
        };
        let changed = write().map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(changed)
    }

    /// Cancels some of what waits for `endpoint`, if that was removed. Returns how many, 0 when nothing is left.
    pub(crate) fn cancel_removed(&mut self, endpoint: i64, now: Millis, limit: u32) -> Result<usize> {
        self.end_waiting(endpoint, State::Cancelled, "the endpoint was removed", now, limit, (0, Millis::MAX))
    }

    /// Declares some of what waits for `endpoint`, is due at `due_from` or later (0: all) and was accepted before `before`
    /// dead. Returns how many.
    pub(crate) fn expire(
        &mut self,
        endpoint: i64,
        due_from: Millis,
        before: Millis,
        reason: &str,
        now: Millis,
        limit: u32,
    ) -> Result<usize> {
        self.end_waiting(endpoint, State::Dead, reason, now, limit, (due_from, before))
    }

    fn end_waiting(
        &mut self,
        endpoint: i64,
        state: State,
        reason: &str,
        now: Millis,
        limit: u32,
        (due_from, created_before): (Millis, Millis),
    ) -> Result<usize> {
        let waiting = self.longest_waiting(endpoint, due_from, created_before, limit).map_err(failed)?;
        if waiting.is_empty() {
            // Nobody has to wait for that to be found out.
            return Ok(0);
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let write = || -> rusqlite::Result<usize> {
            if state == State::Cancelled && !is_removed(&transaction, endpoint)? {
                // It came back meanwhile: what waits is what was accepted since.
                return Ok(0);
            }
            let mut changes = Changes::default();
            for (id, site) in &waiting {
                let ended = transaction
                    .prepare_cached(
                        "UPDATE delivery SET state = ?2, settled_at = ?3, last_error = ?4 WHERE id = ?1 AND state = 0",
                    )?
                    .execute((id, state as i64, now, reason))?;
                changes.add(site, State::Pending, -(ended as i64));
                changes.add(site, state, ended as i64);
            }
            changes.write(&transaction)?;
            Ok(waiting.len())
        };
        let ended = write().map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(ended)
    }
}

impl Store {
    /// When the longest waiting of those that [`Store::expire`] looks at was accepted.
    pub(crate) fn earliest_waiting(&self, endpoint: i64, due_from: Millis, limit: u32) -> Result<Option<Millis>> {
        self.connection
            .prepare_cached(
                "SELECT min(created_at) FROM
                   (SELECT * FROM
                     (SELECT created_at FROM delivery INDEXED BY delivery_due
                      WHERE endpoint = ?1 AND state = 0 AND due_at = 0 AND ?2 = 0 ORDER BY event_seq LIMIT 1)
                    UNION ALL
                    SELECT * FROM
                     (SELECT ifnull(replayed_at, created_at) AS created_at FROM delivery INDEXED BY delivery_due
                      WHERE endpoint = ?1 AND state = 0 AND due_at >= max(?2, 1)
                      ORDER BY due_at, event_seq LIMIT ?3))",
            )
            .and_then(|mut statement| statement.query_row((endpoint, due_from, limit), |row| row.get(0)))
            .map_err(failed)
    }

    /// Of the `limit` first attempts and as many further ones that come first, due at `due_from` or later, those accepted
    /// before `created_before`.
    /// It looks no further, however many wait: first attempts come in the order of acceptance, further ones nearly.
    fn longest_waiting(
        &self,
        endpoint: i64,
        due_from: Millis,
        created_before: Millis,
        limit: u32,
    ) -> rusqlite::Result<Vec<([u8; 16], String)>> {
        self.connection
            .prepare_cached(
                "SELECT id, site FROM
                   (SELECT id, site, created_at FROM delivery INDEXED BY delivery_due
                    WHERE endpoint = ?1 AND state = 0 AND due_at = 0 AND ?4 = 0 ORDER BY event_seq LIMIT ?3)
                 WHERE created_at < ?2
                 UNION ALL
                 SELECT id, site FROM
                   (SELECT id, site, ifnull(replayed_at, created_at) AS created_at FROM delivery INDEXED BY delivery_due
                    WHERE endpoint = ?1 AND state = 0 AND due_at >= max(?4, 1) ORDER BY due_at, event_seq LIMIT ?3)
                 WHERE created_at < ?2",
            )?
            .query_map((endpoint, created_before, limit, due_from), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }
}

fn is_removed(connection: &Connection, endpoint: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM endpoint WHERE key = ?1 AND removed)")?
        .query_row([endpoint], |row| row.get(0))
}

fn settle_one(
    connection: &Connection,
    settlement: &Settlement,
    changes: &mut Changes,
    now: Millis,
) -> rusqlite::Result<usize> {
    let Settlement { delivery, site, attempts, change, error, request } = settlement;
    let (state, used, delay) = match change {
        Change::Delivered => (State::Delivered, request.is_some(), None),
        Change::Again { delay } => (State::Pending, true, Some(*delay)),
        Change::Dead => (State::Dead, request.is_some(), None),
        Change::Unchanged => (State::Pending, false, None),
    };
    // A delivery that waits for a further attempt keeps its place while requests use up none.
    let changed = connection
        .prepare_cached(
            "UPDATE delivery SET state = ?2, attempts = attempts + ?3,
               due_at = ifnull(?5 + ?4, due_at), delay = ifnull(?4, delay),
               settled_at = ?5, last_error = ?6
             WHERE id = ?1 AND state = 0 AND attempts = ?7",
        )?
        .execute((delivery.as_bytes(), state as i64, used, delay, now, error, attempts))?;
    if changed > 0 && state != State::Pending {
        changes.add(site, State::Pending, -1);
        changes.add(site, state, 1);
    }
    if let Some((exchange, headers)) = request {
        log_request(connection, delivery, attempts + 1, exchange, headers, error)?;
        if changed == 0 {
            connection
                .prepare_cached("UPDATE delivery SET last_error = ?2 WHERE id = ?1 AND state = 3")?
                .execute((delivery.as_bytes(), UNDER_WAY))?;
        }
    }
    Ok(if *change == Change::Unchanged { 0 } else { changed })
}

fn log_request(
    connection: &Connection,
    delivery: &DeliveryId,
    n: u32,
    exchange: &Exchange,
    headers: &[(String, String)],
    error: &Option<String>,
) -> rusqlite::Result<()> {
    let answer = exchange.result.as_ref().ok();
    let request: Option<i64> = connection
        .prepare_cached(
            "UPDATE delivery SET requests = requests + 1, last_status = ?2 WHERE id = ?1 RETURNING requests",
        )?
        .query_row((delivery.as_bytes(), answer.map(|answer| answer.status)), |row| row.get(0))
        .optional()?;
    // A delivery that is gone must not keep those beside it from being settled.
    let Some(request) = request else { return Ok(()) };
    connection.prepare_cached("INSERT INTO attempt VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?.execute(
        (
            delivery.as_bytes(),
            request,
            n,
            exchange.started_at,
            exchange.duration.as_micros() as i64,
            exchange.timings.to_json().to_string(),
            answer.map(|answer| answer.status),
            error,
            pairs(headers),
            answer.map(|answer| pairs(&answer.headers)).unwrap_or_default(),
            answer.map(|answer| answer.body.as_slice()).unwrap_or_default(),
        ),
    )?;
    if request > REQUESTS_KEPT {
        connection
            .prepare_cached("DELETE FROM attempt WHERE delivery = ?1 AND request <= ?2")?
            .execute((delivery.as_bytes(), request - REQUESTS_KEPT))?;
    }
    Ok(())
}

/// Headers as a JSON list of pairs: names may repeat, and their order is part of the record.
fn pairs(headers: &[(String, String)]) -> String {
    serde_json::to_string(headers).unwrap_or_default()
}
