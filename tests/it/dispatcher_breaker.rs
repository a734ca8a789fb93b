//! The circuit breaker: five failures in a row hold back what waits, one attempt a minute finds out.

use posthorn::endpoint::Circuit;
use posthorn::store::{EndpointState, State};
use serde_json::{Value, json};

use crate::rig::{DAY, HOUR, MINUTE, OK, Queue, Reply, SECOND, START, Sending, endpoint};

const FAILS: Reply = Reply::Status(500);

/// With a schedule that outlasts every test, so that only the breaker holds anything back.
fn one(more: Value) -> Queue {
    let mut settings = json!({"circuit_breaker": true, "schedule": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Queue::with(json!([endpoint("crm", settings), endpoint("other", json!({"events": ["deal.*"]}))]))
}

fn state(queue: &Queue) -> EndpointState {
    queue.store().endpoint_states("", queue.now()).unwrap().remove(0)
}

fn circuit(queue: &Queue) -> Circuit {
    state(queue).circuit
}

/// Lets five attempts fail.
fn open(queue: &Queue, sending: &mut Sending) {
    let names: Vec<String> = (0..20).map(|number| format!("contact:{number}")).collect();
    queue.accept(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut failed = 0;
    while circuit(queue) == Circuit::Closed {
        sending.run(|_| {
            failed += 1;
            FAILS
        });
        queue.clock.advance(SECOND);
    }
    // What was under way with the fifth has failed too.
    assert!((5..=6).contains(&failed), "{failed}");
    queue.clock.advance(-SECOND);
    sending.sent.clear();
}

#[test]
fn five_failures_in_a_row_hold_back_what_waits_for_a_minute_and_use_up_nothing() {
    let queue = one(json!({}));
    let mut sending = queue.send();
    open(&queue, &mut sending);
    let attempts = || queue.deliveries().iter().map(|row| row.attempts).sum::<u32>();
    let used = attempts();
    let until = state(&queue).circuit_open_until.unwrap();
    while queue.now() < until - SECOND {
        queue.clock.advance(SECOND);
        sending.run(|_| panic!("nothing is sent to an open breaker"));
    }
    assert_eq!((circuit(&queue), attempts(), queue.stats().pending), (Circuit::Open, used, 20));
    assert_eq!(sending.turn().next, Some(until));
}

#[test]
fn four_failures_and_a_success_open_nothing() {
    let queue = one(json!({"max_concurrency": 1}));
    let mut sending = queue.send();
    queue.accept_many(50);
    let mut answered = 0;
    for _ in 0..20 {
        sending.run(|_| {
            answered += 1;
            if answered % 5 == 0 { OK } else { FAILS }
        });
        queue.clock.advance(SECOND);
    }
    assert_eq!(circuit(&queue), Circuit::Closed);
    assert!(answered > 100);
}

#[test]
fn after_a_minute_one_request_tries_and_a_success_opens_the_lane_again() {
    let queue = one(json!({}));
    let mut sending = queue.send();
    open(&queue, &mut sending);
    queue.clock.advance(MINUTE);
    sending.run(|_| Reply::Hangs);
    assert_eq!((sending.in_flight.len(), circuit(&queue)), (1, Circuit::HalfOpen));
    // However long it takes: no second one.
    queue.clock.advance(20 * SECOND);
    sending.run(|_| Reply::Hangs);
    assert_eq!(sending.in_flight.len(), 1);
    let probe = sending.in_flight.remove(0);
    sending.finish(probe, OK);
    sending.run(|_| OK);
    assert_eq!((circuit(&queue), queue.stats().delivered, queue.stats().pending), (Circuit::Closed, 20, 0));
    assert_eq!(state(&queue).failures, 0);
}

#[test]
fn a_probe_is_an_ordinary_attempt_and_its_failure_waits_another_minute() {
    let queue = one(json!({}));
    let mut sending = queue.send();
    open(&queue, &mut sending);
    for _ in 0..3 {
        let before: u32 = queue.deliveries().iter().map(|row| row.attempts).sum();
        queue.clock.advance(MINUTE);
        sending.run(|_| FAILS);
        let after: u32 = queue.deliveries().iter().map(|row| row.attempts).sum();
        assert_eq!((after - before, sending.sent.len()), (1, 1));
        assert_eq!(state(&queue).circuit_open_until, Some(queue.now() + MINUTE));
        sending.sent.clear();
    }
}

#[test]
fn requests_that_were_under_way_when_it_opened_do_not_keep_it_open_for_longer() {
    let queue = one(json!({}));
    let mut sending = queue.send();
    // A receiver that answers has many requests in flight.
    queue.accept_many(200);
    sending.run(|_| OK);
    queue.accept_many(200);
    sending.run(|_| Reply::Hangs);
    assert_eq!(sending.in_flight.len(), 16);
    for _ in 0..15 {
        let job = sending.in_flight.remove(0);
        sending.finish(job, FAILS);
    }
    sending.turn();
    queue.clock.advance(10);
    sending.turn();
    let until = state(&queue).circuit_open_until.unwrap();
    assert_eq!(until, queue.now() - 10 + MINUTE);
    // The last one hangs past the minute: it is not the probe, and does not keep it from being made.
    queue.clock.advance(until - queue.now());
    sending.turn();
    assert_eq!(sending.in_flight.len(), 2);
    let late = sending.in_flight.remove(0);
    sending.finish(late, Reply::TimesOut);
    sending.turn();
    queue.clock.advance(10);
    sending.turn();
    assert_eq!((circuit(&queue), sending.in_flight.len()), (Circuit::HalfOpen, 1));
}

#[test]
fn a_success_under_way_closes_it() {
    let queue = one(json!({}));
    let mut sending = queue.send();
    queue.accept_many(200);
    sending.run(|_| OK);
    queue.accept_many(200);
    sending.run(|_| Reply::Hangs);
    let slow = sending.in_flight.remove(0);
    for job in std::mem::take(&mut sending.in_flight) {
        sending.finish(job, FAILS);
    }
    sending.turn();
    queue.clock.advance(10);
    sending.turn();
    assert_eq!(circuit(&queue), Circuit::Open);
    sending.finish(slow, OK);
    sending.run(|_| OK);
    assert_eq!(circuit(&queue), Circuit::Closed);
}

#[test]
fn being_asked_to_wait_is_neither_a_failure_nor_a_success() {
    let queue = one(json!({"max_concurrency": 1}));
    let mut sending = queue.send();
    queue.accept(&["contact:1"]);
    for reply in [FAILS, FAILS, Reply::RetryAfter(429, "1"), FAILS, Reply::RetryAfter(503, "1"), FAILS] {
        sending.run(|_| reply.clone());
        queue.clock.advance(SECOND);
    }
    assert_eq!((state(&queue).failures, circuit(&queue)), (4, Circuit::Closed));
    sending.run(|_| FAILS);
    assert_eq!(circuit(&queue), Circuit::Open);
    // A probe that is asked to wait waits, and tries again as the probe that it is.
    queue.clock.advance(MINUTE);
    sending.run(|_| Reply::RetryAfter(429, "90"));
    assert_eq!((state(&queue).paused_until, circuit(&queue)), (Some(queue.now() + 90 * SECOND), Circuit::HalfOpen));
    queue.clock.advance(90 * SECOND);
    sending.run(|_| OK);
    assert_eq!((circuit(&queue), queue.state("contact:1")), (Circuit::Closed, State::Delivered));
}

#[test]
fn what_waits_behind_it_dies_at_max_age_and_not_before() {
    let queue = one(json!({"max_age": 3600}));
    let mut sending = queue.send();
    open(&queue, &mut sending);
    let mut probes = 0;
    while queue.now() < START + HOUR - MINUTE {
        queue.clock.advance(10 * SECOND);
        sending.run(|_| {
            probes += 1;
            FAILS
        });
        assert_eq!(queue.stats().delivered, 0);
    }
    let dead_of_attempts = queue.deliveries().iter().filter(|row| row.attempts == 11).count() as i64;
    assert_eq!(queue.stats().dead, dead_of_attempts);
    assert!((50..=60).contains(&probes), "{probes}");
    queue.clock.advance(2 * MINUTE);
    for _ in 0..10 {
        sending.run(|_| FAILS);
        queue.clock.advance(SECOND);
    }
    assert_eq!((queue.stats().dead, queue.stats().pending), (20, 0));
}

#[test]
fn it_survives_hand_over_restart_and_saved_settings() {
    let mut queue = one(json!({}));
    let mut sending = queue.send();
    open(&queue, &mut sending);
    let until = state(&queue).circuit_open_until.unwrap();
    drop(sending);
    let settings = json!({"circuit_breaker": true, "schedule": [1, 1, 1, 1, 1, 1, 1], "description": "new words"});
    queue.configure("", json!([endpoint("crm", settings)]));
    let mut next = queue.send();
    queue.clock.advance(until - queue.now() - 1);
    next.run(|_| panic!("it was open"));
    queue.clock.advance(1);
    // Killed with the probe in flight: the next one makes it, as the same attempt.
    next.run(|_| Reply::Hangs);
    let (record, attempt) = (next.flying(), next.in_flight[0].due.attempts);
    drop(next);
    let mut third = queue.send();
    third.run(|_| Reply::Hangs);
    assert_eq!((third.in_flight.len(), third.flying(), third.in_flight[0].due.attempts), (1, record, attempt));
}

#[test]
fn another_url_resuming_and_switching_it_off_each_close_it() {
    let url = |queue: &mut Queue| {
        queue.configure("", json!([{"id": "crm", "url": "https://elsewhere.example/in", "circuit_breaker": true}]));
    };
    let resume = |queue: &mut Queue| assert!(queue.store().resume("", "crm", queue.now()).unwrap());
    let off = |queue: &mut Queue| queue.configure("", json!([endpoint("crm", json!({}))]));
    for close in [&url as &dyn Fn(&mut Queue), &resume, &off] {
        let mut queue = one(json!({}));
        let mut sending = queue.send();
        open(&queue, &mut sending);
        close(&mut queue);
        queue.clock.advance(SECOND);
        sending.run(|_| OK);
        assert_eq!((circuit(&queue), queue.stats().delivered), (Circuit::Closed, 20));
    }
}

#[test]
fn an_outcome_that_comes_with_the_owners_word_does_not_undo_it() {
    let queue = one(json!({}));
    let mut sending = queue.send();
    open(&queue, &mut sending);
    queue.clock.advance(MINUTE);
    sending.turn();
    let probe = sending.in_flight.remove(0);
    // Both wait for the next turn.
    sending.finish(probe, FAILS);
    queue.store().resume("", "crm", queue.now()).unwrap();
    sending.turn();
    assert_eq!((state(&queue).failures, circuit(&queue)), (0, Circuit::Closed));
}

#[test]
fn another_endpoint_does_not_notice() {
    let queue = one(json!({}));
    let mut sending = queue.send();
    open(&queue, &mut sending);
    queue.store().accept(&[crate::rig::event("deal.won", "", "deal:1")], queue.now()).unwrap();
    sending.run(|_| OK);
    let ends: Vec<&str> = sending.sent.iter().map(|sent| sent.endpoint.as_str()).collect();
    assert_eq!(ends, ["other"]);
}

#[test]
fn an_ordered_endpoint_keeps_its_order_behind_it() {
    let queue = one(json!({"ordered": true}));
    let mut sending = queue.send();
    for record in ["contact:1", "contact:2", "contact:1", "contact:2", "contact:1"] {
        queue.accept(&[record]);
    }
    for _ in 0..400 {
        let back = queue.now() >= START + 5 * MINUTE;
        sending.run(|_| if back { OK } else { FAILS });
        queue.clock.advance(SECOND);
    }
    assert_eq!(queue.stats().delivered, 5);
    for record in ["contact:1", "contact:2"] {
        let numbers: Vec<i64> = sending
            .sent
            .iter()
            .filter(|sent| sent.record == record)
            .map(|sent| sent.header("Webhook-Sequence").parse().unwrap())
            .collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
}

#[test]
fn it_does_not_outlast_a_clock_that_was_set_back() {
    for restarts in [false, true] {
        let queue = one(json!({}));
        let mut sending = queue.send();
        open(&queue, &mut sending);
        queue.clock.advance(-DAY);
        if restarts {
            drop(sending);
            sending = queue.send();
        }
        sending.turn();
        assert!(state(&queue).circuit_open_until.unwrap() <= queue.now() + MINUTE);
        queue.clock.advance(MINUTE);
        sending.run(|_| OK);
        queue.clock.advance(MINUTE);
        sending.run(|_| OK);
        assert_eq!((circuit(&queue), queue.stats().delivered), (Circuit::Closed, 20), "{restarts}");
    }
}

#[test]
fn s1_has_none_so_its_three_attempts_stay_three() {
    let queue = Queue::with(json!([endpoint("crm", json!({}))]));
    queue.accept_many(10);
    let mut sending = queue.send();
    for _ in 0..3 {
        sending.run(|_| FAILS);
        queue.clock.advance(300 * SECOND);
    }
    assert_eq!((sending.sent.len(), queue.stats().dead), (30, 10));
}
