//! Counts of deliveries by site and state, kept up to date by whoever changes them.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use super::{State, Store, failed};
use crate::clock::Millis;
use crate::error::Result;

/// What the queue holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Deliveries that wait.
    pub pending: i64,
    /// Deliveries that arrived and are still kept.
    pub delivered: i64,
    /// Dead letters.
    pub dead: i64,
    /// Ended by the owner.
    pub cancelled: i64,
    /// When the oldest delivery that waits was accepted.
    pub oldest_pending_at: Option<Millis>,
    /// The queue's size on disk.
    pub bytes: u64,
    /// What of it is in use: room that forgotten deliveries have left is used before the file grows.
    pub used_bytes: u64,
}

/// Changes of counts within one transaction.
#[derive(Default)]
pub(super) struct Changes(HashMap<(String, i64), i64>);

impl Changes {
    /// Adds `by` to the count of `state` at `site`.
    pub(super) fn add(&mut self, site: &str, state: State, by: i64) {
        *self.0.entry((site.to_owned(), state as i64)).or_default() += by;
    }

    /// Writes the changes.
    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO tally (site, state, count) VALUES (?1, ?2, ?3)
             ON CONFLICT (site, state) DO UPDATE SET count = count + excluded.count",
        )?;
        for ((site, state), by) in self.0.into_iter().filter(|(_, by)| *by != 0) {
            statement.execute((site, state, by))?;
        }
        Ok(())
    }
}

/// When the oldest that waits at site ?1 was accepted. The partial index alone answers this, and looks only at further
/// attempts one by one.
const OLDEST: &str = "SELECT accepted_at FROM event WHERE seq =
   (SELECT min(oldest) FROM
      (SELECT (SELECT event_seq FROM delivery WHERE endpoint = key AND state = 0 AND due_at = 0
               ORDER BY event_seq LIMIT 1) AS oldest
       FROM endpoint WHERE ?1 IS NULL OR site = ?1
       UNION ALL
       SELECT (SELECT min(event_seq) FROM delivery WHERE endpoint = key AND state = 0 AND due_at > 0)
       FROM endpoint WHERE ?1 IS NULL OR site = ?1))";

/// The same where some wait since their replay, which only their rows tell.
const OLDEST_AMONG_REPLAYS: &str = "SELECT min(oldest) FROM
   (SELECT (SELECT created_at FROM delivery INDEXED BY delivery_due WHERE endpoint = key AND state = 0 AND due_at = 0
            ORDER BY event_seq LIMIT 1) AS oldest
    FROM endpoint WHERE ?1 IS NULL OR site = ?1
    UNION ALL
    SELECT (SELECT min(ifnull(replayed_at, created_at)) FROM delivery INDEXED BY delivery_due
            WHERE endpoint = key AND state = 0 AND due_at > 0)
    FROM endpoint WHERE ?1 IS NULL OR site = ?1)";

impl Store {
    fn any_replay_waits(&self) -> Result<bool> {
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM delivery INDEXED BY delivery_replayed
                 WHERE state = 0 AND replayed_at IS NOT NULL)",
            )
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(failed)
    }

    /// What the queue holds, of `site` or of all sites. Expands what was accepted and not yet expanded.
    pub fn stats(&mut self, site: Option<&str>) -> Result<Stats> {
        self.expand_for_reading()?;
        let (bytes, used_bytes) = (self.bytes(), self.used_bytes()?);
        let mut stats = Stats { bytes, used_bytes, ..Stats::default() };
        let mut count = || -> rusqlite::Result<()> {
            let mut statement = self
                .connection
                .prepare_cached("SELECT state, sum(count) FROM tally WHERE ?1 IS NULL OR site = ?1 GROUP BY state")?;
            let mut rows = statement.query([site])?;
            while let Some(row) = rows.next()? {
                let count: i64 = row.get(1)?;
                match State::from_stored(row.get(0)?) {
                    State::Pending => stats.pending = count,
                    State::Delivered => stats.delivered = count,
                    State::Dead => stats.dead = count,
                    State::Cancelled => stats.cancelled = count,
                }
            }
            Ok(())
        };
        count().map_err(failed)?;
        let (not_expanded, accepted_at) = self.not_expanded(site).map_err(failed)?;
        stats.pending += not_expanded;
        if stats.pending > 0 {
            stats.oldest_pending_at = self
                .connection
                .prepare_cached(if self.any_replay_waits()? { OLDEST_AMONG_REPLAYS } else { OLDEST })
                .and_then(|mut statement| statement.query_row([site], |row| row.get(0)).optional())
                .map_err(failed)?
                .or(accepted_at);
        }
        Ok(stats)
    }

    /// The deliveries that events will have which could not be expanded yet, and when the first of these was accepted.
    fn not_expanded(&self, site: Option<&str>) -> rusqlite::Result<(i64, Option<Millis>)> {
        self.connection
            .prepare_cached(
                "SELECT ifnull(sum(length(targets) - length(replace(targets, ',', '')) + 1), 0), min(accepted_at)
                 FROM event WHERE seq > (SELECT expanded FROM setup) AND targets <> '' AND (?1 IS NULL OR site = ?1)",
            )?
            .query_row([site], |row| Ok((row.get(0)?, row.get(1)?)))
    }
}
