//! When a queue accepts nothing more, and how long it keeps what is over.

use posthorn::clock::Millis;
use posthorn::error::Error;
use posthorn::store::{Store, StoreOptions};
use serde_json::json;

use crate::rig::{DAY, HOUR, OK, Queue, Reply, SECOND, START, endpoint, event};

fn refusal(store: &mut Store, now: Millis) -> String {
    match store.accept(&[event("contact.updated", "", "contact:late")], now) {
        Err(Error::Full { message }) => message,
        other => panic!("{other:?}"),
    }
}

fn accepts(store: &mut Store, now: Millis) {
    store.accept(&[event("contact.updated", "", "contact:late")], now).unwrap();
}

#[test]
fn a_queue_that_nobody_has_sent_for_a_month_accepts_nothing_and_says_what_to_do() {
    let queue = Queue::with(json!([endpoint("all", json!({}))]));
    queue.accept(&["contact:1"]);
    accepts(&mut queue.store(), START + 30 * DAY);
    let message = refusal(&mut queue.store(), START + 30 * DAY + 1);
    for part in ["30 days", "max_pending_age", "wp posthorn work"] {
        assert!(message.contains(part), "{message}");
    }
    // The same when somebody has looked at the list, and so expanded it.
    assert_eq!(queue.stats().pending, 2);
    refusal(&mut queue.store(), START + 31 * DAY);
}

#[test]
fn an_endpoint_whose_deliveries_may_be_older_lifts_the_limit_of_age() {
    let queue =
        Queue::with(json!([endpoint("patient", json!({"max_age": 90 * 86_400})), endpoint("other", json!({}))]));
    queue.accept(&["contact:1"]);
    accepts(&mut queue.store(), START + 90 * DAY);
    assert!(refusal(&mut queue.store(), START + 91 * DAY).contains("90 days"));
}

#[test]
fn a_limit_of_age_that_is_set_holds_whatever_the_endpoints_say() {
    let queue = Queue::with(json!([endpoint("patient", json!({"max_age": 90 * 86_400}))]));
    queue.accept(&["contact:1"]);
    let options = StoreOptions { max_pending_age: Some(HOUR), ..StoreOptions::default() };
    accepts(&mut queue.store_with(options), START + HOUR);
    assert!(refusal(&mut queue.store_with(options), START + HOUR + 1).contains("60 minutes"));
}

#[test]
fn what_waits_for_a_further_attempt_counts_too_and_what_has_arrived_or_goes_to_nobody_does_not() {
    let queue = Queue::with(json!([endpoint("deals", json!({"events": ["deal.*"]}))]));
    let mut store = queue.store();
    store.accept(&[event("contact.updated", "", "contact:1"), event("deal.won", "", "deal:1")], START).unwrap();
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    let options = StoreOptions { max_pending_age: Some(100 * SECOND), ..StoreOptions::default() };
    refusal(&mut queue.store_with(options), START + 101 * SECOND);
    queue.clock.advance(HOUR);
    sending.run(|_| OK);
    assert_eq!(queue.stats().delivered, 1);
    accepts(&mut queue.store_with(options), queue.now());
    // That went to nobody, and is not expanded.
    accepts(&mut queue.store_with(options), queue.now() + DAY);
}

#[test]
fn a_process_that_sends_by_itself_is_given_a_second_to_do_so() {
    let queue = Queue::with(json!([endpoint("all", json!({}))]));
    queue.accept(&["contact:1"]);
    let options = StoreOptions { sends: true, ..StoreOptions::default() };
    let mut store = queue.store_with(options);
    accepts(&mut store, START + 40 * DAY);
    std::thread::sleep(std::time::Duration::from_millis(1050));
    refusal(&mut store, START + 40 * DAY);
    // It does, and what was too old is over.
    queue.clock.advance(40 * DAY);
    queue.send().run(|_| OK);
    accepts(&mut store, START + 40 * DAY);
}

#[test]
fn how_long_is_kept_is_what_was_set_last_whoever_sends() {
    let mut queue = Queue::with(json!([endpoint("a", json!({"schedule": []}))]));
    let mut sending = queue.send();
    queue.accept(&["contact:1", "contact:2"]);
    sending.run(|job| if job.due.event.context.record == "contact:2" { Reply::Status(500) } else { OK });
    let kept = |queue: &Queue| (queue.stats().delivered, queue.stats().dead);
    queue.store_with(StoreOptions { keep_delivered: Some(20 * DAY), ..StoreOptions::default() });
    queue.clock.advance(19 * DAY);
    // The last event is never forgotten, so that its number is not given again.
    queue.accept(&["contact:3"]);
    sending.run(|_| OK);
    assert_eq!(kept(&queue), (2, 1));
    // Who says nothing changes nothing, and so does a saved setting.
    queue.store();
    queue.configure("", json!([endpoint("a", json!({"schedule": []}))]));
    queue.clock.advance(2 * DAY);
    sending.forget();
    assert_eq!(kept(&queue), (1, 1));
    // A running dispatcher notices; dead letters may go before those that arrived.
    queue.store_with(StoreOptions { keep_dead: Some(DAY), ..StoreOptions::default() });
    sending.forget();
    assert_eq!(kept(&queue), (1, 0));
}

#[test]
fn nobody_waits_for_it_to_be_found_out_that_there_is_nothing_to_forget() {
    let queue = Queue::with(json!([endpoint("a", json!({"schedule": []}))]));
    let mut sending = queue.send();
    queue.accept_many(500);
    sending.run(|job| if job.due.event.seq < 250 { Reply::Status(500) } else { OK });
    // Nothing is old enough; later the dead, which are kept for longer, are older than what has arrived may become.
    for wait in [6 * DAY, 2 * DAY] {
        queue.clock.advance(wait);
        let page = queue.raw();
        if wait == 2 * DAY {
            sending.forget();
            assert_eq!((queue.stats().delivered, queue.stats().dead), (1, 249));
            queue.clock.advance(2 * HOUR);
        }
        page.execute_batch("BEGIN IMMEDIATE").unwrap();
        sending.forget();
    }
}

#[test]
fn what_was_accepted_while_the_clock_was_ahead_hides_nothing_that_is_old() {
    let queue = Queue::with(json!([endpoint("a", json!({}))]));
    let mut sending = queue.send();
    queue.clock.advance(4000 * DAY);
    queue.accept_many(500);
    sending.run(|_| OK);
    queue.clock.advance(-4000 * DAY);
    queue.accept(&["contact:old", "contact:last"]);
    sending.run(|_| OK);
    queue.clock.advance(8 * DAY);
    sending.forget();
    assert_eq!(queue.stats().delivered, 501);
}

#[test]
fn what_was_delivered_makes_room_before_anything_is_refused() {
    const LIMIT: u64 = 1 << 20;
    let limited = StoreOptions { max_bytes: LIMIT, ..StoreOptions::default() };
    let queue = Queue::with(json!([endpoint("a", json!({"schedule": []}))]));
    let mut store = queue.store_with(limited);
    let mut sending = queue.send_from(queue.store_with(limited), 32);
    let mut accepted = 0;
    for round in 0..30 {
        for record in 0..200 {
            accepted += 1;
            store.accept(&[event("contact.updated", "", &format!("contact:{round}-{record}"))], queue.now()).unwrap();
        }
        sending.run(|job| if job.due.event.seq <= 10 { Reply::Status(500) } else { OK });
        queue.clock.advance(SECOND);
        sending.forget();
    }
    let stats = queue.stats();
    assert!(stats.used_bytes < LIMIT && stats.bytes > LIMIT, "{stats:?}");
    // Of the log as much as there is room for, and all dead letters.
    assert_eq!((stats.pending, stats.dead), (0, 10));
    assert!(stats.delivered > 500 && stats.delivered < accepted - 10, "{stats:?} of {accepted}");
}

#[test]
fn a_process_looks_at_the_limit_again_after_a_share_of_it_however_fast_it_is() {
    const LIMIT: u64 = 1 << 20;
    let queue = Queue::with(json!([endpoint("a", json!({}))]));
    let mut store = queue.store_with(StoreOptions { max_bytes: LIMIT, ..StoreOptions::default() });
    let full = (0..20_000).find_map(|number| {
        store.accept(&[event("contact.updated", "", &format!("contact:{number}"))], queue.now()).err()
    });
    let Some(Error::Full { message }) = full else { panic!("{full:?}") };
    let used: u64 = message.split(' ').find_map(|word| word.parse().ok()).unwrap();
    assert!(message.contains(&format!("its limit is {LIMIT}")) && used < LIMIT * 5 / 4, "{message}");
}
