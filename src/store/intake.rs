//! Expanding events into their deliveries: what lists, filters and lanes need, built outside the page.

use rusqlite::{Transaction, TransactionBehavior};

use super::tally::Changes;
use super::{State, Store, failed};
use crate::error::Result;
use crate::event::EventId;

/// Events expanded in one transaction: a page that accepts meanwhile waits for it, a few milliseconds at most.
const BATCH: u32 = 256;

/// Batches expanded so that a list or a count is up to date, when no dispatcher has done it.
const BATCHES_FOR_READING: usize = 20;

/// How far the expansion has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The last event that is expanded.
    pub expanded: i64,
    /// Whether there may be more to expand.
    pub more: bool,
    /// The version of the setup at that moment.
    pub version: i64,
}

impl Store {
    /// Expands the next batch of events. Anybody may do this at any time: a delivery's id follows from its
    /// event and endpoint, and the transaction moves the mark.
    pub(crate) fn expand(&mut self) -> Result<Progress> {
        // Looked at without the write lock first: mostly there is nothing to do.
        let (progress, last) = self.progress()?;
        if last <= progress.expanded {
            return Ok(Progress { more: false, ..progress });
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let progress = expand_batch(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(progress)
    }

    /// As far as it can be done now: what is there can be read also where nothing can be written, as on a full disk.
    pub(super) fn expand_for_reading(&mut self) -> Result<()> {
        for _ in 0..BATCHES_FOR_READING {
            match self.expand() {
                Ok(Progress { more: true, .. }) => {}
                Err(error) if error.is_damage() => return Err(error),
                _ => break,
            }
        }
        Ok(())
    }

    fn progress(&self) -> Result<(Progress, i64)> {
        self.connection
            .prepare_cached("SELECT expanded, version, ifnull((SELECT max(seq) FROM event), 0) FROM setup")
            .and_then(|mut statement| {
                statement.query_row([], |row| {
                    Ok((Progress { expanded: row.get(0)?, more: true, version: row.get(1)? }, row.get(2)?))
                })
            })
            .map_err(failed)
    }
}

fn expand_batch(transaction: &Transaction) -> rusqlite::Result<Progress> {
    let (mut expanded, version): (i64, i64) =
        transaction.query_row("SELECT expanded, version FROM setup", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut changes = Changes::default();
    let mut seen = 0;
    {
        let mut events = transaction.prepare_cached(
            "SELECT seq, id, name, site, record, accepted_at, targets FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let mut insert = transaction.prepare_cached(
            "INSERT OR IGNORE INTO delivery (id, event_seq, endpoint, event, record, site, state, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)",
        )?;
        let mut rows = events.query((expanded, BATCH))?;
        while let Some(row) = rows.next()? {
            expanded = row.get(0)?;
            seen += 1;
            let targets = row.get_ref(6)?.as_str()?;
            if targets.is_empty() {
                continue;
            }
            let id = EventId::from_bytes(row.get(1)?);
            let (name, site, record) =
                (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?, row.get_ref(4)?.as_str()?);
            let accepted_at: i64 = row.get(5)?;
            for endpoint in targets.split(',').filter_map(|key| key.parse::<i64>().ok()) {
                let inserted = insert.execute((
                    id.delivery(endpoint).as_bytes(),
                    expanded,
                    endpoint,
                    name,
                    record,
                    site,
                    accepted_at,
                ))?;
                changes.add(site, State::Pending, inserted as i64);
            }
        }
    }
    transaction.prepare_cached("UPDATE setup SET expanded = ?1")?.execute([expanded])?;
    changes.write(transaction)?;
    Ok(Progress { expanded, more: seen == BATCH, version })
}
