//! Receivers that ask to wait (429, 503 with Retry-After), and receivers that are gone (410).

use posthorn::store::State;
use serde_json::json;

use crate::rig::{DAY, MINUTE, OK, Queue, Reply, SECOND, START, endpoint};

fn one() -> Queue {
    Queue::with(json!([endpoint("crm", json!({}))]))
}

fn pause_of(queue: &Queue) -> Option<i64> {
    let states = queue.store().endpoint_states("", queue.now()).unwrap();
    states[0].paused_until.map(|until| until - queue.now())
}

fn suspension(queue: &Queue) -> Option<String> {
    queue.store().endpoint_states("", queue.now()).unwrap().remove(0).suspended
}

#[test]
fn being_throttled_uses_up_no_attempt_and_pauses_the_lane() {
    for reply in [Reply::RetryAfter(429, "7"), Reply::RetryAfter(503, "7")] {
        let queue = one();
        queue.accept(&["contact:1"]);
        let mut sending = queue.send();
        sending.run(|_| reply.clone());
        queue.accept(&["contact:2"]);
        queue.clock.advance(7 * SECOND - 1);
        sending.run(|_| OK);
        assert_eq!(sending.sent.len(), 1);
        let row = queue.delivery("contact:1");
        assert_eq!((row.state, row.attempts), (State::Pending, 0));
        queue.clock.advance(1);
        sending.run(|_| OK);
        // In the order of acceptance, and as the first attempt that it is.
        assert_eq!(sending.records(), ["contact:1", "contact:1", "contact:2"]);
        assert_eq!(sending.sent[1].header("Webhook-Attempt"), "1");
        assert_eq!(queue.log("contact:1").iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 1]);
    }
}

#[test]
fn what_this_server_had_nothing_left_to_send_with_is_no_attempt_and_is_sent_soon() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::NotAsked);
    let row = queue.delivery("contact:1");
    assert_eq!(
        (row.state, row.attempts, row.last_error.as_deref()),
        (State::Pending, 0, Some("no more file descriptors"))
    );
    assert_eq!((queue.log("contact:1").len(), pause_of(&queue)), (0, None));
    assert_eq!(sending.dispatcher.take_shortage().as_deref(), Some("no more file descriptors"));
    let asked = sending.sent.len();
    queue.clock.advance(SECOND - 1);
    sending.run(|_| OK);
    assert_eq!(sending.sent.len(), asked);
    queue.clock.advance(1);
    sending.run(|_| OK);
    assert_eq!((queue.state("contact:1"), queue.delivery("contact:1").attempts), (State::Delivered, 1));
}

#[test]
fn a_503_without_retry_after_is_a_failure_like_any_other() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(503));
    assert_eq!((queue.delivery("contact:1").attempts, pause_of(&queue)), (1, None));
}

#[test]
fn without_retry_after_the_pause_doubles_from_a_second_to_five_minutes() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    let mut pauses = Vec::new();
    for _ in 0..11 {
        sending.run(|_| Reply::Status(429));
        pauses.push(pause_of(&queue).unwrap() / SECOND);
        queue.clock.advance(pause_of(&queue).unwrap());
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    sending.run(|_| OK);
    // An answer of another kind begins anew.
    queue.accept(&["contact:2"]);
    sending.run(|_| Reply::Status(429));
    assert_eq!(pause_of(&queue), Some(SECOND));
}

#[test]
fn answers_to_requests_that_were_under_way_together_double_the_pause_once() {
    let queue = one();
    queue.accept_many(40);
    let mut sending = queue.send();
    let mut answered = 0;
    sending.run(|_| {
        answered += 1;
        if answered <= 20 { OK } else { Reply::Status(429) }
    });
    assert!(sending.sent.len() > 24, "{}", sending.sent.len());
    assert_eq!(pause_of(&queue), Some(SECOND));
}

#[test]
fn retry_after_holds_up_to_24_hours() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::RetryAfter(429, "31536000"));
    assert_eq!(pause_of(&queue), Some(DAY));
}

#[test]
fn a_retry_after_of_nothing_does_not_turn_into_a_flood() {
    for nothing in ["0", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        let queue = one();
        queue.accept(&["contact:1"]);
        let mut sending = queue.send();
        let mut requests = 0;
        sending.run(|_| {
            requests += 1;
            assert!(requests < 100, "the same request over and over");
            Reply::RetryAfter(429, nothing)
        });
        assert_eq!(pause_of(&queue), Some(SECOND));
    }
}

#[test]
fn the_log_of_a_delivery_that_is_throttled_for_days_stays_bounded() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    for _ in 0..300 {
        sending.run(|_| Reply::RetryAfter(429, "1"));
        queue.clock.advance(SECOND);
    }
    assert_eq!(sending.sent.len(), 300);
    let kept = queue.log("contact:1").len();
    assert!((20..=64).contains(&kept), "{kept}");
}

#[test]
fn a_pause_survives_the_dispatcher() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    for _ in 0..3 {
        sending.run(|_| Reply::Status(429));
        queue.clock.advance(pause_of(&queue).unwrap());
    }
    sending.run(|_| Reply::Status(429));
    drop(sending);
    let mut next = queue.send();
    next.run(|_| OK);
    assert!(next.sent.is_empty());
    assert_eq!(next.turn().next, Some(queue.now() + 8 * SECOND));
    queue.clock.advance(8 * SECOND);
    next.run(|_| Reply::Status(429));
    assert_eq!(pause_of(&queue), Some(16 * SECOND));
}

#[test]
fn a_throttled_retry_keeps_its_number_and_its_place() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    queue.clock.advance(300 * SECOND);
    sending.run(|_| Reply::RetryAfter(429, "60"));
    queue.clock.advance(MINUTE);
    sending.run(|_| OK);
    let numbers: Vec<&str> = sending.sent.iter().map(|sent| sent.header("Webhook-Attempt")).collect();
    assert_eq!(numbers, ["1", "2", "2"]);
    assert_eq!(queue.delivery("contact:1").attempts, 2);
}

#[test]
fn a_throttled_receiver_does_not_keep_a_delivery_past_max_age() {
    let queue = Queue::with(json!([endpoint("crm", json!({"max_age": 3600}))]));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    for _ in 0..30 {
        sending.run(|_| Reply::RetryAfter(429, "300"));
        queue.clock.advance(5 * MINUTE);
    }
    assert_eq!(queue.state("contact:1"), State::Dead);
    assert!(sending.sent.len() <= 12, "{}", sending.sent.len());
}

#[test]
fn a_410_suspends_the_endpoint_whoever_sends_and_whatever_is_saved() {
    let mut queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(410));
    assert!(suspension(&queue).unwrap().contains("410"));
    queue.accept(&["contact:2"]);
    queue.configure("", json!([endpoint("crm", json!({"description": "new words"}))]));
    queue.clock.advance(MINUTE);
    sending.run(|_| OK);
    drop(sending);
    let mut next = queue.send();
    next.run(|_| OK);
    assert!(next.sent.is_empty());
    assert!(suspension(&queue).is_some());
    assert_eq!(queue.stats().pending, 2);
}

#[test]
fn a_suspension_ends_with_another_url() {
    let mut queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(410));
    queue.configure("", json!([{"id": "crm", "url": "https://elsewhere.example/in"}]));
    assert_eq!(suspension(&queue), None);
    queue.clock.advance(300 * SECOND);
    sending.run(|_| OK);
    assert_eq!(queue.state("contact:1"), State::Delivered);
}

#[test]
fn a_suspension_ends_when_the_owner_resumes() {
    let queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(410));
    assert!(!queue.store().resume("", "unknown", queue.now()).unwrap());
    assert!(queue.store().resume("", "crm", queue.now()).unwrap());
    // What waits goes out at the owner's word, not at the schedule's.
    sending.run(|_| OK);
    assert_eq!((queue.state("contact:1"), suspension(&queue)), (State::Delivered, None));
}

#[test]
fn settings_saved_while_the_410_arrives_do_not_undo_it() {
    let mut queue = one();
    queue.accept(&["contact:1", "contact:2", "contact:3"]);
    let mut sending = queue.send();
    sending.turn();
    let hanging = sending.flying();
    assert_eq!(hanging, ["contact:1", "contact:2"]);
    sending.finish_record("contact:1", Reply::Status(410));
    queue.configure("", json!([endpoint("crm", json!({"description": "new words"}))]));
    sending.turn();
    assert_eq!(sending.flying(), ["contact:2"], "sends to a receiver that is gone");
    queue.clock.advance(10);
    sending.turn();
    assert!(suspension(&queue).is_some());
    sending.finish_record("contact:2", OK);
    sending.run(|_| OK);
    assert!(suspension(&queue).is_some());
    assert_eq!(queue.state("contact:3"), State::Pending);
}

#[test]
fn an_answer_from_the_old_url_says_nothing_about_the_new_one() {
    for reply in [Reply::Status(410), Reply::RetryAfter(429, "3600")] {
        let mut queue = one();
        queue.accept(&["contact:1"]);
        let mut sending = queue.send();
        sending.turn();
        queue.configure("", json!([{"id": "crm", "url": "https://elsewhere.example/in"}]));
        sending.turn();
        sending.finish_record("contact:1", reply);
        sending.turn();
        assert_eq!((suspension(&queue), pause_of(&queue)), (None, None));
        queue.accept(&["contact:2"]);
        sending.run(|_| OK);
        assert_eq!(queue.state("contact:2"), State::Delivered);
    }
}

#[test]
fn an_answer_collected_with_the_new_url_says_nothing_about_it() {
    let mut queue = one();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.turn();
    // Both wait for the dispatcher's next turn.
    sending.finish_record("contact:1", Reply::Status(410));
    queue.configure("", json!([{"id": "crm", "url": "https://elsewhere.example/in"}]));
    sending.turn();
    assert_eq!(suspension(&queue), None);
    assert_eq!(queue.delivery("contact:1").created_at, START);
}
