//! What `accept` promises: durable, all or nothing, matched at that moment.

use posthorn::error::Error;
use posthorn::event::EventId;
use posthorn::store::{State, Store, StoreOptions, SyncMode};
use serde_json::json;

use crate::rig::{Queue, START, endpoint, endpoints, event};

fn two_endpoints() -> serde_json::Value {
    json!([endpoint("all", json!({})), endpoint("deals", json!({"events": ["deal.*"]}))])
}

#[test]
fn what_was_accepted_is_there_for_the_next_process_though_nothing_was_closed() {
    let queue = Queue::with(two_endpoints());
    let mut store = queue.store();
    let accepted = store.accept(&[event("deal.won", "", "deal:1")], START).unwrap();
    // A killed process closes nothing, so its log is never written back.
    std::mem::forget(store);
    let rows = queue.deliveries();
    assert_eq!(accepted[0].deliveries, 2);
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.event_id == accepted[0].id && row.state == State::Pending));
    assert!(rows.iter().all(|row| row.created_at == START && row.next_attempt_at == Some(START)));
}

#[test]
fn every_sync_mode_accepts() {
    let queue = Queue::with(two_endpoints());
    let mut full = queue.store_with(StoreOptions { sync: SyncMode::Full, ..StoreOptions::default() });
    full.accept(&[event("deal.won", "", "deal:1")], START).unwrap();
    std::mem::forget(full);
    assert_eq!(queue.stats().pending, 2);
}

#[test]
fn a_transaction_that_fails_midway_stores_none_of_its_events() {
    let queue = Queue::with(two_endpoints());
    queue.accept(&["contact:1"]);
    let raw = queue.raw();
    raw.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON event WHEN new.record = 'contact:4'
         BEGIN SELECT raise(ABORT, 'no room'); END",
    )
    .unwrap();
    let events: Vec<_> = (2..=5).map(|n| event("contact.updated", "", &format!("contact:{n}"))).collect();
    let mut store = queue.store();
    assert!(matches!(store.accept(&events, START), Err(Error::Unavailable { .. })));
    assert_eq!(queue.deliveries().len(), 1);
    // The same store goes on once the cause is gone.
    raw.execute_batch("DROP TRIGGER full").unwrap();
    store.accept(&events, START).unwrap();
    assert_eq!(queue.deliveries().len(), 5);
}

#[test]
fn an_empty_list_is_accepted_as_nothing() {
    let queue = Queue::with(two_endpoints());
    assert!(queue.store().accept(&[], START).unwrap().is_empty());
}

#[test]
fn an_event_goes_to_the_endpoints_that_subscribe_to_it_when_it_is_accepted() {
    let mut queue = Queue::with(two_endpoints());
    let mut page = queue.store();
    assert_eq!(page.accept(&[event("contact.updated", "", "contact:1")], START).unwrap()[0].deliveries, 1);
    // Another process saves settings; the page's store has its endpoints in memory.
    queue.configure(
        "",
        json!([endpoint("late", json!({})), endpoint("all", json!({})), endpoint("off", json!({"enabled": false}))]),
    );
    let accepted =
        page.accept(&[event("contact.updated", "", "contact:2"), event("deal.won", "", "deal:1")], START).unwrap();
    assert_eq!(accepted.iter().map(|one| one.deliveries).collect::<Vec<_>>(), [2, 2]);
    let mut ends: Vec<String> =
        queue.deliveries().into_iter().filter(|row| row.record == "deal:1").map(|row| row.endpoint).collect();
    ends.sort();
    assert_eq!(ends, ["all", "late"]);
    // What was accepted before is not sent to a receiver that came later.
    assert_eq!(queue.delivery("contact:1").endpoint, "all");
}

#[test]
fn an_event_that_nobody_wants_has_an_id_and_no_delivery() {
    let queue = Queue::with(json!([endpoint("deals", json!({"events": ["deal.*"]}))]));
    let accepted = queue.accept(&["contact:1"]);
    assert_eq!(accepted[0].deliveries, 0);
    assert_eq!(queue.stats().pending, 0);
}

#[test]
fn the_sequence_rises_with_acceptance_whichever_process_accepts() {
    let queue = Queue::with(json!([endpoint("all", json!({}))]));
    let (mut one, mut two) = (queue.store(), queue.store());
    for number in 0..10 {
        let store = if number % 3 == 0 { &mut one } else { &mut two };
        store.accept(&[event("contact.updated", "", &format!("contact:{number}"))], START + number).unwrap();
    }
    let mut rows = queue.deliveries();
    rows.sort_by_key(|row| row.created_at);
    let mut store = queue.store();
    let sequences: Vec<i64> = rows.iter().map(|row| store.attempts(row.id).unwrap().unwrap().0.seq).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "{sequences:?}");
}

#[test]
fn an_event_keeps_all_that_its_body_needs() {
    let queue = Queue::with(json!([endpoint("all", json!({}))]));
    let context = json!({"record": "deal:1", "user": {"id": 3}, "site_url": "https://shop.example",
        "occurred_at": "2026-01-02T03:04:05Z", "changes": ["stage"]});
    let new = posthorn::event::NewEvent::new("deal.won", &json!({"b": 1, "a": "é"}), &context, 1 << 20).unwrap();
    let accepted = queue.store().accept(std::slice::from_ref(&new), START).unwrap();
    let (stored, attempts) = queue.store().attempts(queue.delivery("deal:1").id).unwrap().unwrap();
    assert_eq!((stored.id, &stored.name, &stored.data), (accepted[0].id, &new.name.to_owned(), &new.data));
    assert_eq!(stored.context, new.context);
    assert_eq!(stored.accepted_at, START);
    assert!(attempts.is_empty());
}

#[test]
fn a_full_queue_refuses_by_its_own_error_and_accepts_again_with_room() {
    let queue = Queue::with(json!([endpoint("all", json!({}))]));
    let mut store = queue.store_with(StoreOptions { max_bytes: 1024, ..StoreOptions::default() });
    let error = store.accept(&[event("contact.updated", "", "contact:1")], START).unwrap_err();
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("1024"), "{error}");
    assert_eq!(queue.stats().pending, 0);
    let mut store = queue.store();
    store.accept(&[event("contact.updated", "", "contact:1")], START).unwrap();
}

#[test]
fn ids_are_unique_and_sort_by_the_time_of_acceptance() {
    let queue = Queue::with(json!([endpoint("all", json!({}))]));
    let mut store = queue.store();
    let mut ids: Vec<EventId> = Vec::new();
    for at in 0..50 {
        let events: Vec<_> = (0..4).map(|_| event("contact.updated", "", "")).collect();
        ids.extend(store.accept(&events, START + at).unwrap().iter().map(|one| one.id));
    }
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 200);
    assert!(ids.chunks(4).collect::<Vec<_>>().windows(2).all(|pair| pair[0].iter().max() < pair[1].iter().min()));
}

#[test]
fn processes_that_accept_at_once_lose_nothing_and_repeat_nothing() {
    let queue = Queue::with(json!([endpoint("all", json!({}))]));
    std::thread::scope(|scope| {
        for process in 0..4 {
            let queue = &queue;
            scope.spawn(move || {
                let mut store = queue.store();
                for number in 0..100 {
                    store.accept(&[event("contact.updated", "", &format!("{process}:{number}"))], START).unwrap();
                    if number % 10 == 0 {
                        // Expanding from everywhere at once makes each delivery once.
                        store.stats(None).unwrap();
                    }
                }
            });
        }
    });
    let rows = queue.deliveries();
    let mut records: Vec<&str> = rows.iter().map(|row| row.record.as_str()).collect();
    records.sort();
    records.dedup();
    assert_eq!((rows.len(), records.len(), queue.stats().pending), (400, 400, 400));
}

#[test]
fn a_queue_whose_lock_is_held_for_ever_is_unavailable_and_says_what_to_do() {
    let queue = Queue::with(json!([endpoint("all", json!({}))]));
    let raw = queue.raw();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = queue.store().accept(&[event("contact.updated", "", "contact:1")], START).unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }));
    assert!(error.to_string().contains("another program holds the queue's lock"), "{error}");
    raw.execute_batch("COMMIT").unwrap();
    queue.accept(&["contact:1"]);
    assert_eq!(queue.deliveries().len(), 1);
}

#[test]
fn a_store_without_a_directory_names_it() {
    let queue = Queue::new();
    let missing = queue.directory().join("missing");
    let error = Store::open(&missing, StoreOptions::default()).err().unwrap();
    assert!(error.to_string().contains("missing"), "{error}");
    let _ = endpoints(json!([]));
}
