//! When deliveries die of age: at that moment, whatever else they wait for.

use posthorn::clock::Millis;
use posthorn::store::State;
use serde_json::{Value, json};

use crate::rig::{HOUR, MINUTE, OK, Queue, Reply, SECOND, Sending, endpoint};

/// Ages are looked at four times a second at the most.
const LATEST: Millis = 250;

fn one(settings: Value) -> Queue {
    Queue::with(json!([endpoint("crm", settings)]))
}

/// Lets the time pass that the dispatcher says it may sleep, and no more of it than `most`.
fn sleep(queue: &Queue, sending: &mut Sending, most: Millis) {
    let until = queue.now() + most;
    while let Some(next) = sending.turn().next.filter(|next| *next <= until) {
        queue.clock.advance((next - queue.now()).max(1));
        sending.run(|_| Reply::Status(500));
    }
}

#[test]
fn what_waits_for_a_retry_dies_when_it_becomes_too_old_and_no_half_minute_later() {
    let queue = one(json!({"max_age": 1, "schedule": [300]}));
    let mut sending = queue.send();
    sending.run(|_| OK);
    queue.clock.advance(3 * SECOND);
    queue.accept(&["contact:1"]);
    let accepted_at = queue.now();
    sending.run(|_| Reply::Status(500));
    sleep(&queue, &mut sending, SECOND + LATEST);
    let row = queue.delivery("contact:1");
    assert_eq!((row.state, row.attempts), (State::Dead, 1));
    let died_after = row.settled_at.unwrap() - accepted_at;
    assert!((SECOND..=SECOND + LATEST).contains(&died_after), "after {died_after} ms");
    assert!(row.last_error.unwrap().contains("1 second"));
}

#[test]
fn of_many_that_wait_each_dies_in_its_time() {
    let queue = one(json!({"max_age": 60, "schedule": [3600]}));
    let mut sending = queue.send();
    for number in 0..20 {
        queue.accept(&[&format!("contact:{number}")]);
        sending.run(|_| Reply::Status(500));
        queue.clock.advance(2 * SECOND);
    }
    sleep(&queue, &mut sending, MINUTE + LATEST);
    let lives: Vec<Millis> = queue.deliveries().iter().map(|row| row.settled_at.unwrap() - row.created_at).collect();
    assert_eq!(lives.len(), 20);
    assert!(lives.iter().all(|life| (MINUTE..=MINUTE + LATEST).contains(life)), "{lives:?}");
}

#[test]
fn the_next_dispatcher_knows_when_what_it_finds_waiting_dies() {
    let queue = one(json!({"max_age": 10, "schedule": [300]}));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    drop(sending);
    queue.clock.advance(4 * SECOND);
    let mut next = queue.send();
    sleep(&queue, &mut next, 6 * SECOND + LATEST);
    assert_eq!(queue.state("contact:1"), State::Dead);
}

#[test]
fn a_changed_max_age_holds_for_what_already_waits() {
    let mut queue = one(json!({"max_age": 7200, "schedule": [3600]}));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    sleep(&queue, &mut sending, MINUTE);
    queue.configure("", json!([endpoint("crm", json!({"max_age": 65, "schedule": [3600]}))]));
    sleep(&queue, &mut sending, 5 * SECOND + LATEST);
    assert_eq!(queue.state("contact:1"), State::Dead);
}

#[test]
fn what_is_accepted_for_an_endpoint_that_is_not_sent_to_dies_in_its_time() {
    let queue = one(json!({"max_age": 2, "rate_per_second": 1}));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::RetryAfter(429, "3600"));
    sleep(&queue, &mut sending, 3 * SECOND);
    queue.accept(&["contact:2"]);
    sleep(&queue, &mut sending, 2 * SECOND + LATEST);
    assert_eq!((queue.state("contact:1"), queue.state("contact:2")), (State::Dead, State::Dead));
    assert_eq!(sending.sent.len(), 1);
}

#[test]
fn a_dispatcher_without_anything_that_ages_sleeps_half_a_minute() {
    let queue = one(json!({"max_age": 1, "schedule": [300]}));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| OK);
    queue.clock.advance(HOUR);
    sending.run(|_| OK);
    assert_eq!(sending.turn().next, Some(queue.now() + 30 * SECOND));
}

#[test]
fn what_keeps_dying_is_looked_at_four_times_a_second() {
    let queue = one(json!({"max_age": 1, "schedule": [300]}));
    let mut sending = queue.send();
    for number in 0..400 {
        queue.accept(&[&format!("contact:{number}")]);
        sending.run(|_| Reply::Status(500));
        queue.clock.advance(5);
    }
    sleep(&queue, &mut sending, SECOND + LATEST);
    let mut deaths: Vec<Millis> = queue.deliveries().iter().filter_map(|row| row.settled_at).collect();
    assert_eq!(queue.stats().dead, 400);
    deaths.sort();
    deaths.dedup();
    assert!(deaths.windows(2).all(|pair| pair[1] - pair[0] >= LATEST), "{deaths:?}");
}
