//! What is known of a receiver, and when the engine gives up on one that has failed for days.

use posthorn::clock::Millis;
use posthorn::store::{EndpointState, State};
use serde_json::json;

use crate::rig::{DAY, HOUR, MINUTE, OK, Queue, Reply, SECOND, START, Sending, endpoint};

fn one() -> Queue {
    Queue::with(json!([endpoint("crm", json!({})), endpoint("other", json!({"events": ["deal.*"]}))]))
}

fn state(queue: &Queue) -> EndpointState {
    queue.store().endpoint_states("", queue.now()).unwrap().remove(0)
}

/// An event now, and an answer for whatever is sent in the next `time`.
fn pass(queue: &Queue, sending: &mut Sending, time: Millis, reply: Reply) {
    queue.accept(&["contact:1"]);
    let until = queue.now() + time;
    sending.run(|_| reply.clone());
    for _ in 0..3 {
        queue.clock.advance((300 * SECOND).min(until - queue.now()));
        sending.run(|_| reply.clone());
    }
    queue.clock.advance(until - queue.now());
}

#[test]
fn an_endpoint_is_suspended_when_nothing_has_arrived_on_five_days() {
    let queue = one();
    let mut sending = queue.send();
    for _ in 0..5 {
        pass(&queue, &mut sending, DAY, Reply::Status(500));
        assert_eq!(state(&queue).suspended, None);
    }
    pass(&queue, &mut sending, DAY, Reply::Status(500));
    let reason = state(&queue).suspended.unwrap();
    assert!(reason.contains("5 days") && reason.contains("500 Internal Server Error"), "{reason}");
    // What comes later is kept and waits, until it is too old.
    let sent = sending.sent.len();
    queue.accept(&["contact:2"]);
    sending.run(|_| OK);
    assert_eq!((sending.sent.len(), queue.state("contact:2")), (sent, State::Pending));
    assert!(queue.store().resume("", "crm", queue.now()).unwrap());
    sending.run(|_| OK);
    let now = state(&queue);
    assert_eq!((queue.state("contact:2"), now.suspended, now.failing_since), (State::Delivered, None, None));
}

#[test]
fn one_success_in_five_days_begins_the_count_anew() {
    let queue = one();
    let mut sending = queue.send();
    for day in 0..12 {
        pass(&queue, &mut sending, DAY, if day == 4 || day == 8 { OK } else { Reply::TimesOut });
    }
    assert_eq!(state(&queue).suspended, None);
}

#[test]
fn two_failures_a_week_apart_are_no_five_days_of_failing() {
    let queue = one();
    let mut sending = queue.send();
    for _ in 0..2 {
        pass(&queue, &mut sending, 7 * DAY, Reply::Refuses);
    }
    assert_eq!(state(&queue).suspended, None);
    assert_eq!(state(&queue).failing_since, Some(START));
}

#[test]
fn a_machine_asleep_for_a_week_or_a_clock_that_jumps_suspends_nobody() {
    let queue = one();
    let mut sending = queue.send();
    pass(&queue, &mut sending, HOUR, Reply::Refuses);
    for jump in [7 * DAY, -7 * DAY, 7 * DAY] {
        queue.clock.advance(jump);
        pass(&queue, &mut sending, HOUR, Reply::Refuses);
    }
    assert_eq!(state(&queue).suspended, None);
}

#[test]
fn being_asked_to_wait_for_days_suspends_nobody() {
    let queue = one();
    let mut sending = queue.send();
    for _ in 0..7 {
        queue.accept(&["contact:1"]);
        sending.run(|_| Reply::RetryAfter(429, "80000"));
        queue.clock.advance(DAY);
    }
    let now = state(&queue);
    assert_eq!((now.suspended, now.failures), (None, 0));
}

#[test]
fn what_is_known_of_a_receiver_survives_whoever_sends() {
    let mut queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| OK);
    let since = queue.now() + MINUTE;
    for _ in 0..2 {
        queue.clock.advance(MINUTE);
        queue.accept(&["contact:2"]);
        sending.run(|_| Reply::Status(404));
        drop(sending);
        sending = queue.send();
        queue.configure("", json!([endpoint("crm", json!({"description": queue.now()}))]));
    }
    let now = state(&queue);
    assert_eq!((now.failures, now.failing_since, now.last_failure_at), (2, Some(since), Some(queue.now())));
    assert_eq!(now.last_success_at, Some(START));
    queue.configure("", json!([{"id": "crm", "url": "https://elsewhere.example/in"}]));
    let now = state(&queue);
    assert_eq!((now.failures, now.failing_since, now.last_failure_at, now.last_success_at), (0, None, None, None));
}

#[test]
fn successes_are_noted_once_a_minute() {
    let queue = one();
    let mut sending = queue.send();
    for second in 0..150 {
        queue.accept(&["contact:1"]);
        sending.run(|_| OK);
        let noted = state(&queue).last_success_at.unwrap();
        assert_eq!(noted, START + second / 60 * MINUTE);
        queue.clock.advance(SECOND);
    }
}

#[test]
fn a_receiver_that_asks_to_wait_is_left_alone_also_when_the_delivery_is_too_old() {
    let queue = Queue::with(json!([endpoint("crm", json!({"max_age": 60}))]));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.turn();
    queue.clock.advance(2 * MINUTE);
    queue.accept(&["contact:2"]);
    sending.finish_record("contact:1", Reply::RetryAfter(429, "30"));
    sending.run(|_| panic!("it asked to wait"));
    assert_eq!((queue.state("contact:1"), state(&queue).paused_until), (State::Dead, Some(queue.now() + 30 * SECOND)));
}

#[test]
fn an_event_that_is_too_large_for_one_receiver_is_dead_there_and_nowhere_else() {
    let queue = Queue::with(json!([
        endpoint("small", json!({"max_body_bytes": 1024, "circuit_breaker": true})),
        endpoint("large", json!({}))
    ]));
    let data = json!({"notes": "x".repeat(2000)});
    let context = json!({"record": "contact:1"});
    let event = posthorn::event::NewEvent::new("contact.updated", &data, &context, 1 << 20).unwrap();
    queue.store().accept(&vec![event; 6], queue.now()).unwrap();
    queue.accept(&["contact:2"]);
    let mut sending = queue.send();
    sending.run(|_| OK);
    assert!(sending.sent.iter().filter(|sent| sent.endpoint == "small").all(|sent| sent.record == "contact:2"));
    let stats = queue.stats();
    assert_eq!((stats.dead, stats.delivered, sending.sent.len()), (6, 8, 8));
    let dead = queue.deliveries().into_iter().find(|row| row.state == State::Dead).unwrap();
    assert_eq!((dead.endpoint.as_str(), dead.attempts, dead.last_status), ("small", 0, None));
    let error = dead.last_error.unwrap();
    assert!(error.contains("bytes") && error.contains("1024") && error.contains("max_body_bytes"), "{error}");
    // No request was made, so it says nothing about the receiver.
    assert_eq!(state(&queue).failures, 0);
}
