//! Looking at what happened: deliveries and their attempts.

use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension, Row};
use serde_json::Value;

use super::due::read_event;
use super::endpoints::stored_endpoint;
use super::{State, Store, failed};
use crate::clock::Millis;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::event::{DeliveryId, Event, EventId};

/// So many deliveries that wait are sorted for a list; where more do, looking for the newest takes fewer steps.
pub(super) const FEW: i64 = 5_000;

/// A page of a list has this many rows at most.
const MAX_LIMIT: usize = 1000;

const COLUMNS: &str = "d.id, d.event_seq, d.event, d.record, d.site, d.state, d.attempts, d.due_at, d.created_at,
     d.settled_at, d.last_status, d.last_error, e.id, n.id";

/// Which deliveries to look at; all that are given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// One delivery.
    pub id: Option<DeliveryId>,
    /// Deliveries of a site.
    pub site: Option<String>,
    /// Deliveries of one event.
    pub event_id: Option<EventId>,
    /// Deliveries of events with this name.
    pub event: Option<String>,
    /// Deliveries about this record.
    pub record: Option<String>,
    /// Deliveries to the endpoint with this id.
    pub endpoint: Option<String>,
    /// Deliveries in this state.
    pub state: Option<State>,
    /// Accepted at this time or later.
    pub since: Option<Millis>,
    /// Accepted before this time.
    pub until: Option<Millis>,
    /// At most so many; 50 if not given, 1000 at most.
    pub limit: Option<usize>,
    /// Older than this delivery: the last one of the page before.
    pub before: Option<DeliveryId>,
}

/// A delivery as the API shows it.
#[derive(Clone, Debug)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// Its event's id.
    pub event_id: EventId,
    /// Its event's name.
    pub event: String,
    /// The record the event is about.
    pub record: String,
    /// The owner's id of the endpoint.
    pub endpoint: String,
    /// The site.
    pub site: String,
    /// Its state.
    pub state: State,
    /// Attempts used up.
    pub attempts: u32,
    /// When it was accepted.
    pub created_at: Millis,
    /// When its last attempt was settled.
    pub settled_at: Option<Millis>,
    /// When its next attempt is due, while it is pending.
    pub next_attempt_at: Option<Millis>,
    /// The last answer's status.
    pub last_status: Option<u16>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

/// A request of a delivery, as it was logged.
#[derive(Clone, Debug)]
pub struct AttemptRow {
    /// The attempt's number; requests that used up no attempt repeat it.
    pub n: u32,
    /// When it started.
    pub started_at: Millis,
    /// How long it took, in microseconds.
    pub duration_us: i64,
    /// Milliseconds by phase.
    pub timings: Value,
    /// The answer's status.
    pub status: Option<u16>,
    /// Why it failed.
    pub error: Option<String>,
    /// Names and values as they were sent.
    pub request_headers: Vec<(String, String)>,
    /// Names and values as they were received.
    pub response_headers: Vec<(String, String)>,
    /// The answer's body, at most 64 KiB.
    pub response_body: Vec<u8>,
}

impl Store {
    /// The deliveries that `filter` selects, the newest first. Expands what was accepted and not yet expanded.
    pub fn deliveries(&mut self, filter: &Filter) -> Result<Vec<DeliveryRow>> {
        self.expand_for_reading()?;
        let (condition, parameters) = condition(filter);
        let limit = filter.limit.unwrap_or(50).min(MAX_LIMIT);
        // The newest of many that wait are found among the newest of all; the few that wait, among millions that arrived,
        // by their index.
        let index = match filter.state {
            Some(State::Pending) if self.pending()? <= FEW => "INDEXED BY delivery_due",
            _ => "",
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM delivery d {index} JOIN event e ON e.seq = d.event_seq JOIN endpoint n ON n.key = d.endpoint
             WHERE {condition} ORDER BY d.id DESC LIMIT {limit}"
        );
        let read = || -> rusqlite::Result<Vec<DeliveryRow>> {
            let parameters: Vec<&dyn ToSql> = parameters.iter().map(|value| value.as_ref()).collect();
            self.connection.prepare_cached(&sql)?.query_map(parameters.as_slice(), read_delivery)?.collect()
        };
        read().map_err(failed)
    }

    /// How many deliveries `filter` selects; its `limit` does not matter. All of a site, or of a state, are known; for anything
    /// else the rows are gone through.
    pub fn count(&mut self, filter: &Filter) -> Result<u64> {
        self.expand_for_reading()?;
        let Filter { id, site, event_id, event, record, endpoint, state, since, until, limit: _, before } = filter;
        let by_text = event.is_some() || record.is_some() || endpoint.is_some();
        if by_text || id.is_some() || event_id.is_some() || since.is_some() || until.is_some() || before.is_some() {
            let (condition, parameters) = condition(filter);
            let index = match state {
                Some(State::Pending) if self.pending()? <= FEW => "INDEXED BY delivery_due",
                _ => "",
            };
            let event = if event_id.is_some() { "JOIN event e ON e.seq = d.event_seq" } else { "" };
            let endpoint = if endpoint.is_some() { "JOIN endpoint n ON n.key = d.endpoint" } else { "" };
            let sql = format!("SELECT count(*) FROM delivery d {index} {event} {endpoint} WHERE {condition}");
            let parameters: Vec<&dyn ToSql> = parameters.iter().map(|value| value.as_ref()).collect();
            return self
                .connection
                .prepare_cached(&sql)
                .and_then(|mut statement| statement.query_row(parameters.as_slice(), |row| row.get(0)))
                .map(|count: i64| count as u64)
                .map_err(failed);
        }
        self.connection
            .prepare_cached(
                "SELECT ifnull(sum(count), 0) FROM tally WHERE (?1 IS NULL OR site = ?1) AND (?2 IS NULL OR state = ?2)",
            )
            .and_then(|mut statement| statement.query_row((site, state.map(|state| state as i64)), |row| row.get(0)))
            .map(|count: i64| count as u64)
            .map_err(failed)
    }

    pub(super) fn pending(&self) -> Result<i64> {
        self.connection
            .prepare_cached("SELECT ifnull(sum(count), 0) FROM tally WHERE state = 0")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(failed)
    }

    /// The endpoint of a delivery, whose settings say what its body is. `None` if there is none, or if it cannot be read.
    pub fn endpoint_of(&self, id: DeliveryId) -> Result<Option<Endpoint>> {
        let settings: Option<String> = self
            .connection
            .prepare_cached("SELECT n.settings FROM delivery d JOIN endpoint n ON n.key = d.endpoint WHERE d.id = ?1")
            .and_then(|mut statement| statement.query_row([id.as_bytes()], |row| row.get(0)).optional())
            .map_err(failed)?;
        Ok(settings.and_then(|settings| stored_endpoint(&settings).ok()))
    }

    /// The event of a delivery and the requests made for it, the first one first. `None` if there is no such
    /// delivery.
    pub fn attempts(&mut self, id: DeliveryId) -> Result<Option<(Event, Vec<AttemptRow>)>> {
        let read = || -> rusqlite::Result<Option<(Event, Vec<AttemptRow>)>> {
            let event = self
                .connection
                .prepare_cached(
                    "SELECT e.seq, e.id, e.name, e.site, e.record, e.accepted_at, e.occurred_at, e.details, e.data
                     FROM delivery d JOIN event e ON e.seq = d.event_seq WHERE d.id = ?1",
                )?
                .query_row([id.as_bytes()], |row| read_event(row, 0))
                .optional()?;
            let Some(event) = event else { return Ok(None) };
            let attempts = self
                .connection
                .prepare_cached(
                    "SELECT n, started_at, duration_us, timings, status, error, request_headers, response_headers, response_body
                     FROM attempt WHERE delivery = ?1 ORDER BY request",
                )?
                .query_map([id.as_bytes()], read_attempt)?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Some((event, attempts)))
        };
        read().map_err(failed)
    }
}

pub(super) fn condition(filter: &Filter) -> (String, Vec<Box<dyn ToSql>>) {
    let mut parts = vec!["1".to_owned()];
    let mut parameters: Vec<Box<dyn ToSql>> = Vec::new();
    let mut add = |sql: &str, value: Box<dyn ToSql>| {
        parameters.push(value);
        parts.push(sql.replace('?', &format!("?{}", parameters.len())));
    };
    if let Some(id) = filter.id {
        add("d.id = ?", Box::new(*id.as_bytes()));
    }
    if let Some(before) = filter.before {
        add("d.id < ?", Box::new(*before.as_bytes()));
    }
    if let Some(event) = filter.event_id {
        // A delivery's id shares its first six bytes, the time, with its event's: a range of the primary key.
        let (mut first, mut last) = ([0u8; 16], [0xffu8; 16]);
        first[..6].copy_from_slice(&event.as_bytes()[..6]);
        last[..6].copy_from_slice(&event.as_bytes()[..6]);
        add("d.id >= ?", Box::new(first));
        add("d.id <= ?", Box::new(last));
        add("e.id = ?", Box::new(*event.as_bytes()));
    }
    if let Some(since) = filter.since {
        add("d.created_at >= ?", Box::new(since));
    }
    if let Some(until) = filter.until {
        add("d.created_at < ?", Box::new(until));
    }
    let texts = [
        ("d.site = ?", &filter.site),
        ("d.event = ?", &filter.event),
        ("d.record = ?", &filter.record),
        ("n.id = ?", &filter.endpoint),
    ];
    for (sql, value) in texts {
        if let Some(value) = value {
            add(sql, Box::new(value.clone()));
        }
    }
    if let Some(state) = filter.state {
        // As literals, and with the index's own condition: SQLite does not conclude it from the other.
        parts.push(format!("d.state = {}", state as i64));
        if state as i64 >= 2 {
            parts.push("d.state >= 2".to_owned());
        }
    }
    (parts.join(" AND "), parameters)
}

fn read_delivery(row: &Row) -> rusqlite::Result<DeliveryRow> {
    let state = State::from_stored(row.get(5)?);
    let (created_at, due_at): (Millis, Millis) = (row.get(8)?, row.get(7)?);
    Ok(DeliveryRow {
        id: DeliveryId::from_bytes(row.get(0)?),
        event: row.get(2)?,
        record: row.get(3)?,
        site: row.get(4)?,
        state,
        attempts: row.get(6)?,
        created_at,
        settled_at: row.get(9)?,
        next_attempt_at: (state == State::Pending).then_some(if due_at > 0 { due_at } else { created_at }),
        last_status: row.get(10)?,
        last_error: row.get(11)?,
        event_id: EventId::from_bytes(row.get(12)?),
        endpoint: row.get(13)?,
    })
}

fn read_attempt(row: &Row) -> rusqlite::Result<AttemptRow> {
    Ok(AttemptRow {
        n: row.get(0)?,
        started_at: row.get(1)?,
        duration_us: row.get(2)?,
        timings: serde_json::from_str(row.get_ref(3)?.as_str()?).unwrap_or_default(),
        status: row.get(4)?,
        error: row.get(5)?,
        request_headers: serde_json::from_str(row.get_ref(6)?.as_str()?).unwrap_or_default(),
        response_headers: serde_json::from_str(row.get_ref(7)?.as_str()?).unwrap_or_default(),
        response_body: row.get(8)?,
    })
}
