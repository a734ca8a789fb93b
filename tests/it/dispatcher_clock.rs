//! Clocks that jump an hour, machines that sleep for a day, and the nights on which summer time begins and ends.

use std::process::Command;

use posthorn::clock::{Millis, parse_iso};
use posthorn::store::{EndpointState, State};
use serde_json::{Value, json};

use crate::rig::{DAY, HOUR, MINUTE, OK, Queue, Reply, SECOND, Sending, endpoint};

const JUMPS: [Millis; 4] = [HOUR, -HOUR, DAY, -DAY];

fn one(settings: Value) -> Queue {
    Queue::with(json!([endpoint("crm", settings)]))
}

fn state(queue: &Queue) -> EndpointState {
    queue.store().endpoint_states("", queue.now()).unwrap().remove(0)
}

/// Lets time pass as the dispatcher would sleep, for `time` on a clock that nobody sets, or until everything arrived.
fn sleep(queue: &Queue, sending: &mut Sending, time: Millis) -> Millis {
    let begin = queue.now();
    while queue.stats().pending > 0 && queue.now() - begin < time {
        sending.run(|_| OK);
        let next = sending.turn().next.unwrap() - queue.now();
        // Nobody sleeps for longer than a second: a timer is the fallback for a clock that jumps.
        queue.clock.advance(next.clamp(1, SECOND));
    }
    queue.now() - begin
}

#[test]
fn a_retry_comes_at_its_delay_at_the_latest_whichever_way_the_clock_jumps() {
    for jump in JUMPS {
        let queue = one(json!({}));
        queue.accept(&["contact:1"]);
        let mut sending = queue.send();
        sending.run(|_| Reply::Status(500));
        queue.clock.advance(100 * SECOND + jump);
        let took = sleep(&queue, &mut sending, DAY);
        assert_eq!(queue.state("contact:1"), State::Delivered);
        // Forward: at once. Back: it counts anew, and waits no longer than its own delay.
        let most = if jump > 0 { SECOND } else { 301 * SECOND };
        assert!(took <= most, "{jump}: {took}");
    }
}

#[test]
fn what_is_shown_as_the_next_attempt_is_never_further_off_than_its_delay() {
    for jump in [-HOUR, -DAY] {
        let queue = one(json!({}));
        queue.accept(&["contact:1"]);
        let mut sending = queue.send();
        sending.run(|_| Reply::Status(500));
        queue.clock.advance(jump);
        sending.turn();
        assert_eq!(queue.delivery("contact:1").next_attempt_at, Some(queue.now() + 300 * SECOND));
    }
}

#[test]
fn a_pause_keeps_what_was_left_of_it_when_the_clock_is_set_back_and_ends_when_it_is_set_forward() {
    for jump in JUMPS {
        let queue = one(json!({}));
        queue.accept(&["contact:1"]);
        let mut sending = queue.send();
        sending.run(|_| Reply::RetryAfter(429, "600"));
        queue.clock.advance(200 * SECOND);
        sending.turn();
        queue.clock.advance(jump);
        let took = sleep(&queue, &mut sending, DAY);
        let expected = if jump > 0 { 0 } else { 400 * SECOND };
        assert!((expected..=expected + SECOND).contains(&took), "{jump}: {took}");
    }
}

#[test]
fn an_open_breaker_keeps_what_was_left_of_its_minute_when_the_clock_is_set_back() {
    for jump in JUMPS {
        let queue = one(json!({"circuit_breaker": true, "schedule": [1, 1, 1, 1, 1, 1, 1]}));
        queue.accept(&["contact:1"]);
        let mut sending = queue.send();
        for _ in 0..5 {
            sending.run(|_| Reply::Status(500));
            queue.clock.advance(SECOND);
        }
        let left = state(&queue).circuit_open_until.unwrap() - queue.now();
        sending.turn();
        queue.clock.advance(jump);
        let took = sleep(&queue, &mut sending, DAY);
        let expected = if jump > 0 { 0 } else { left };
        assert!((expected..=expected + SECOND).contains(&took), "{jump}: {took}");
    }
}

#[test]
fn a_rate_stays_what_it_is_whichever_way_the_clock_jumps() {
    for jump in JUMPS {
        let queue = one(json!({"rate_per_second": 2}));
        queue.accept_many(20);
        let mut sending = queue.send();
        sending.run(|_| OK);
        let sent = sending.sent.len();
        queue.clock.advance(jump);
        sending.run(|_| OK);
        assert!(sending.sent.len() - sent <= 1, "no burst");
        let took = sleep(&queue, &mut sending, HOUR);
        assert!((8 * SECOND..=11 * SECOND).contains(&took), "{jump}: {took}");
        assert_eq!(queue.stats().delivered, 20);
    }
}

#[test]
fn what_is_known_of_a_receiver_never_lies_in_the_future() {
    for restarts in [false, true] {
        let queue = one(json!({}));
        queue.accept(&["contact:1"]);
        let mut sending = queue.send();
        sending.run(|_| OK);
        queue.accept(&["contact:2"]);
        sending.run(|_| Reply::Status(500));
        queue.clock.advance(-DAY);
        if restarts {
            drop(sending);
            sending = queue.send();
        }
        sending.turn();
        let state = state(&queue);
        let now = Some(queue.now());
        assert_eq!((state.failing_since, state.last_failure_at, state.last_success_at), (now, now, now));
    }
}

#[test]
fn housekeeping_goes_on_after_every_jump() {
    for jump in JUMPS {
        let queue = one(json!({"max_age": 259_200}));
        let mut sending = queue.send();
        sending.run(|_| OK);
        queue.clock.advance(jump);
        sending.run(|_| OK);
        let turn = sending.turn();
        assert!(turn.next.unwrap() <= queue.now() + 30 * SECOND, "{turn:?}");
        queue.accept(&["contact:1"]);
        sending.run(|_| Reply::RetryAfter(429, "86400"));
        for _ in 0..3 {
            queue.clock.advance(DAY);
            sending.run(|_| Reply::RetryAfter(429, "86400"));
        }
        queue.clock.advance(MINUTE);
        sending.run(|_| OK);
        assert_eq!(queue.state("contact:1"), State::Dead);
    }
}

#[test]
fn after_a_day_asleep_everything_goes_on_at_once_and_nothing_twice() {
    let settings = json!({"circuit_breaker": true, "schedule": [300, 300, 300, 300, 300, 300]});
    let queue = Queue::with(json!([endpoint("crm", settings), endpoint("busy", json!({}))]));
    queue.accept(&["contact:1", "contact:2", "contact:3"]);
    let mut sending = queue.send();
    // One request hangs over the night; what it was to say comes, or not, when the machine wakes.
    sending.run(|job| match (job.endpoint.id.as_str(), job.due.event.context.record.as_str()) {
        ("busy", _) => Reply::RetryAfter(429, "3600"),
        (_, "contact:2") => Reply::Hangs,
        _ => Reply::Status(500),
    });
    queue.clock.advance(DAY);
    let hung = sending.in_flight.remove(0);
    sending.finish(hung, Reply::TimesOut);
    for _ in 0..3 {
        sending.run(|_| OK);
        queue.clock.advance(SECOND);
    }
    assert_eq!((queue.stats().pending, queue.stats().delivered), (1, 5));
    assert_eq!(queue.deliveries().iter().filter(|row| row.state == State::Pending).count(), 1);
    queue.clock.advance(300 * SECOND);
    sending.run(|_| OK);
    assert_eq!((queue.stats().delivered, sending.sent.len()), (6, 11));
}

/// A schedule over the hour in which clocks on the wall are changed, in whichever zone this process is.
fn deliver_through(change: &str) {
    let queue = one(json!({}));
    queue.clock.advance(parse_iso(change).unwrap() - 299 * SECOND - queue.now());
    let begin = queue.now();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    for attempt in 1..=3 {
        sending.run(|_| Reply::Status(500));
        assert_eq!(sending.sent.len(), attempt);
        assert_eq!(sending.sent[attempt - 1].at, begin + (attempt as Millis - 1) * 300 * SECOND);
        queue.clock.advance(299 * SECOND);
        sending.run(|_| panic!("too early"));
        queue.clock.advance(SECOND);
    }
    assert_eq!(queue.state("contact:1"), State::Dead);
    let body: Value = serde_json::from_str(&sending.sent[0].body).unwrap();
    assert_eq!(parse_iso(body["timestamp"].as_str().unwrap()).unwrap() / SECOND, begin / SECOND);
}

#[test]
fn the_schedule_does_not_know_of_summer_time() {
    for change in ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"] {
        deliver_through(change);
    }
    // Again in a process that lives in a zone which changes its clocks then.
    if std::env::var_os("TZ").is_none() {
        for zone in ["Europe/Berlin", "America/New_York", "CET-1CEST,M3.5.0,M10.5.0/3"] {
            let status = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "dispatcher_clock::the_schedule_does_not_know_of_summer_time", "--quiet"])
                .env("TZ", zone)
                .output()
                .unwrap();
            assert!(status.status.success(), "{zone}: {}", String::from_utf8_lossy(&status.stdout));
        }
    }
}
