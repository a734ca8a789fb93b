//! Taking over what waited in a queue file that was set aside: its pending deliveries with their events, as far as SQLite
//! can read them.
//!
//! Events are read by their number, so no secondary index has to be whole. What cannot be read is passed over number by
//! number. The dispatcher does this before it sends, in steps that pages hardly notice.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use super::tally::Changes;
use super::{State, Store, aside, failed};
use crate::clock::Millis;
use crate::error::Result;
use crate::event::{DeliveryId, EventId};

/// Events read at once, and taken over in one transaction.
const STEP: i64 = 256;

/// Reads in one step at most, of as many events each: most of them have long arrived.
const READS: usize = 16;

/// Numbers that cannot be read in one step at most.
const MISSES: usize = 4096;

/// So many numbers in a row that cannot be read are tried one by one; then the steps double, or a file whose events are
/// all lost would be searched for ever.
const TRIED_SINGLY: i64 = 20_000;

/// The line of a note that says that this is done.
const DONE: &str = "Taken over into the new queue:";

/// A queue file that was set aside, while what waits in it is taken over.
pub(crate) struct Salvage {
    kept: PathBuf,
    /// The old queue's keys of endpoints, and the new one's.
    keys: HashMap<i64, i64>,
    /// Later events have no deliveries yet.
    expanded: i64,
    last: Option<i64>,
    position: i64,
    /// Numbers in a row that could not be read, and how many the next try passes over.
    unreadable: i64,
    step: i64,
    taken: usize,
}

/// An event of the old queue and its deliveries that wait: endpoint, attempts, when due and after which delay, status and
/// error of the last attempt.
struct Waiting {
    seq: i64,
    id: EventId,
    name: String,
    site: String,
    record: String,
    accepted_at: Millis,
    occurred_at: Option<Millis>,
    details: String,
    data: String,
    deliveries: Vec<(i64, Delivery)>,
}

#[derive(Default)]
struct Delivery {
    attempts: i64,
    due_at: Millis,
    delay: Millis,
    last_status: Option<i64>,
    last_error: Option<String>,
    replayed_at: Option<Millis>,
    replayed_from: i64,
}

impl Salvage {
    /// Whether there are such files in `directory`.
    pub fn is_needed(directory: &Path) -> bool {
        !Self::unread(directory).is_empty()
    }

    /// Each of them.
    pub fn open_all(directory: &Path) -> Vec<Self> {
        Self::unread(directory).into_iter().map(Salvage::open).collect()
    }

    /// The files in `directory` whose content has not been taken over yet.
    fn unread(directory: &Path) -> Vec<PathBuf> {
        let is_done =
            |kept: &PathBuf| std::fs::read_to_string(aside::note_of(kept)).is_ok_and(|note| note.contains(DONE));
        aside::set_aside_files(directory).into_iter().filter(|kept| !is_done(kept)).collect()
    }

    fn open(kept: PathBuf) -> Self {
        let old = aside::open_kept(&kept).ok();
        let number = |sql: &str| {
            old.as_ref().and_then(|old| old.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).ok()).flatten()
        };
        // Without its mark, the newest delivery tells: ids sort by time.
        let expanded = number("SELECT expanded FROM setup")
            .or_else(|| number("SELECT event_seq FROM delivery ORDER BY id DESC LIMIT 1"))
            .unwrap_or(0);
        let last = number("SELECT max(seq) FROM event");
        let position = number("SELECT min(seq) FROM event").map_or(0, |first| first - 1);
        Salvage { kept, keys: HashMap::new(), expanded, last, position, unreadable: 0, step: 1, taken: 0 }
    }

    /// In words, for the log.
    pub fn summary(&self) -> String {
        format!("{DONE} {} deliveries that waited in {}", self.taken, self.kept.display())
    }
}

impl Store {
    /// Takes over the next step of what waits. Returns whether there is more.
    pub(crate) fn salvage(&mut self, salvage: &mut Salvage) -> Result<bool> {
        let more = match aside::open_kept(&salvage.kept) {
            Ok(old) => self.salvage_step(&old, salvage)?,
            Err(_) => false,
        };
        if !more {
            aside::add_to_note(&salvage.kept, &format!("{DONE} {} deliveries that waited.\n", salvage.taken));
        }
        Ok(more)
    }

    fn salvage_step(&mut self, old: &Connection, salvage: &mut Salvage) -> Result<bool> {
        if salvage.keys.is_empty() {
            salvage.keys = self.keys_of(old)?;
        }
        let (waiting, more) = salvage.read(old);
        if waiting.is_empty() {
            return Ok(more && !salvage.keys.is_empty());
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let write = || -> rusqlite::Result<usize> {
            let (mut changes, mut taken) = (Changes::default(), 0);
            for event in &waiting {
                taken += insert(&transaction, event, &mut changes)?;
            }
            changes.write(&transaction)?;
            Ok(taken)
        };
        let taken = write().map_err(failed)?;
        transaction.commit().map_err(failed)?;
        salvage.taken += taken;
        Ok(more)
    }

    /// The old queue's endpoints that this one has too.
    fn keys_of(&self, old: &Connection) -> Result<HashMap<i64, i64>> {
        let mut keys = HashMap::new();
        let known = aside::readable(old, "SELECT key, site, id FROM endpoint", |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        });
        for (key, site, id) in known {
            let here: Option<i64> = self
                .connection
                .query_row("SELECT key FROM endpoint WHERE site = ?1 AND id = ?2", (&site, &id), |row| row.get(0))
                .optional()
                .map_err(failed)?;
            keys.extend(here.map(|here| (key, here)));
        }
        Ok(keys)
    }
}

impl Salvage {
    /// Reads on until enough has come together. Returns what waits, and whether there may be more.
    fn read(&mut self, old: &Connection) -> (Vec<Waiting>, bool) {
        let mut found = Vec::new();
        let (mut reads, mut misses) = (0, 0);
        while reads < READS && misses < MISSES {
            let before = self.position;
            match self.read_some(old, &mut found) {
                Ok(0) => return (found, false),
                Err(_) if self.position == before => {
                    misses += 1;
                    if !self.pass_over() {
                        return (found, false);
                    }
                }
                _ => (self.unreadable, self.step, reads) = (0, 1, reads + 1),
            }
            if found.len() >= STEP as usize {
                break;
            }
        }
        (found, true)
    }

    /// Passes over numbers that cannot be read, as far as the next that may be. Returns whether there may be one.
    fn pass_over(&mut self) -> bool {
        self.unreadable += 1;
        if self.unreadable > TRIED_SINGLY {
            self.step = self.step.saturating_mul(2);
        }
        self.position = self.position.saturating_add(self.step);
        self.position < self.last.unwrap_or(i64::MAX / 4)
    }

    /// Reads the next events. Returns how many; on an error, `position` is behind the last that could be read.
    fn read_some(&mut self, old: &Connection, found: &mut Vec<Waiting>) -> rusqlite::Result<usize> {
        let mut statement = old.prepare_cached(
            "SELECT seq, id, name, site, record, accepted_at, occurred_at, details, data, targets
             FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let mut rows = statement.query((self.position, STEP))?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            self.position = row.get(0)?;
            count += 1;
            // A row whose values are none of ours is passed over.
            if let Ok(Some(event)) = self.read_event(old, row) {
                found.push(event);
            }
        }
        Ok(count)
    }

    fn read_event(&self, old: &Connection, row: &Row) -> rusqlite::Result<Option<Waiting>> {
        let (seq, id) = (row.get(0)?, EventId::from_bytes(row.get(1)?));
        let mut deliveries = Vec::new();
        for key in row.get_ref(9)?.as_str()?.split(',').filter_map(|key| key.parse::<i64>().ok()) {
            if let Some(here) = self.keys.get(&key)
                && let Some(delivery) = self.delivery_if_waiting(old, seq, &id, key)
            {
                deliveries.push((*here, delivery));
            }
        }
        if deliveries.is_empty() {
            return Ok(None);
        }
        Ok(Some(Waiting {
            seq,
            id,
            name: row.get(2)?,
            site: row.get(3)?,
            record: row.get(4)?,
            accepted_at: row.get(5)?,
            occurred_at: row.get(6)?,
            details: row.get(7)?,
            data: row.get(8)?,
            deliveries,
        }))
    }

    /// A delivery whose state cannot be read waits, unless an attempt says that it arrived: sending twice is allowed,
    /// losing is not.
    fn delivery_if_waiting(&self, old: &Connection, seq: i64, id: &EventId, key: i64) -> Option<Delivery> {
        let delivery = id.delivery(key);
        let stored = old
            .prepare_cached(
                "SELECT state, attempts, due_at, delay, last_status, last_error FROM delivery WHERE id = ?1",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([delivery.as_bytes()], |row| {
                        let waiting = row.get::<_, i64>(0)? == State::Pending as i64;
                        Ok(waiting.then_some(Delivery {
                            attempts: row.get(1)?,
                            due_at: row.get(2)?,
                            delay: row.get(3)?,
                            last_status: row.get(4)?,
                            last_error: row.get(5)?,
                            ..Delivery::default()
                        }))
                    })
                    .optional()
            });
        match stored {
            Ok(Some(waiting)) => waiting.map(|waiting| with_replay(old, &delivery, waiting)),
            Ok(None) => (seq > self.expanded).then(Delivery::default),
            Err(_) => {
                let arrived = old
                    .query_row(
                        "SELECT EXISTS (SELECT 1 FROM attempt WHERE delivery = ?1 AND status BETWEEN 200 AND 299)",
                        [delivery.as_bytes()],
                        |row| row.get(0),
                    )
                    .unwrap_or(false);
                (!arrived).then(Delivery::default)
            }
        }
    }
}

/// Adds what a file of an earlier version does not have.
fn with_replay(old: &Connection, id: &DeliveryId, waiting: Delivery) -> Delivery {
    let (replayed_at, replayed_from) = old
        .prepare_cached("SELECT replayed_at, replayed_from FROM delivery WHERE id = ?1")
        .and_then(|mut statement| statement.query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))))
        .unwrap_or_default();
    Delivery { replayed_at, replayed_from, ..waiting }
}

/// Writes an event and its deliveries, under the event's own number if that is free. Returns how many deliveries are new.
fn insert(connection: &Connection, event: &Waiting, changes: &mut Changes) -> rusqlite::Result<usize> {
    let targets: Vec<String> = event.deliveries.iter().map(|(key, _)| key.to_string()).collect();
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO event (seq, id, name, site, record, accepted_at, occurred_at, targets, details, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let mut write = |seq: Option<i64>| {
        insert.execute((
            seq,
            event.id.as_bytes(),
            &event.name,
            &event.site,
            &event.record,
            event.accepted_at,
            event.occurred_at,
            targets.join(","),
            &event.details,
            &event.data,
        ))
    };
    let mut seq = event.seq;
    if write(Some(seq))? == 0 {
        let there: Vec<u8> = connection.query_row("SELECT id FROM event WHERE seq = ?1", [seq], |row| row.get(0))?;
        if there != event.id.as_bytes() {
            // Another event has the number. What is expanded later finds these deliveries there.
            write(None)?;
            seq = connection.last_insert_rowid();
        }
    }
    let mut taken = 0;
    for (endpoint, delivery) in &event.deliveries {
        let inserted = connection
            .prepare_cached(
                "INSERT OR IGNORE INTO delivery (id, event_seq, endpoint, event, record, site, state, attempts, due_at, delay,
                   created_at, last_status, last_error, replayed_at, replayed_from)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute((
                event.id.delivery(*endpoint).as_bytes(),
                seq,
                endpoint,
                &event.name,
                &event.record,
                &event.site,
                delivery.attempts,
                delivery.due_at,
                delivery.delay,
                event.accepted_at,
                delivery.last_status,
                &delivery.last_error,
                delivery.replayed_at,
                delivery.replayed_from,
            ))?;
        changes.add(&event.site, State::Pending, inserted as i64);
        taken += inserted;
    }
    Ok(taken)
}
