//! Events about one record: one request at a time, in the order of acceptance.

use posthorn::store::State;
use serde_json::{Value, json};

use crate::rig::{MINUTE, OK, Queue, Reply, SECOND, endpoint};

fn one(more: Value) -> Queue {
    Queue::with(json!([endpoint("crm", more)]))
}

#[test]
fn a_record_has_one_request_in_flight() {
    let queue = one(json!({}));
    queue.accept(&["contact:1", "contact:1", "contact:2", "contact:1"]);
    let mut sending = queue.send();
    sending.turn();
    assert_eq!(sending.flying(), ["contact:1", "contact:2"]);
    sending.finish_record("contact:2", OK);
    sending.turn();
    assert_eq!(sending.flying(), ["contact:1"]);
    sending.finish_record("contact:1", OK);
    sending.turn();
    assert_eq!(sending.flying(), ["contact:1"]);
    sending.run(|_| OK);
    assert_eq!(queue.stats().delivered, 4);
}

#[test]
fn first_attempts_about_a_record_go_in_the_order_of_acceptance() {
    let queue = one(json!({}));
    for number in 0..300 {
        queue.accept(&[&format!("contact:{}", number % 7)]);
    }
    let mut sending = queue.send();
    let mut count = 0;
    // Every third fails, every fifth is throttled: no first attempt overtakes another all the same.
    for _ in 0..200 {
        sending.run(|_| {
            count += 1;
            if count % 3 == 0 {
                Reply::Status(500)
            } else if count % 5 == 0 {
                Reply::RetryAfter(429, "1")
            } else {
                OK
            }
        });
        queue.clock.advance(SECOND);
    }
    for record in 0..7 {
        let record = format!("contact:{record}");
        let sequences: Vec<i64> = sending
            .sent
            .iter()
            .filter(|sent| sent.record == record && sent.header("Webhook-Attempt") == "1")
            .map(|sent| sent.header("Webhook-Sequence").parse().unwrap())
            .collect();
        assert!(sequences.len() > 30 && sequences.windows(2).all(|pair| pair[0] <= pair[1]), "{record}: {sequences:?}");
    }
}

#[test]
fn events_about_no_record_do_not_wait_for_each_other() {
    let queue = one(json!({}));
    queue.accept(&["", "", ""]);
    let mut sending = queue.send();
    sending.turn();
    assert_eq!(sending.in_flight.len(), 2);
}

#[test]
fn a_retry_lets_later_events_of_its_record_pass() {
    let queue = one(json!({}));
    queue.accept(&["contact:1", "contact:1"]);
    let mut sending = queue.send();
    let mut first = true;
    sending.run(|_| if std::mem::take(&mut first) { Reply::Status(500) } else { OK });
    assert_eq!((sending.sent.len(), queue.stats().delivered), (2, 1));
}

#[test]
fn at_an_ordered_endpoint_later_events_wait_until_the_earlier_is_delivered() {
    let queue = one(json!({"ordered": true}));
    queue.accept(&["contact:1", "contact:1", "contact:2"]);
    let mut sending = queue.send();
    sending.run(|job| if job.due.event.context.record == "contact:1" { Reply::Status(500) } else { OK });
    assert_eq!(sending.records(), ["contact:1", "contact:2"]);
    // Others go on meanwhile, also those accepted meanwhile.
    queue.accept(&["contact:1", "contact:3"]);
    sending.run(|_| OK);
    assert_eq!(sending.records()[2..], ["contact:3"]);
    queue.clock.advance(5 * MINUTE);
    sending.run(|_| OK);
    assert_eq!(sending.records()[3..], ["contact:1", "contact:1", "contact:1"]);
    let sequences: Vec<&str> = sending.sent[3..].iter().map(|sent| sent.header("Webhook-Sequence")).collect();
    assert_eq!(sequences, ["1", "2", "4"]);
}

#[test]
fn at_an_ordered_endpoint_later_events_wait_until_the_earlier_is_dead() {
    let queue = one(json!({"ordered": true, "schedule": [60]}));
    queue.accept(&["contact:1", "contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    assert_eq!(sending.sent.len(), 1);
    queue.clock.advance(MINUTE);
    sending.run(|_| Reply::Status(500));
    let sequences: Vec<&str> = sending.sent.iter().map(|sent| sent.header("Webhook-Sequence")).collect();
    assert_eq!(sequences, ["1", "1", "2"]);
}

#[test]
fn an_ordered_endpoint_keeps_its_order_across_a_restart_and_saved_settings() {
    let mut queue = one(json!({"ordered": true}));
    queue.accept(&["contact:1", "contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    drop(sending);
    let mut next = queue.send();
    next.run(|_| OK);
    queue.configure("", json!([endpoint("crm", json!({"ordered": true, "description": "new"}))]));
    next.run(|_| OK);
    assert!(next.sent.is_empty());
    queue.clock.advance(5 * MINUTE);
    next.run(|_| OK);
    let sequences: Vec<&str> = next.sent.iter().map(|sent| sent.header("Webhook-Sequence")).collect();
    assert_eq!(sequences, ["1", "2"]);
}

#[test]
fn an_endpoint_that_becomes_ordered_waits_for_what_already_failed() {
    let mut queue = one(json!({}));
    queue.accept(&["contact:1", "contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    queue.accept(&["contact:1"]);
    queue.configure("", json!([endpoint("crm", json!({"ordered": true}))]));
    sending.run(|_| OK);
    assert_eq!(sending.sent.len(), 2);
    queue.clock.advance(5 * MINUTE);
    sending.run(|_| OK);
    assert_eq!(queue.stats().delivered, 3);
    assert_eq!(sending.sent.last().unwrap().header("Webhook-Sequence"), "3");
}

#[test]
fn an_earlier_event_that_waits_is_not_forgotten_when_a_later_record_is_free_again() {
    let queue = one(json!({"ordered": true, "schedule": [1, 1]}));
    queue.accept(&["contact:1", "contact:1", "contact:2", "contact:3"]);
    let mut sending = queue.send();
    sending.turn();
    assert_eq!(sending.flying(), ["contact:1", "contact:2"]);
    // The first record hangs, its second event waits behind it; the later record fails and succeeds.
    sending.finish_record("contact:2", Reply::Status(500));
    sending.turn();
    queue.clock.advance(10);
    sending.turn();
    queue.clock.advance(SECOND);
    sending.run(|job| if job.due.event.context.record == "contact:1" { Reply::Hangs } else { OK });
    assert_eq!(queue.state("contact:2"), State::Delivered);
    sending.finish_record("contact:1", OK);
    sending.run(|_| OK);
    assert_eq!(queue.stats().pending, 0, "an event was forgotten: {:?}", sending.records());
}

#[test]
fn a_throttled_delivery_is_sent_once_although_settings_were_saved_meanwhile() {
    let mut queue = one(json!({"max_concurrency": 2}));
    queue.accept(&["contact:1", "contact:2", "contact:1", "contact:2"]);
    let mut sending = queue.send();
    sending.turn();
    sending.finish_record("contact:1", Reply::RetryAfter(429, "1"));
    queue.configure("", json!([endpoint("crm", json!({"max_concurrency": 1}))]));
    sending.turn();
    queue.clock.advance(10);
    sending.turn();
    sending.finish_record("contact:2", OK);
    sending.run(|_| OK);
    queue.clock.advance(SECOND);
    sending.run(|_| OK);
    queue.clock.advance(SECOND);
    sending.run(|_| OK);
    let mut sequences: Vec<&str> = sending.sent.iter().map(|sent| sent.header("Webhook-Sequence")).collect();
    sequences.sort();
    assert_eq!(sequences, ["1", "1", "2", "3", "4"]);
}

#[test]
fn a_large_backlog_of_failing_records_at_an_ordered_endpoint_does_not_hold_up_another() {
    let queue = Queue::with(json!([
        endpoint("ordered", json!({"ordered": true, "events": ["contact.*"]})),
        endpoint("other", json!({"events": ["deal.*"]})),
    ]));
    let mut store = queue.store();
    for _ in 0..20 {
        let events: Vec<_> =
            (0..1000).map(|n| crate::rig::event("contact.updated", "", &format!("contact:{}", n % 10))).collect();
        store.accept(&events, queue.now()).unwrap();
    }
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    assert_eq!(sending.sent.len(), 10);
    for number in 0..20 {
        let deal = crate::rig::event("deal.won", "", &format!("deal:{number}"));
        store.accept(&[deal], queue.now()).unwrap();
        let began = std::time::Instant::now();
        sending.turn();
        assert_eq!(sending.flying_to("other"), 1, "turn took {:?}", began.elapsed());
        sending.finish_record(&format!("deal:{number}"), OK);
        queue.clock.advance(10);
        sending.turn();
    }
    // And all of it arrives once the receiver is back, in order.
    queue.clock.advance(5 * MINUTE);
    sending.sent.clear();
    sending.run(|_| OK);
    assert_eq!(queue.stats().pending, 0);
    let first: Vec<i64> = sending
        .sent
        .iter()
        .filter(|sent| sent.record == "contact:3")
        .map(|sent| sent.header("Webhook-Sequence").parse().unwrap())
        .collect();
    assert_eq!(first.len(), 2000);
    assert!(first.windows(2).all(|pair| pair[0] < pair[1]));
}
