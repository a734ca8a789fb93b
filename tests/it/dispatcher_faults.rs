//! Kills, two dispatchers by mistake, and a store that fails.

use posthorn::dispatcher::Mode;
use posthorn::store::State;
use serde_json::json;

use crate::rig::{OK, Queue, Reply, SECOND, endpoint, event};

fn one() -> Queue {
    Queue::with(json!([endpoint("crm", json!({}))]))
}

#[test]
fn after_a_kill_only_what_was_unsettled_is_repeated_under_the_same_number() {
    let queue = one();
    queue.accept_many(300);
    let mut sending = queue.send();
    let mut before = 0;
    // Killed in the middle: some are settled, some have just been answered, some are in flight.
    while before < 150 {
        sending.turn();
        for job in std::mem::take(&mut sending.in_flight) {
            sending.finish(job, OK);
            before += 1;
        }
    }
    sending.turn();
    let in_flight = sending.in_flight.len();
    let first = std::mem::take(&mut sending.sent);
    drop(sending);
    let settled = queue.stats().delivered as usize;
    let mut next = queue.send();
    next.run(|_| OK);
    assert_eq!(next.sent.len(), 300 - settled);
    let repeated: Vec<_> = next.sent.iter().filter(|sent| first.iter().any(|one| one.record == sent.record)).collect();
    assert!(repeated.len() <= in_flight + 64, "{} repeated", repeated.len());
    for sent in repeated {
        let earlier = first.iter().find(|one| one.record == sent.record).unwrap();
        assert_eq!(sent.body, earlier.body);
        assert_eq!(sent.header("Webhook-Id"), earlier.header("Webhook-Id"));
        assert_eq!(sent.header("Webhook-Attempt"), "1");
    }
    assert_eq!((queue.stats().delivered, queue.stats().pending), (300, 0));
}

#[test]
fn never_more_than_64_outcomes_wait_for_settlement_and_none_longer_than_20_ms() {
    let queue = one();
    queue.accept_many(500);
    let mut sending = queue.send_with(256);
    while sending.sent.len() < 499 {
        sending.turn();
        // One hangs all the time, so that nothing is settled for want of others.
        let Some(job) = (sending.in_flight.len() > 1).then(|| sending.in_flight.remove(1)) else {
            queue.clock.advance(10);
            continue;
        };
        sending.finish(job, OK);
        let settled = queue.stats().delivered as usize;
        assert!(sending.sent.len() - settled <= 64 + 1, "{} of {} are settled", settled, sending.sent.len());
    }
    sending.turn();
    queue.clock.advance(20);
    sending.turn();
    assert_eq!(queue.stats().delivered, 499);
}

#[test]
fn an_outcome_that_comes_late_changes_nothing_that_is_decided() {
    let queue = one();
    queue.accept(&["contact:1", "contact:2"]);
    // Two dispatchers at once, as if the lock had failed.
    let (mut slow, mut quick) = (queue.send(), queue.send());
    slow.turn();
    quick.run(|_| OK);
    assert_eq!(queue.stats().delivered, 2);
    slow.finish_record("contact:1", Reply::Status(500));
    slow.finish_record("contact:2", OK);
    slow.run(|_| OK);
    for record in ["contact:1", "contact:2"] {
        let row = queue.delivery(record);
        assert_eq!((row.state, row.attempts, row.next_attempt_at), (State::Delivered, 1, None));
    }
    assert_eq!((queue.stats().delivered, queue.stats().pending), (2, 0));
    // Both requests were made, and both are in the log.
    assert_eq!(queue.log("contact:1"), [(1, Some(200)), (1, Some(500))]);
}

#[test]
fn a_settlement_touches_its_own_delivery_and_no_other() {
    let queue = Queue::with(json!([endpoint("a", json!({})), endpoint("b", json!({"enabled": true}))]));
    queue.accept(&["contact:1", "contact:2", "contact:3"]);
    let mut sending = queue.send();
    sending.turn();
    let job = sending.in_flight.remove(0);
    let (id, to) = (job.due.id, job.endpoint.id.clone());
    sending.finish(job, Reply::Status(500));
    sending.turn();
    queue.clock.advance(10);
    sending.turn();
    for row in queue.deliveries() {
        let expected = if row.id == id { (1, Some(500)) } else { (0, None) };
        assert_eq!((row.attempts, row.last_status), expected, "{} to {}", row.record, row.endpoint);
        assert!(row.id != id || row.endpoint == to);
    }
    assert_eq!(queue.stats().pending, 6);
}

#[test]
fn a_store_that_fails_loses_no_outcome_and_is_tried_again_a_second_later() {
    let queue = one();
    queue.accept_many(200);
    let mut sending = queue.send();
    let raw = queue.raw();
    raw.execute_batch("CREATE TRIGGER fail BEFORE INSERT ON attempt BEGIN SELECT raise(ABORT, 'disk'); END").unwrap();
    let mut errors = 0;
    for _ in 0..200 {
        errors += usize::from(sending.try_turn().is_err());
        for job in std::mem::take(&mut sending.in_flight) {
            sending.finish(job, OK);
        }
    }
    assert_eq!(errors, 1, "the failing store was not left alone");
    let sent = sending.sent.len();
    // It goes on sending no further than there is room to remember the outcomes.
    for _ in 0..30 {
        queue.clock.advance(SECOND);
        let _ = sending.try_turn();
        for job in std::mem::take(&mut sending.in_flight) {
            sending.finish(job, OK);
        }
    }
    assert!(sending.sent.len() <= sent + 64 + 32, "{} sent without a store", sending.sent.len());
    assert_eq!(queue.stats().delivered, 0);
    raw.execute_batch("DROP TRIGGER fail").unwrap();
    queue.clock.advance(SECOND);
    sending.run(|_| OK);
    assert_eq!((queue.stats().delivered, queue.stats().pending), (200, 0));
    let mut records = sending.records();
    records.sort();
    records.dedup();
    assert_eq!((records.len(), sending.sent.len()), (200, 200), "something was sent twice");
}

#[test]
fn events_accepted_while_the_store_cannot_be_expanded_are_sent_afterwards() {
    let queue = one();
    let mut sending = queue.send();
    let raw = queue.raw();
    raw.execute_batch("CREATE TRIGGER fail BEFORE INSERT ON delivery BEGIN SELECT raise(ABORT, 'disk'); END").unwrap();
    queue.accept(&["contact:1"]);
    assert!(sending.try_turn().is_err());
    raw.execute_batch("DROP TRIGGER fail").unwrap();
    queue.clock.advance(SECOND);
    sending.run(|_| OK);
    assert_eq!(queue.state("contact:1"), State::Delivered);
}

#[test]
fn a_delivery_that_somebody_removed_does_not_keep_others_from_being_settled() {
    let queue = one();
    queue.accept(&["contact:1", "contact:2"]);
    let mut sending = queue.send();
    sending.turn();
    queue.raw().execute("DELETE FROM delivery WHERE record = 'contact:1'", []).unwrap();
    sending.finish_record("contact:1", OK);
    sending.finish_record("contact:2", OK);
    sending.run(|_| OK);
    assert_eq!(queue.state("contact:2"), State::Delivered);
}

#[test]
fn a_turn_counts_what_it_settled_and_not_what_was_throttled() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.turn();
    sending.finish_record("contact:1", Reply::RetryAfter(429, "1"));
    assert_eq!(sending.turn().settled, 0);
    queue.clock.advance(SECOND);
    sending.turn();
    sending.finish_record("contact:1", OK);
    assert_eq!(sending.turn().settled, 1);
}

#[test]
fn who_finishes_starts_nothing_and_settles_what_ends() {
    let queue = one();
    queue.accept(&["contact:1", "contact:2", "contact:3"]);
    let mut sending = queue.send();
    sending.turn();
    sending.finish_record("contact:1", OK);
    sending.turn_as(Mode::Finish).unwrap();
    assert_eq!(sending.flying(), ["contact:2"]);
    sending.finish_record("contact:2", OK);
    sending.turn_as(Mode::Finish).unwrap();
    assert!(sending.dispatcher.is_idle());
    assert_eq!((queue.stats().delivered, queue.stats().pending), (2, 1));
}

#[test]
fn who_hands_over_starts_nothing_unless_a_slow_request_delays_it_anyway() {
    let queue = Queue::with(json!([
        endpoint("slow", json!({"events": ["deal.*"]})),
        endpoint("quick", json!({"events": ["contact.*"]})),
    ]));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.turn_as(Mode::HandOver).unwrap();
    assert!(sending.in_flight.is_empty());
    let deals = [event("deal.won", "", "deal:1"), event("deal.won", "", "deal:2"), event("deal.won", "", "deal:3")];
    queue.store().accept(&deals, queue.now()).unwrap();
    sending.run(|job| if job.endpoint.id == "slow" { Reply::Hangs } else { OK });
    queue.accept(&["contact:2"]);
    queue.clock.advance(SECOND);
    sending.turn_as(Mode::HandOver).unwrap();
    assert_eq!((sending.flying_to("slow"), sending.flying_to("quick")), (2, 1));
    for job in std::mem::take(&mut sending.in_flight) {
        sending.finish(job, OK);
    }
    sending.turn_as(Mode::HandOver).unwrap();
    assert!(sending.dispatcher.is_idle() && sending.in_flight.is_empty());
}
