//! A queue file of an earlier version is brought up to date where it is, with all that is in it.

use posthorn::store::State;
use rusqlite::Connection;
use serde_json::json;

use crate::rig::{OK, Queue, Reply, SECOND, START, endpoint, endpoints};

/// A file as version 1 of the schema made it: one endpoint that is paused, one that is suspended, three events of which two
/// have been expanded.
fn old_file(path: &std::path::Path) {
    let old = Connection::open(path).unwrap();
    old.execute_batch(include_str!("../../src/store/migrations/0001.sql")).unwrap();
    old.execute_batch("PRAGMA application_id = 0x504f5354; PRAGMA user_version = 1").unwrap();
    // As version 1 wrote it: without the keys that came later.
    let settings = |id: &str| {
        let list = endpoints(json!([endpoint(id, json!({"secret": "s3cret"}))]));
        let mut stored = list[0].to_stored_json();
        for later in ["preset", "schedule_jitter", "max_body_bytes"] {
            stored.as_object_mut().unwrap().remove(later).unwrap();
        }
        stored.to_string()
    };
    old.execute("INSERT INTO site VALUES ('', 7, 0)", []).unwrap();
    for (key, id, suspended, paused_until) in
        [(1, "crm", None, START + 60 * SECOND), (2, "gone", Some("the receiver answered 410 Gone"), 0)]
    {
        old.execute(
            "INSERT INTO endpoint (key, site, id, url, settings, suspended, paused_until, throttled)
             VALUES (?1, '', ?2, ?3, ?4, ?5, ?6, 3)",
            (key, id, format!("https://{id}.example/in"), settings(id), suspended, paused_until),
        )
        .unwrap();
    }
}

#[test]
fn a_file_of_version_1_keeps_its_endpoints_their_standing_and_what_waits() {
    let queue = Queue::new();
    // The events and deliveries of a real one.
    {
        let mut newer = Queue::new();
        newer.configure("", json!([endpoint("crm", json!({})), endpoint("gone", json!({}))]));
        newer.accept(&["contact:1", "contact:2"]);
        let mut sending = newer.send();
        sending.run(|job| if job.endpoint.id == "gone" { Reply::Hangs } else { Reply::Status(500) });
        drop(sending);
        newer.accept(&["contact:3"]);
        let path = queue.directory().join("queue.db");
        old_file(&path);
        let old = Connection::open(&path).unwrap();
        old.execute("ATTACH ?1 AS newer", [newer.directory().join("queue.db").to_str().unwrap()]).unwrap();
        for table in ["event", "delivery", "attempt", "tally"] {
            let columns: String = old
                .query_row("SELECT group_concat(name) FROM pragma_table_info(?1, 'main')", [table], |row| row.get(0))
                .unwrap();
            old.execute(&format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}"), [])
                .unwrap();
        }
        old.execute("UPDATE main.setup SET expanded = (SELECT expanded FROM newer.setup)", []).unwrap();
    }
    let states = queue.store().endpoint_states("", queue.now()).unwrap();
    assert_eq!(states.len(), 2);
    assert_eq!(states[0].paused_until, Some(START + 60 * SECOND));
    assert!(states[1].suspended.as_deref().unwrap().contains("410"));
    assert_eq!((states[0].failures, states[0].failing_since, states[0].last_success_at), (0, None, None));
    assert_eq!(queue.store().revision("").unwrap(), Some(7));
    assert_eq!(queue.stats().pending, 6);

    let mut sending = queue.send();
    sending.run(|_| panic!("the one is paused and the other suspended"));
    queue.clock.advance(300 * SECOND);
    sending.run(|_| OK);
    assert!(sending.sent.iter().all(|sent| sent.endpoint == "crm" && !sent.header("X-CRM-Signature").is_empty()));
    let attempts: Vec<&str> = sending.sent.iter().map(|sent| sent.header("Webhook-Attempt")).collect();
    assert_eq!((attempts.len(), attempts.iter().filter(|attempt| **attempt == "2").count()), (3, 2));
    let arrived = queue.deliveries().into_iter().filter(|row| row.state == State::Delivered);
    assert!(arrived.clone().all(|row| row.endpoint == "crm") && arrived.count() == 3);
    assert_eq!(queue.store().endpoint_states("", queue.now()).unwrap()[0].last_success_at, Some(queue.now()));
}

#[test]
fn many_processes_may_bring_it_up_to_date_at_once() {
    let queue = Queue::new();
    old_file(&queue.directory().join("queue.db"));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(queue.store().endpoint_states("", queue.now()).unwrap().len(), 2));
        }
    });
}
