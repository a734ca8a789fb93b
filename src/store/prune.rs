//! Forgetting what is settled and old, in steps that nobody notices.

use std::time::{Duration, Instant};

use rusqlite::{OptionalExtension, TransactionBehavior};

use super::tally::Changes;
use super::{State, Store, failed};
use crate::clock::Millis;
use crate::error::Result;
use crate::event::{DeliveryId, EventId};

/// Events looked at in one step at most …
const STEP: u32 = 200;

/// … and how long pages may be kept from writing by it: large rows take longer to forget than small ones.
const LONGEST_STEP: Duration = Duration::from_millis(1);

/// A settled delivery older than ?2, when delivered, or ?3.
const FORGETTABLE: &str = "((state = 1 AND settled_at < ?2) OR (state >= 2 AND settled_at < ?3))";

/// How long settled deliveries are kept, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    pub delivered: Millis,
    pub dead: Millis,
}

impl Default for Retention {
    /// What arrived is kept for 7 days, for the log. Dead letters and cancelled deliveries for 90, so that a
    /// receiver that was broken for a season can still be replayed.
    fn default() -> Self {
        const DAY: Millis = 24 * 60 * 60 * 1000;
        Retention { delivered: 7 * DAY, dead: 90 * DAY }
    }
}

impl Retention {
    /// How old something is at least before it is forgotten.
    pub fn shortest(&self) -> Millis {
        self.delivered.min(self.dead)
    }
}

impl Store {
    /// How long settled deliveries of this queue are kept.
    pub(crate) fn retention(&self) -> Result<Retention> {
        let default = Retention::default();
        let (delivered, dead) = self.stored_retention()?;
        Ok(Retention { delivered: delivered.unwrap_or(default.delivered), dead: dead.unwrap_or(default.dead) })
    }

    fn stored_retention(&self) -> Result<(Option<Millis>, Option<Millis>)> {
        self.connection
            .query_row("SELECT keep_delivered, keep_dead FROM setup", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(failed)
    }

    /// Stores what the options say, if they do and it is new. The dispatcher notices, as it does with endpoints.
    pub(super) fn set_retention(&mut self) -> Result<()> {
        let (delivered, dead) = (self.options.keep_delivered, self.options.keep_dead);
        if delivered.is_none() && dead.is_none() {
            return Ok(());
        }
        let stored = self.stored_retention()?;
        let wanted = (delivered.or(stored.0), dead.or(stored.1));
        if wanted != stored {
            self.connection
                .execute("UPDATE setup SET keep_delivered = ?1, keep_dead = ?2, version = version + 1", wanted)
                .map_err(failed)?;
        }
        Ok(())
    }

    /// Forgets some events whose deliveries are all settled and past their retention. Looks at events after
    /// `from`, the oldest first; returns where to go on, or `None` when the rest is too young.
    /// Nobody has to wait while it looks, and it looks no further than one step.
    pub(crate) fn prune(&mut self, from: i64, now: Millis, retention: Retention) -> Result<Option<i64>> {
        let young = now - retention.shortest()..=now;
        let look = || -> rusqlite::Result<(Vec<Old>, Option<i64>)> {
            let (mut old, mut last) = (Vec::new(), None);
            // The last event stays, so that its number is not given again.
            let mut statement = self.connection.prepare_cached(
                "SELECT seq, id, targets, accepted_at FROM event
                 WHERE seq > ?1 AND seq <= (SELECT expanded FROM setup) AND seq < (SELECT max(seq) FROM event)
                 ORDER BY seq LIMIT ?2",
            )?;
            let mut rows = statement.query((from, STEP))?;
            while let Some(row) = rows.next()? {
                let accepted_at = row.get(3)?;
                // Those of a time to come were accepted while the clock was wrong, and say nothing about the rest.
                if young.contains(&accepted_at) {
                    continue;
                }
                let seq = row.get(0)?;
                last = Some(seq);
                if accepted_at < *young.start() {
                    let event = Old { seq, id: EventId::from_bytes(row.get(1)?), targets: row.get(2)? };
                    if self.has_forgettable(&event, now, retention)? {
                        old.push(event);
                    }
                }
            }
            Ok((old, last))
        };
        let (old, last) = look().map_err(failed)?;
        if old.is_empty() {
            return Ok(last);
        }
        Ok(self.forget(&old, now, retention)?.or(last))
    }

    /// Whether one of its deliveries is past its retention, or none is left.
    fn has_forgettable(&self, event: &Old, now: Millis, retention: Retention) -> rusqlite::Result<bool> {
        let mut left = false;
        for delivery in event.deliveries() {
            let found: Option<bool> = self
                .connection
                .prepare_cached(&format!("SELECT {FORGETTABLE} FROM delivery WHERE id = ?1"))?
                .query_row((delivery.as_bytes(), now - retention.delivered, now - retention.dead), |row| row.get(0))
                .optional()?;
            if found == Some(true) {
                return Ok(true);
            }
            left |= found.is_some();
        }
        Ok(!left)
    }

    /// Forgets what is past its retention of `events`, until it has kept pages from writing for long enough. Returns the
    /// last event that it came to, if that is not the last of them.
    fn forget(&mut self, events: &[Old], now: Millis, retention: Retention) -> Result<Option<i64>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let write = || -> rusqlite::Result<Option<i64>> {
            let mut changes = Changes::default();
            let (began, mut stopped_after) = (Instant::now(), None);
            for (index, event) in events.iter().enumerate() {
                let mut kept = 0;
                for delivery in event.deliveries() {
                    let forgotten = transaction
                        .prepare_cached(&format!(
                            "DELETE FROM delivery WHERE id = ?1 AND {FORGETTABLE} RETURNING site, state"
                        ))?
                        .query_map((delivery.as_bytes(), now - retention.delivered, now - retention.dead), |row| {
                            Ok((row.get::<_, String>(0)?, State::from_stored(row.get(1)?)))
                        })?
                        .collect::<rusqlite::Result<Vec<_>>>()?;
                    for (site, state) in forgotten {
                        changes.add(&site, state, -1);
                        transaction
                            .prepare_cached("DELETE FROM attempt WHERE delivery = ?1")?
                            .execute([delivery.as_bytes()])?;
                    }
                    kept += transaction
                        .prepare_cached("SELECT count(*) FROM delivery WHERE id = ?1")?
                        .query_row([delivery.as_bytes()], |row| row.get::<_, i64>(0))?;
                }
                if kept == 0 {
                    transaction.prepare_cached("DELETE FROM event WHERE seq = ?1")?.execute([event.seq])?;
                }
                if index + 1 < events.len() && began.elapsed() >= LONGEST_STEP {
                    stopped_after = Some(event.seq);
                    break;
                }
            }
            changes.write(&transaction)?;
            Ok(stopped_after)
        };
        let stopped_after = write().map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(stopped_after)
    }
}

/// An event that was accepted before all that is kept.
struct Old {
    seq: i64,
    id: EventId,
    targets: String,
}

impl Old {
    fn deliveries(&self) -> impl Iterator<Item = DeliveryId> {
        self.targets.split(',').filter_map(|key| key.parse::<i64>().ok()).map(|endpoint| self.id.delivery(endpoint))
    }
}
