//! Sending settled deliveries again, and ending those that wait.

use posthorn::error::Error;
use posthorn::store::{DeliveryRow, Filter, State, Stats, StoreOptions};
use serde_json::json;

use crate::rig::{DAY, HOUR, OK, Queue, Reply, SECOND, START, endpoint};

fn of(record: &str) -> Filter {
    Filter { record: Some(record.to_owned()), ..Filter::default() }
}

fn in_state(state: State) -> Filter {
    Filter { state: Some(state), ..Filter::default() }
}

/// Everything about these records fails until it is dead; everything else arrives.
fn dead(queue: &Queue, records: &[&str]) {
    queue.accept(records);
    let mut sending = queue.send();
    for _ in 0..3 {
        sending.run(
            |job| {
                if records.contains(&job.due.event.context.record.as_str()) { Reply::Status(500) } else { OK }
            },
        );
        queue.clock.advance(300 * SECOND);
    }
    records.iter().for_each(|record| assert_eq!(queue.state(record), State::Dead));
}

fn counts(stats: &Stats) -> (i64, i64, i64, i64) {
    (stats.pending, stats.delivered, stats.dead, stats.cancelled)
}

fn refused(result: posthorn::error::Result<usize>, rule: &str) {
    let Err(Error::InvalidArgument { key, message }) = result else { panic!("{rule}: {result:?}") };
    assert!(key.starts_with("filter") && message.contains(rule), "{key}: {message}");
}

#[test]
fn a_dead_delivery_is_sent_again_with_the_same_body_a_fresh_schedule_and_the_next_number() {
    let queue = Queue::with(json!([endpoint("crm", json!({}))]));
    queue.accept(&["contact:bystander"]);
    dead(&queue, &["contact:1", "contact:2"]);
    let mut sending = queue.send();
    sending.run(|_| panic!("nothing is due"));
    assert_eq!(queue.store().replay(&of("contact:1"), queue.now()).unwrap(), 1);
    assert_eq!(counts(&queue.stats()), (1, 1, 1, 0));
    let row = queue.delivery("contact:1");
    assert_eq!((row.state, row.attempts, row.next_attempt_at), (State::Pending, 3, Some(queue.now())));
    // The same dispatcher notices, without the clock.
    for _ in 0..3 {
        sending.run(|_| Reply::Status(500));
        assert_eq!(queue.state("contact:1") == State::Dead, sending.sent.len() == 3);
        queue.clock.advance(300 * SECOND);
    }
    let numbers: Vec<&str> = sending.sent.iter().map(|sent| sent.header("Webhook-Attempt")).collect();
    assert_eq!(numbers, ["4", "5", "6"]);
    assert!(sending.sent.windows(2).all(|pair| pair[0].body == pair[1].body));
    assert_eq!(queue.log("contact:1").len(), 6);
    assert_eq!(queue.delivery("contact:1").attempts, 6);

    queue.store().replay(&of("contact:1"), queue.now()).unwrap();
    sending.run(|_| OK);
    assert_eq!(counts(&queue.stats()), (0, 2, 1, 0));
    assert_eq!(queue.state("contact:2"), State::Dead);
}

#[test]
fn the_age_of_a_replayed_delivery_counts_from_its_replay() {
    let queue = Queue::with(json!([endpoint("crm", json!({}))]));
    dead(&queue, &["contact:1"]);
    queue.clock.advance(60 * DAY);
    queue.store().replay(&of("contact:1"), queue.now()).unwrap();
    // Nothing of it counts as having waited for sixty days.
    let oldest = queue.stats().oldest_pending_at.unwrap();
    assert_eq!(oldest, queue.now());
    let mut store = queue.store_with(StoreOptions { sends: false, ..StoreOptions::default() });
    store.accept(&[crate::rig::event("contact.updated", "", "contact:2")], queue.now()).unwrap();
    let mut sending = queue.send();
    sending.run(|job| if job.due.event.context.record == "contact:1" { Reply::Status(500) } else { OK });
    assert_eq!(queue.state("contact:1"), State::Pending);
    queue.clock.advance(300 * SECOND);
    sending.run(|_| OK);
    assert_eq!(queue.state("contact:1"), State::Delivered);
}

#[test]
fn a_replay_whose_receiver_stays_away_dies_of_its_age() {
    let queue = Queue::with(json!([endpoint("crm", json!({"schedule": [86_400, 86_400, 86_400, 86_400]}))]));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    for day in 0..4 {
        sending.run(|_| Reply::Status(500));
        assert_eq!(queue.state("contact:1") == State::Dead, day == 3, "{day}");
        queue.clock.advance(DAY);
    }
    queue.store().replay(&of("contact:1"), queue.now()).unwrap();
    for day in 0..4 {
        sending.run(|_| Reply::Status(500));
        assert_eq!(queue.state("contact:1") == State::Dead, day == 3, "after the replay, {day}");
        queue.clock.advance(DAY);
    }
}

#[test]
fn what_a_filter_does_not_name_is_left_alone() {
    let mut queue = Queue::with(json!([endpoint("crm", json!({})), endpoint("other", json!({}))]));
    queue.configure("2", json!([endpoint("crm", json!({}))]));
    queue.accept(&["contact:1"]);
    queue.accept_at("2", &["contact:1"]);
    let mut sending = queue.send();
    for _ in 0..3 {
        sending.run(|_| Reply::Status(500));
        queue.clock.advance(300 * SECOND);
    }
    assert_eq!(counts(&queue.stats()), (0, 0, 3, 0));
    let filter = Filter { endpoint: Some("crm".to_owned()), site: Some(String::new()), ..Filter::default() };
    assert_eq!(queue.store().replay(&filter, queue.now()).unwrap(), 1);
    let waits = |row: &DeliveryRow| row.state == State::Pending;
    let rows = queue.deliveries();
    assert!(rows.iter().all(|row| waits(row) == (row.site.is_empty() && row.endpoint == "crm")), "{rows:?}");
    assert_eq!(counts(&queue.store().stats(Some("2")).unwrap()), (0, 0, 1, 0));
    let before = Filter { until: Some(START), ..Filter::default() };
    assert_eq!(queue.store().replay(&before, queue.now()).unwrap(), 0);
}

#[test]
fn delivered_and_cancelled_ones_are_sent_again_if_their_state_or_id_is_named() {
    let queue = Queue::with(json!([endpoint("crm", json!({}))]));
    queue.accept(&["contact:1", "contact:2"]);
    queue.send().run(|_| OK);
    queue.accept(&["contact:3"]);
    assert_eq!(queue.store().cancel(&of("contact:3"), queue.now()).unwrap(), 1);
    for record in ["contact:1", "contact:3"] {
        assert_eq!(queue.store().replay(&of(record), queue.now()).unwrap(), 0);
    }
    let id = Some(queue.delivery("contact:1").id);
    assert_eq!(queue.store().replay(&Filter { id, ..Filter::default() }, queue.now()).unwrap(), 1);
    // It is pending now, and no other one is.
    assert_eq!(queue.store().replay(&Filter { id, ..Filter::default() }, queue.now()).unwrap(), 0);
    assert_eq!(counts(&queue.stats()), (1, 1, 0, 1));
    assert_eq!(queue.store().replay(&in_state(State::Cancelled), queue.now()).unwrap(), 1);
    assert_eq!(queue.store().replay(&in_state(State::Delivered), queue.now()).unwrap(), 1);
    let mut sending = queue.send();
    sending.run(|_| OK);
    let mut numbers: Vec<String> =
        sending.sent.iter().map(|sent| format!("{} {}", sent.record, sent.header("Webhook-Attempt"))).collect();
    numbers.sort();
    assert_eq!(numbers, ["contact:1 2", "contact:2 2", "contact:3 1"]);
    assert_eq!(counts(&queue.stats()), (0, 3, 0, 0));
}

#[test]
fn a_filter_that_selects_everything_or_the_wrong_state_is_refused() {
    let queue = Queue::with(json!([endpoint("crm", json!({}))]));
    queue.accept(&["contact:1"]);
    let mut store = queue.store();
    for nothing in [Filter::default(), Filter { limit: Some(5), ..Filter::default() }] {
        refused(store.replay(&nothing, START), "name at least one of id");
        refused(store.cancel(&nothing, START), "name at least one of id");
    }
    refused(store.replay(&in_state(State::Pending), START), "going to be sent anyway");
    for state in [State::Dead, State::Delivered, State::Cancelled] {
        refused(store.cancel(&in_state(state), START), "only what is pending");
    }
    assert_eq!(queue.stats().pending, 1);
}

#[test]
fn a_limit_takes_the_newest() {
    let queue = Queue::with(json!([endpoint("crm", json!({}))]));
    dead(&queue, &["contact:1", "contact:2", "contact:3"]);
    let filter = Filter { limit: Some(2), ..in_state(State::Dead) };
    let shown: Vec<String> = queue.store().deliveries(&filter).unwrap().into_iter().map(|row| row.record).collect();
    assert_eq!(queue.store().replay(&filter, queue.now()).unwrap(), 2);
    let mut sending = queue.send();
    sending.run(|_| OK);
    let mut sent = sending.records();
    sent.reverse();
    assert_eq!(sent, shown);
    assert_eq!(queue.stats().dead, 1);
}

#[test]
fn a_replay_neither_waits_for_its_record_nor_holds_it_up() {
    let queue = Queue::with(json!([endpoint("crm", json!({"ordered": true}))]));
    dead(&queue, &["contact:1"]);
    queue.store().replay(&of("contact:1"), queue.now()).unwrap();
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    // It has failed and waits; later events of the record do not wait for it.
    queue.accept(&["contact:1", "contact:1"]);
    assert_eq!(queue.store().waiting(queue.now()).unwrap()[0].due, 2);
    sending.turn();
    assert_eq!(sending.flying(), ["contact:1"]);
    // One is under way: the replay is due and goes beside it, the third goes when the second has arrived.
    queue.clock.advance(300 * SECOND);
    sending.turn();
    let mut numbers: Vec<(i64, u32)> =
        sending.in_flight.iter().map(|job| (job.due.event.seq, job.due.attempts + 1)).collect();
    numbers.sort();
    assert_eq!(numbers, [(1, 5), (2, 1)]);
    let replayed = sending.in_flight.iter().position(|job| job.due.event.seq == 1).unwrap();
    let job = sending.in_flight.remove(replayed);
    sending.finish(job, Reply::Status(500));
    sending.turn();
    assert_eq!(sending.in_flight.iter().map(|job| job.due.event.seq).collect::<Vec<_>>(), [2]);
    sending.run(|_| OK);
    queue.clock.advance(300 * SECOND);
    sending.run(|_| OK);
    assert_eq!(queue.stats().delivered, 3);
    // A dispatcher that takes over knows it too.
    dead(&queue, &["contact:2"]);
    queue.store().replay(&of("contact:2"), queue.now()).unwrap();
    queue.send().run(|_| Reply::Status(500));
    queue.accept(&["contact:2"]);
    let mut next = queue.send();
    next.turn();
    assert_eq!(next.flying(), ["contact:2"]);
}

#[test]
fn what_belongs_to_a_removed_endpoint_is_not_replayed() {
    let mut queue = Queue::with(json!([endpoint("crm", json!({})), endpoint("gone", json!({}))]));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    for _ in 0..3 {
        sending.run(|_| Reply::Status(500));
        queue.clock.advance(300 * SECOND);
    }
    queue.configure("", json!([endpoint("crm", json!({}))]));
    assert_eq!(queue.store().replay(&in_state(State::Dead), queue.now()).unwrap(), 1);
    assert_eq!(counts(&queue.stats()), (1, 0, 1, 0));
}

#[test]
fn what_is_cancelled_is_not_sent_though_a_dispatcher_has_it_in_memory() {
    let queue = Queue::with(json!([endpoint("crm", json!({"max_concurrency": 1}))]));
    queue.accept(&["contact:1", "contact:2", "contact:3"]);
    let mut sending = queue.send();
    sending.turn();
    assert_eq!(sending.flying(), ["contact:1"]);
    assert_eq!(queue.store().cancel(&of("contact:2"), queue.now()).unwrap(), 1);
    sending.run(|_| OK);
    assert_eq!(sending.records(), ["contact:1", "contact:3"]);
    let row = queue.delivery("contact:2");
    assert_eq!((row.state, row.attempts, row.settled_at), (State::Cancelled, 0, Some(START)));
    assert_eq!(row.last_error.as_deref(), Some("cancelled by the owner"));
    assert_eq!(counts(&queue.stats()), (0, 2, 0, 1));
}

#[test]
fn a_request_that_was_under_way_is_logged_and_its_cancelled_delivery_says_so() {
    let queue = Queue::with(json!([endpoint("crm", json!({}))]));
    queue.accept(&["contact:1", "contact:2", "contact:3"]);
    let mut sending = queue.send();
    sending.turn();
    let event = Filter { event: Some("contact.updated".to_owned()), ..of("contact:1") };
    assert_eq!(queue.store().cancel(&event, queue.now()).unwrap(), 1);
    assert_eq!(queue.store().cancel(&of("contact:2"), queue.now()).unwrap(), 1);
    sending.run(|job| if job.due.event.context.record == "contact:2" { Reply::Status(500) } else { OK });
    queue.clock.advance(HOUR);
    sending.run(|_| panic!("neither is tried again"));
    for (record, status) in [("contact:1", 200), ("contact:2", 500)] {
        let row = queue.delivery(record);
        assert_eq!((row.state, row.last_status), (State::Cancelled, Some(status)));
        assert!(row.last_error.unwrap().contains("under way"));
        assert_eq!(queue.log(record), [(1, Some(status))]);
    }
    assert_eq!(counts(&queue.stats()), (0, 1, 0, 2));
}

#[test]
fn an_ordered_record_goes_on_when_what_it_waited_for_is_cancelled() {
    let queue = Queue::with(json!([endpoint("crm", json!({"ordered": true}))]));
    queue.accept(&["contact:1", "contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    assert_eq!(sending.sent.len(), 1);
    let first = queue.deliveries().into_iter().find(|row| row.attempts == 1).unwrap().id;
    assert_eq!(queue.store().cancel(&Filter { id: Some(first), ..Filter::default() }, queue.now()).unwrap(), 1);
    sending.run(|_| OK);
    assert_eq!(counts(&queue.stats()), (0, 1, 0, 1));
}

#[test]
fn thousands_that_nobody_has_expanded_are_cancelled_and_replayed() {
    let queue = Queue::with(json!([endpoint("crm", json!({}))]));
    queue.accept_many(12_000);
    let site = Filter { site: Some(String::new()), ..Filter::default() };
    assert_eq!(queue.store().cancel(&site, queue.now()).unwrap(), 12_000);
    assert_eq!(counts(&queue.stats()), (0, 0, 0, 12_000));
    let cancelled = Filter { state: Some(State::Cancelled), ..site.clone() };
    assert_eq!(queue.store().replay(&cancelled, queue.now()).unwrap(), 12_000);
    assert_eq!(queue.store().replay(&cancelled, queue.now()).unwrap(), 0);
    let mut sending = queue.send();
    sending.run(|_| OK);
    let sequences: Vec<i64> =
        sending.sent.iter().map(|sent| sent.header("Webhook-Sequence").parse().unwrap()).collect();
    assert!(sequences.len() == 12_000 && sequences.is_sorted(), "the oldest first");
}
