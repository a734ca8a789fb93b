//! Accepting events: one row each, and nothing else that the page would have to wait for.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, TransactionBehavior};

use super::{Store, failed};
use crate::clock::Millis;
use crate::endpoint::Endpoint;
use crate::error::{Error, Result, Trouble};
use crate::event::{EventId, NewEvent};

/// Inserts nothing if the endpoints have changed since they were read (`?10`), so matching and accepting
/// are one step though they are one statement.
const INSERT: &str = "INSERT INTO event (id, name, site, record, accepted_at, occurred_at, targets, details, data)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE (SELECT version FROM setup) = ?10";

/// An event that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: EventId,
    /// How many endpoints it goes to.
    pub deliveries: usize,
}

/// The endpoints of the sites this process has served, as of a version of the setup.
#[derive(Default)]
pub(super) struct Matcher {
    version: i64,
    sites: HashMap<String, Vec<(i64, Endpoint)>>,
}

impl Store {
    /// Accepts `events` in one transaction. When this returns they survive the death of every process; after
    /// [`Store::make_durable`] also a power cut.
    ///
    /// # Errors
    /// [`Error::Full`] if the queue has reached a limit, of size or of age, [`Error::Unavailable`] if it cannot be written.
    /// Nothing of `events` is stored then.
    pub fn accept(&mut self, events: &[NewEvent], now: Millis) -> Result<Vec<Accepted>> {
        self.check_limits(events, now)?;
        self.move_log_if_room_is_short()?;
        loop {
            let accepted = self.try_accept(events, now);
            self.note_end(&accepted);
            if let Some(accepted) = accepted? {
                return Ok(accepted);
            }
            self.matcher.version = self.setup_version()?;
            self.matcher.sites.clear();
        }
    }

    /// `None` if the endpoints have changed meanwhile.
    fn try_accept(&mut self, events: &[NewEvent], now: Millis) -> Result<Option<Vec<Accepted>>> {
        let mut targets = Vec::with_capacity(events.len());
        for event in events {
            targets.push(self.targets(event)?);
        }
        if let ([event], [(keys, count)]) = (events, targets.as_slice()) {
            // A single statement is its own transaction.
            let id = EventId::new(now);
            let inserted = insert(&self.connection, event, id, keys, now, self.matcher.version).map_err(failed)?;
            return Ok(inserted.then(|| vec![Accepted { id, deliveries: *count }]));
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let mut accepted = Vec::with_capacity(events.len());
        for (event, (keys, count)) in events.iter().zip(&targets) {
            let id = EventId::new(now);
            if !insert(&transaction, event, id, keys, now, self.matcher.version).map_err(failed)? {
                return Ok(None);
            }
            accepted.push(Accepted { id, deliveries: *count });
        }
        transaction.commit().map_err(failed)?;
        Ok(Some(accepted))
    }

    /// The keys of the endpoints that `event` goes to, separated by commas, and their number.
    fn targets(&mut self, event: &NewEvent) -> Result<(String, usize)> {
        let site = &event.context.site;
        if !self.matcher.sites.contains_key(site) {
            let endpoints = self.enabled_endpoints(site)?;
            self.matcher.sites.insert(site.clone(), endpoints);
        }
        let mut keys = String::new();
        let mut count = 0;
        let record = event.record();
        for (key, endpoint) in self.matcher.sites.get(site).into_iter().flatten() {
            if endpoint.wants_record(event, &record) {
                if count > 0 {
                    keys.push(',');
                }
                keys.push_str(&key.to_string());
                count += 1;
            }
        }
        Ok((keys, count))
    }

    /// The sites for which events were accepted here, and went to somebody.
    pub(crate) fn matched_sites(&self) -> impl Iterator<Item = String> {
        self.matcher.sites.iter().filter(|(_, endpoints)| !endpoints.is_empty()).map(|(site, _)| site.clone())
    }

    pub(super) fn setup_version(&self) -> Result<i64> {
        self.connection
            .prepare_cached("SELECT version FROM setup")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)).optional())
            .map_err(failed)?
            .ok_or_else(|| Error::trouble(Trouble::Damaged, "the queue file is damaged: its setup is missing"))
    }
}

fn insert(
    connection: &rusqlite::Connection,
    event: &NewEvent,
    id: EventId,
    targets: &str,
    now: Millis,
    version: i64,
) -> rusqlite::Result<bool> {
    let inserted = connection.prepare_cached(INSERT)?.execute((
        id.as_bytes(),
        event.name,
        &event.context.site,
        &event.context.record,
        now,
        event.context.occurred_at,
        targets,
        &event.context.details,
        &event.data,
        version,
    ))?;
    Ok(inserted == 1)
}
