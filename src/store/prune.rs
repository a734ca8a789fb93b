//! Forgetting what is settled and old, in steps that nobody notices.

use std::time::{Duration, Instant};

use rusqlite::TransactionBehavior;

use super::tally::Changes;
use super::{State, Store, failed};
use crate::clock::Millis;
use crate::error::Result;
use crate::event::EventId;

/// Events looked at in one step at most …
const STEP: u32 = 200;

/// … and how long pages may be kept from writing by it: large rows take longer to forget than small ones.
const LONGEST_STEP: Duration = Duration::from_millis(1);

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
    pub(crate) fn prune(&mut self, from: i64, now: Millis, retention: Retention) -> Result<Option<i64>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let write = || -> rusqlite::Result<Option<i64>> {
            // The last event stays, so that its number is not given again.
            let events = transaction
                .prepare_cached(
                    "SELECT seq, id, targets FROM event
                     WHERE seq > ?1 AND seq <= (SELECT expanded FROM setup) AND seq < (SELECT max(seq) FROM event)
                       AND accepted_at < ?2
                     ORDER BY seq LIMIT ?3",
                )?
                .query_map((from, now - retention.shortest(), STEP), |row| {
                    Ok((row.get::<_, i64>(0)?, EventId::from_bytes(row.get(1)?), row.get::<_, String>(2)?))
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let mut changes = Changes::default();
            let (began, mut last) = (Instant::now(), None);
            for (seq, id, targets) in &events {
                if last.is_some() && began.elapsed() >= LONGEST_STEP {
                    break;
                }
                last = Some(*seq);
                let mut kept = 0;
                for endpoint in targets.split(',').filter_map(|key| key.parse::<i64>().ok()) {
                    let delivery = id.delivery(endpoint);
                    let forgotten = transaction
                        .prepare_cached(
                            "DELETE FROM delivery WHERE id = ?1
                               AND ((state = 1 AND settled_at < ?2) OR (state >= 2 AND settled_at < ?3))
                             RETURNING site, state",
                        )?
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
                    transaction.prepare_cached("DELETE FROM event WHERE seq = ?1")?.execute([seq])?;
                }
            }
            changes.write(&transaction)?;
            Ok(last)
        };
        let last = write().map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(last)
    }
}
