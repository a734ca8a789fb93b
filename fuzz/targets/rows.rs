//! Rows of the queue, as another program or a bad disk may leave them: each entry of the input is a column, a type, a
//! length and a value, which is put into every row of its table. Then everything that reads rows does.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam_channel::unbounded;
use posthorn::clock::ManualClock;
use posthorn::delivery::{Answer, Exchange, Timings, Transport};
use posthorn::dispatcher::sender::attempt;
use posthorn::dispatcher::{Dispatcher, Mode, jobs};
use posthorn::endpoint::Endpoint;
use posthorn::event::NewEvent;
use posthorn::store::{Filter, Store, StoreOptions};
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::json;

const NOW: i64 = 1_776_429_296_789;

/// Every column but those that tie rows together by their place.
const COLUMNS: &[(&str, &str)] = &[
    ("setup", "version"),
    ("setup", "expanded"),
    ("site", "site"),
    ("site", "revision"),
    ("site", "paused"),
    ("endpoint", "site"),
    ("endpoint", "id"),
    ("endpoint", "url"),
    ("endpoint", "settings"),
    ("endpoint", "removed"),
    ("endpoint", "suspended"),
    ("endpoint", "paused_until"),
    ("endpoint", "throttled"),
    ("endpoint", "epoch"),
    ("endpoint", "failures"),
    ("endpoint", "failing_since"),
    ("endpoint", "failing_days"),
    ("endpoint", "last_failure_at"),
    ("endpoint", "last_success_at"),
    ("endpoint", "open_until"),
    ("event", "id"),
    ("event", "name"),
    ("event", "site"),
    ("event", "record"),
    ("event", "accepted_at"),
    ("event", "occurred_at"),
    ("event", "targets"),
    ("event", "details"),
    ("event", "data"),
    ("delivery", "id"),
    ("delivery", "event_seq"),
    ("delivery", "endpoint"),
    ("delivery", "event"),
    ("delivery", "record"),
    ("delivery", "site"),
    ("delivery", "state"),
    ("delivery", "attempts"),
    ("delivery", "requests"),
    ("delivery", "due_at"),
    ("delivery", "delay"),
    ("delivery", "created_at"),
    ("delivery", "settled_at"),
    ("delivery", "last_status"),
    ("delivery", "last_error"),
    ("attempt", "n"),
    ("attempt", "timings"),
    ("attempt", "status"),
    ("attempt", "request_headers"),
    ("attempt", "response_headers"),
    ("attempt", "response_body"),
    ("endpoint", "epoch"),
    ("endpoint", "failures"),
    ("endpoint", "failing_since"),
    ("endpoint", "failing_days"),
    ("endpoint", "last_failure_at"),
    ("endpoint", "last_success_at"),
    ("endpoint", "open_until"),
    ("setup", "keep_delivered"),
    ("setup", "keep_dead"),
];

pub fn run(data: &[u8]) {
    static SOUND: OnceLock<Vec<u8>> = OnceLock::new();
    let sound = SOUND.get_or_init(sound_queue);
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("queue.db"), sound).expect("a copy");
    if !spoil(folder.path().join("queue.db"), data) {
        return;
    }
    read_all(folder.path().to_owned());
}

/// Whether anything was put in.
fn spoil(path: PathBuf, mut data: &[u8]) -> bool {
    let connection = Connection::open(path).expect("the copy opens");
    let mut spoiled = false;
    while let [column, kind, length, rest @ ..] = data {
        let (value, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        data = rest;
        let mut number = [0; 8];
        number[..value.len().min(8)].copy_from_slice(&value[..value.len().min(8)]);
        let cell = match kind % 5 {
            0 => Cell::Text(String::from_utf8_lossy(value).into_owned()),
            1 => Cell::Blob(value.to_vec()),
            2 => Cell::Integer(i64::from_le_bytes(number)),
            3 => Cell::Real(f64::from_le_bytes(number)),
            _ => Cell::Null,
        };
        let (table, column) = COLUMNS[usize::from(*column) % COLUMNS.len()];
        // What a constraint refuses cannot be there.
        spoiled |= connection.execute(&format!("UPDATE {table} SET {column} = ?1"), [cell]).is_ok();
    }
    spoiled
}

fn read_all(folder: PathBuf) {
    let Ok(mut store) = Store::open(&folder, StoreOptions::default()) else { return };
    let clock = Arc::new(ManualClock::at(NOW + 1000));
    for site in ["", "2"] {
        let _ = (store.revision(site), store.paused(site), store.endpoint_states(site, NOW), store.stats(Some(site)));
    }
    let _ = store.stats(None);
    for delivery in store.deliveries(&Filter::default()).unwrap_or_default() {
        let _ = store.attempts(delivery.id);
    }
    let _ = store.accept(&[event("contact:1")], NOW + 1000);
    let (jobs, taken) = jobs::queue();
    let (ended, outcomes) = unbounded();
    let Ok(mut dispatcher) = Dispatcher::new(store, clock.clone(), 4, jobs, outcomes) else { return };
    for _ in 0..12 {
        if dispatcher.turn(Mode::Run).is_err() {
            break;
        }
        for job in taken.try_iter() {
            let _ = ended.send(attempt(job, &Fails, &*clock));
        }
        clock.advance(400_000);
    }
}

/// A queue with two sites, deliveries in every state, and attempts.
fn sound_queue() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(folder.path(), StoreOptions::default()).expect("a new queue");
    let settings = json!({"id": "a", "url": "https://a.example/", "secret": "s", "schedule": [1, 1], "circuit_breaker": true, "site": ""});
    let endpoint = Endpoint::from_json(&settings).expect("an endpoint");
    store.configure("", &[endpoint], Some(1), 0).expect("endpoints");
    store.configure("2", &[], Some(1), 0).expect("endpoints");
    store.accept(&[event("contact:1"), event("contact:2"), event("")], NOW).expect("events");
    drop(store);
    read_all(folder.path().to_owned());
    let store = Store::open(folder.path(), StoreOptions::default()).expect("the queue again");
    drop(store);
    let connection = Connection::open(folder.path().join("queue.db")).expect("the queue");
    connection.execute_batch("UPDATE delivery SET state = state; PRAGMA wal_checkpoint(TRUNCATE)").expect("one file");
    drop(connection);
    fs::read(folder.path().join("queue.db")).expect("its bytes")
}

fn event(record: &str) -> NewEvent {
    let context = json!({"record": record, "user": {"id": 1}, "site_url": "https://b.example"});
    NewEvent::new("contact.created", &json!({"contact_id": 7}), &context, 1 << 20).expect("an event")
}

/// A receiver that answers 500.
struct Fails;

impl Transport for Fails {
    fn send(&self, _: &Endpoint, _: &[(String, String)], _: &str) -> Exchange {
        let headers = vec![("server".to_owned(), "x".to_owned())];
        let result = Ok(Answer { status: 500, headers, body: b"no".to_vec(), truncated: false });
        Exchange { started_at: NOW, duration: Duration::from_millis(1), timings: Timings::default(), result }
    }
}
