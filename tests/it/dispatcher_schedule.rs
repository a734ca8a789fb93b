//! Attempts, their schedule, and what the clock does to it.

use posthorn::store::State;
use serde_json::json;

use crate::rig::{DAY, HOUR, OK, Queue, Reply, SECOND, START, endpoint};

fn one() -> Queue {
    Queue::with(json!([endpoint("crm", json!({"secret": "s3cret"}))]))
}

#[test]
fn the_default_is_three_attempts_and_then_a_dead_letter() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    for attempt in 1..=3 {
        sending.run(|_| Reply::Status(500));
        assert_eq!(sending.sent.len(), attempt);
        assert_eq!(queue.delivery("contact:1").attempts as usize, attempt);
        queue.clock.advance(300 * SECOND);
    }
    sending.run(|_| Reply::Status(500));
    queue.clock.advance(DAY);
    sending.run(|_| Reply::Status(500));
    assert_eq!(sending.sent.len(), 3);
    let row = queue.delivery("contact:1");
    assert_eq!((row.state, row.attempts, row.last_status, row.next_attempt_at), (State::Dead, 3, Some(500), None));
    assert_eq!(queue.log("contact:1"), [(1, Some(500)), (2, Some(500)), (3, Some(500))]);
}

#[test]
fn the_next_attempt_is_due_exactly_300_seconds_after_the_settlement() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.turn();
    // The receiver takes its time; the delay counts from the settlement.
    queue.clock.advance(14_321);
    sending.finish_record("contact:1", Reply::Status(500));
    sending.turn();
    let row = queue.delivery("contact:1");
    assert_eq!(row.settled_at, Some(START + 14_321));
    assert_eq!(row.next_attempt_at.unwrap() - row.settled_at.unwrap(), 300_000);
    queue.clock.advance(299_999);
    sending.run(|_| OK);
    assert_eq!(sending.sent.len(), 1);
    queue.clock.advance(1);
    sending.run(|_| OK);
    assert_eq!(sending.sent.len(), 2);
    assert_eq!(queue.state("contact:1"), State::Delivered);
}

#[test]
fn every_attempt_carries_the_same_body_and_id_and_its_own_time_signature_and_number() {
    let signed_with_time = json!({"format": "standard-webhooks", "schedule": [300, 300],
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
    for more in [json!({"secret": "s3cret"}), signed_with_time] {
        let queue = Queue::with(json!([endpoint("crm", more)]));
        queue.accept(&["contact:1"]);
        let mut sending = queue.send();
        for _ in 0..3 {
            sending.run(|_| Reply::Status(500));
            queue.clock.advance(300 * SECOND);
        }
        let [first, .., last] = sending.sent.as_slice() else { panic!("{:?}", sending.sent) };
        assert!(sending.sent.iter().all(|sent| sent.body == first.body && !sent.body.is_empty()));
        assert_eq!([first.header("Webhook-Attempt"), last.header("Webhook-Attempt")], ["1", "3"]);
        for (name, value) in &first.headers {
            let name = name.to_ascii_lowercase();
            let may_change = ["attempt", "signature", "timestamp"].iter().any(|part| name.contains(part));
            assert!(may_change || last.header(&name) == value, "{name}");
        }
        assert!(!first.header("Webhook-Id").is_empty() && !first.header("Webhook-Sequence").is_empty());
    }
}

#[test]
fn an_endpoints_own_schedule_holds_also_when_it_is_empty() {
    let queue =
        Queue::with(json!(
            [endpoint("once", json!({"schedule": []})), endpoint("twice", json!({"schedule": [0.25]})),]
        ));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Refuses);
    queue.clock.advance(250);
    sending.run(|_| Reply::Refuses);
    queue.clock.advance(DAY);
    sending.run(|_| Reply::Refuses);
    let ends: Vec<&str> = sending.sent.iter().map(|sent| sent.endpoint.as_str()).collect();
    assert_eq!(ends.iter().filter(|end| **end == "once").count(), 1);
    assert_eq!(ends.iter().filter(|end| **end == "twice").count(), 2);
    assert_eq!(queue.stats().dead, 2);
}

#[test]
fn the_schedule_holds_for_the_next_dispatcher() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::TimesOut);
    drop(sending);
    queue.clock.advance(299_999);
    let mut next = queue.send();
    next.run(|_| OK);
    assert!(next.sent.is_empty());
    queue.clock.advance(1);
    next.run(|_| OK);
    assert_eq!(next.sent[0].header("Webhook-Attempt"), "2");
}

#[test]
fn a_turn_says_when_the_next_attempt_is_due() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    queue.clock.advance(290 * SECOND);
    sending.run(|_| OK);
    assert_eq!(sending.turn().next, Some(START + 300 * SECOND));
}

#[test]
fn what_is_older_than_max_age_dies_without_a_request() {
    let queue = Queue::with(json!([endpoint("crm", json!({"max_age": 3600}))]));
    queue.accept(&["contact:1"]);
    queue.clock.advance(HOUR - 1);
    queue.accept(&["contact:2"]);
    queue.clock.advance(1);
    let mut sending = queue.send();
    sending.run(|_| OK);
    assert_eq!(sending.records(), ["contact:2"]);
    let row = queue.delivery("contact:1");
    assert_eq!((row.state, row.attempts), (State::Dead, 0));
    assert!(row.last_error.unwrap().contains("1 hour"));
    assert!(queue.log("contact:1").is_empty());
}

#[test]
fn a_retry_that_falls_after_max_age_is_not_made() {
    let queue = Queue::with(json!([endpoint("crm", json!({"max_age": 400, "schedule": [300, 300, 300]}))]));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    for _ in 0..4 {
        sending.run(|_| Reply::Status(500));
        queue.clock.advance(300 * SECOND);
    }
    assert_eq!(sending.sent.len(), 2);
    assert_eq!((queue.state("contact:1"), queue.stats().dead), (State::Dead, 1));
}

#[test]
fn what_waits_for_a_retry_dies_of_age_before_it_is_due_and_frees_its_ordered_record() {
    let settings = json!({"max_age": 400, "schedule": [3600], "ordered": true});
    let queue = Queue::with(json!([endpoint("crm", settings)]));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    queue.clock.advance(300 * SECOND);
    queue.accept(&["contact:1"]);
    sending.run(|_| OK);
    assert_eq!((queue.stats().pending, sending.sent.len()), (2, 1));
    queue.clock.advance(131 * SECOND);
    sending.run(|_| OK);
    let stats = queue.stats();
    assert_eq!((stats.dead, stats.delivered, stats.pending, sending.sent.len()), (1, 1, 0, 2));
}

#[test]
fn age_also_ends_what_waits_for_a_disabled_suspended_or_paused_endpoint() {
    let mut queue =
        Queue::with(json!([endpoint("off", json!({})), endpoint("gone", json!({})), endpoint("busy", json!({}))]));
    queue.accept(&["contact:1"]);
    queue.configure(
        "",
        json!([endpoint("off", json!({"enabled": false})), endpoint("gone", json!({})), endpoint("busy", json!({}))]),
    );
    let mut sending = queue.send();
    sending.run(|job| match job.endpoint.id.as_str() {
        "gone" => Reply::Status(410),
        _ => Reply::RetryAfter(429, "999999999"),
    });
    for _ in 0..3 {
        queue.clock.advance(DAY - HOUR);
        sending.run(|_| Reply::RetryAfter(429, "999999999"));
    }
    assert_eq!(queue.stats().dead, 0);
    queue.clock.advance(4 * HOUR);
    sending.run(|_| OK);
    assert_eq!((queue.stats().dead, queue.stats().pending), (3, 0));
}

#[test]
fn a_clock_that_was_set_back_pulls_the_next_attempt_to_its_own_delay_from_now() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    queue.clock.advance(-30 * DAY);
    sending.turn();
    assert_eq!(queue.delivery("contact:1").next_attempt_at, Some(START - 30 * DAY + 300 * SECOND));
    queue.clock.advance(300 * SECOND);
    sending.run(|_| OK);
    assert_eq!(queue.state("contact:1"), State::Delivered);
}

#[test]
fn a_clock_that_was_set_back_while_nobody_sent_is_noticed_by_the_next_dispatcher() {
    let queue = Queue::with(json!([endpoint("crm", json!({})), endpoint("other", json!({"schedule": [5]}))]));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    drop(sending);
    queue.clock.advance(-DAY);
    let _next = queue.send();
    let mut waits: Vec<i64> = queue.deliveries().iter().map(|row| row.next_attempt_at.unwrap() - queue.now()).collect();
    waits.sort();
    assert_eq!(waits, [5 * SECOND, 300 * SECOND]);
}

#[test]
fn a_pause_does_not_outlast_a_clock_that_was_set_back() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::RetryAfter(429, "600"));
    queue.clock.advance(-DAY);
    sending.run(|_| OK);
    queue.clock.advance(600 * SECOND);
    sending.run(|_| OK);
    assert_eq!(queue.state("contact:1"), State::Delivered);
}

#[test]
fn a_pause_does_not_outlast_a_clock_that_was_set_back_while_nobody_sent() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::RetryAfter(429, "600"));
    drop(sending);
    queue.clock.advance(-30 * DAY);
    let mut next = queue.send();
    next.run(|_| OK);
    queue.clock.advance(DAY);
    next.run(|_| OK);
    assert_eq!(queue.state("contact:1"), State::Delivered);
}

#[test]
fn a_clock_that_jumps_forward_makes_due_what_waits() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    queue.clock.advance(DAY);
    sending.run(|_| OK);
    assert_eq!((sending.sent.len(), queue.state("contact:1")), (2, State::Delivered));
}
