//! What an endpoint's lane can take next.

use rusqlite::{Row, TransactionBehavior};

use super::{Store, failed};
use crate::clock::Millis;
use crate::error::Result;
use crate::event::{Context, DeliveryId, Event, EventId};

/// Data of events held in memory for one lane at most; at least one event is, whatever its size.
const LANE_BYTES: usize = 1024 * 1024;

const COLUMNS: &str = "d.id, d.attempts, d.due_at, d.replayed_at, d.replayed_from, e.seq, e.id, e.name, e.site, e.record, e.accepted_at, e.occurred_at, e.details, e.data";

/// A delivery whose next attempt is due.
#[derive(Clone, Debug)]
pub struct Due {
    /// The delivery.
    pub id: DeliveryId,
    /// Attempts used up.
    pub attempts: u32,
    /// When it was due; 0 for a first attempt.
    pub due_at: Millis,
    /// When the owner had it sent again.
    pub replayed_at: Option<Millis>,
    /// Attempts used up by then.
    pub replayed_from: u32,
    /// Its event.
    pub event: Event,
}

impl Due {
    /// The record whose order it keeps; empty for none. A replay stands outside the order.
    pub(crate) fn record(&self) -> &str {
        if self.replayed_at.is_some() { "" } else { &self.event.context.record }
    }

    /// From when on its age counts.
    pub(crate) fn waits_since(&self) -> Millis {
        self.replayed_at.unwrap_or(self.event.accepted_at)
    }

    /// Attempts of its schedule that are used up.
    pub(crate) fn tries(&self) -> u32 {
        self.attempts.saturating_sub(self.replayed_from)
    }
}

impl Store {
    /// The first attempts that wait for `endpoint` of the events after `after` up to `last`, in the order of acceptance.
    pub(crate) fn due_first(&self, endpoint: i64, (after, last): (i64, i64), limit: u32) -> Result<Vec<Due>> {
        self.due(
            &format!(
                "SELECT {COLUMNS} FROM delivery d INDEXED BY delivery_due JOIN event e ON e.seq = d.event_seq
                 WHERE d.endpoint = ?1 AND d.state = 0 AND d.due_at = 0 AND d.event_seq > ?2 AND d.event_seq <= ?3
                 ORDER BY d.event_seq LIMIT ?4"
            ),
            (endpoint, after, last, limit),
        )
    }

    /// The further attempts for `endpoint` that are due at `now`, the longest due first.
    pub(crate) fn due_again(&self, endpoint: i64, now: Millis, limit: u32) -> Result<Vec<Due>> {
        self.due(
            &format!(
                "SELECT {COLUMNS} FROM delivery d INDEXED BY delivery_due JOIN event e ON e.seq = d.event_seq
                 WHERE d.endpoint = ?1 AND d.state = 0 AND d.due_at > 0 AND d.due_at <= ?2
                 ORDER BY d.due_at, d.event_seq LIMIT ?3"
            ),
            (endpoint, now, limit),
        )
    }

    fn due(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<Vec<Due>> {
        let take = || -> rusqlite::Result<Vec<Due>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query(parameters)?;
            let (mut due, mut bytes) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let next = read_due(row)?;
                bytes += next.event.data.len();
                due.push(next);
                if bytes > LANE_BYTES {
                    break;
                }
            }
            Ok(due)
        };
        take().map_err(failed)
    }

    /// When the next further attempt for `endpoint` after `now` is due.
    pub(crate) fn next_due_after(&self, endpoint: i64, now: Millis) -> Result<Option<Millis>> {
        self.connection
            .prepare_cached("SELECT min(due_at) FROM delivery WHERE endpoint = ?1 AND state = 0 AND due_at > ?2")
            .and_then(|mut statement| statement.query_row((endpoint, now), |row| row.get(0)))
            .map_err(failed)
    }

    /// The records whose earlier delivery to `endpoint` has failed and waits for another attempt: an `ordered`
    /// endpoint lets later ones wait. Each with the event that it waits for.
    pub(crate) fn records_awaiting_retry(&self, endpoint: i64) -> Result<Vec<(String, i64)>> {
        self.connection
            .prepare_cached(
                "SELECT record, event_seq FROM delivery WHERE endpoint = ?1 AND state = 0 AND due_at > 0 AND record <> ''
                   AND replayed_at IS NULL",
            )
            .and_then(|mut statement| statement.query_map([endpoint], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(failed)
    }

    /// Pulls back what lies further off than its own delay, as after the clock was set back. Pauses and open circuit
    /// breakers keep what was left of them if it is known by how much, and none is longer than `longest_pause` or
    /// `longest_open`. What has happened has happened by now.
    pub(crate) fn pull_back(
        &mut self,
        now: Millis,
        set_back_by: Millis,
        (longest_pause, longest_open): (Millis, Millis),
    ) -> Result<()> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let write = || -> rusqlite::Result<()> {
            // Endpoint by endpoint, as the index is: first attempts, which may be many, are not looked at.
            transaction.execute(
                "UPDATE delivery SET due_at = ?1 + delay
                 WHERE endpoint IN (SELECT key FROM endpoint) AND state = 0 AND due_at > ?1 AND due_at > ?1 + delay",
                [now],
            )?;
            transaction.execute(
                "UPDATE endpoint SET
                   paused_until = iif(paused_until > ?1, min(paused_until - ?2, ?1 + ?3), paused_until),
                   open_until = iif(open_until > ?1, min(open_until - ?2, ?1 + ?4), open_until),
                   failing_since = min(failing_since, ?1),
                   last_failure_at = min(last_failure_at, ?1),
                   last_success_at = min(last_success_at, ?1)
                 WHERE max(paused_until, open_until, ifnull(failing_since, 0), ifnull(last_failure_at, 0),
                   ifnull(last_success_at, 0)) > ?1",
                (now, set_back_by, longest_pause, longest_open),
            )?;
            Ok(())
        };
        write().map_err(failed)?;
        transaction.commit().map_err(failed)
    }
}

fn read_due(row: &Row) -> rusqlite::Result<Due> {
    Ok(Due {
        id: DeliveryId::from_bytes(row.get(0)?),
        attempts: row.get(1)?,
        due_at: row.get(2)?,
        replayed_at: row.get(3)?,
        replayed_from: row.get(4)?,
        event: read_event(row, 5)?,
    })
}

/// Reads an event from the columns seq, id, name, site, record, accepted_at, occurred_at, details, data.
pub(super) fn read_event(row: &Row, first: usize) -> rusqlite::Result<Event> {
    Ok(Event {
        seq: row.get(first)?,
        id: EventId::from_bytes(row.get(first + 1)?),
        name: row.get(first + 2)?,
        accepted_at: row.get(first + 5)?,
        data: row.get(first + 8)?,
        context: Context {
            site: row.get(first + 3)?,
            record: row.get(first + 4)?,
            occurred_at: row.get(first + 6)?,
            details: row.get(first + 7)?,
        },
    })
}
