//! Lanes: who may send how much, and that nobody waits for another's receiver.

use serde_json::{Value, json};

use crate::rig::{OK, Queue, Reply, SECOND, Sending, endpoint};

fn two(a: Value, b: Value) -> Queue {
    Queue::with(json!([endpoint("a", a), endpoint("b", b)]))
}

/// Lets the lane of `id` prove itself, so that its window is wide open.
fn warm_up(queue: &Queue, sending: &mut Sending) {
    queue.accept_many(200);
    sending.run(|_| OK);
    sending.sent.clear();
}

#[test]
fn a_lane_has_two_requests_in_flight_at_first_and_one_more_for_every_answer() {
    let queue = Queue::with(json!([endpoint("a", json!({}))]));
    queue.accept_many(100);
    let mut sending = queue.send();
    let mut widths = Vec::new();
    for _ in 0..4 {
        sending.turn();
        widths.push(sending.in_flight.len());
        for job in std::mem::take(&mut sending.in_flight) {
            sending.finish(job, OK);
        }
    }
    assert_eq!(widths, [2, 4, 8, 16]);
}

#[test]
fn no_more_than_max_concurrency_is_ever_in_flight() {
    let queue = Queue::with(json!([endpoint("a", json!({}))]));
    let mut sending = queue.send_with(5);
    warm_up(&queue, &mut sending);
    queue.accept_many(200);
    sending.run(|_| Reply::Hangs);
    assert_eq!(sending.in_flight.len(), 5);
}

#[test]
fn one_sender_is_enough_for_every_endpoint_in_turn() {
    let queue = two(json!({}), json!({}));
    queue.accept_many(4);
    let mut sending = queue.send_with(1);
    sending.run(|_| OK);
    let ends: Vec<&str> = sending.sent.iter().map(|sent| sent.endpoint.as_str()).collect();
    assert_eq!(ends, ["a", "b", "a", "b", "a", "b", "a", "b"]);
}

#[test]
fn an_endpoints_own_max_concurrency_holds() {
    let queue = two(json!({"max_concurrency": 3}), json!({}));
    let mut sending = queue.send();
    warm_up(&queue, &mut sending);
    queue.accept_many(200);
    sending.run(|_| Reply::Hangs);
    assert_eq!(sending.flying_to("a"), 3);
}

#[test]
fn no_lane_holds_more_than_half_while_another_waits() {
    let queue = two(json!({}), json!({}));
    let mut sending = queue.send_with(8);
    warm_up(&queue, &mut sending);
    queue.accept_many(200);
    sending.run(|_| Reply::Hangs);
    assert_eq!([sending.flying_to("a"), sending.flying_to("b")], [4, 4]);
}

#[test]
fn the_only_endpoint_may_have_all_senders() {
    let queue = Queue::with(json!([endpoint("a", json!({})), endpoint("off", json!({"enabled": false}))]));
    let mut sending = queue.send_with(8);
    warm_up(&queue, &mut sending);
    queue.accept_many(200);
    sending.run(|_| Reply::Hangs);
    assert_eq!(sending.flying_to("a"), 8);
}

#[test]
fn a_receiver_that_was_quick_and_then_hangs_leaves_half_to_who_comes_later() {
    let queue = two(json!({"events": ["contact.*"]}), json!({"events": ["deal.*"]}));
    let mut sending = queue.send_with(8);
    warm_up(&queue, &mut sending);
    queue.accept_many(200);
    sending.run(|_| Reply::Hangs);
    // Only now, with all that the first may have hanging, does the other have something to send.
    let deal = crate::rig::event("deal.won", "", "deal:1");
    queue.store().accept(&[deal], queue.now()).unwrap();
    sending.turn();
    assert_eq!(sending.flying_to("b"), 1);
}

#[test]
fn lanes_that_timed_out_hold_a_quarter_together() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let list: Vec<Value> = names.iter().map(|name| endpoint(name, json!({"schedule": [1, 1, 1, 1]}))).collect();
    let queue = Queue::with(list.into());
    let mut sending = queue.send_with(16);
    queue.accept_many(50);
    sending.run(|job| if job.endpoint.id == "a" { OK } else { Reply::Hangs });
    assert_eq!(sending.in_flight.len(), 5);
    for job in std::mem::take(&mut sending.in_flight) {
        sending.finish(job, Reply::TimesOut);
    }
    sending.run(|_| Reply::Hangs);
    assert_eq!(sending.in_flight.len(), 4);
    // All of them get their turn.
    let mut met = std::collections::BTreeSet::new();
    for _ in 0..6 {
        for job in std::mem::take(&mut sending.in_flight) {
            met.insert(job.endpoint.id.clone());
            sending.finish(job, Reply::TimesOut);
        }
        sending.run(|_| Reply::Hangs);
    }
    assert_eq!(met.len(), 5);
}

#[test]
fn sixteen_receivers_that_hang_the_first_time_they_are_called_do_not_delay_one_that_answers() {
    let mut list: Vec<Value> = (0..16).map(|number| endpoint(&format!("hangs-{number}"), json!({}))).collect();
    list.push(endpoint("well", json!({})));
    // Also a receiver that is called for the first time itself, and one that answered before this process began to send.
    for knows_it in [false, true] {
        let mut queue = Queue::with(list.clone().into());
        if knows_it {
            queue.configure("", json!([endpoint("well", json!({}))]));
            queue.accept(&["contact:0"]);
            queue.send().run(|_| OK);
            queue.configure("", list.clone().into());
        }
        queue.accept_many(300);
        let mut sending = queue.send();
        let begin = queue.now();
        sending.run(|job| if job.endpoint.id == "well" { OK } else { Reply::Hangs });
        assert_eq!(sending.sent.len(), 300);
        assert!(sending.sent.iter().all(|sent| sent.at - begin <= 50), "{:?}", sending.sent.last());
        assert_eq!(sending.in_flight.len(), 16, "one of each");
    }
}

#[test]
fn however_many_receivers_hang_at_first_a_quarter_is_left_to_those_that_answer() {
    let mut list: Vec<Value> = (0..60).map(|number| endpoint(&format!("hangs-{number}"), json!({}))).collect();
    list.push(endpoint("well", json!({})));
    let mut queue = Queue::with(json!([endpoint("well", json!({}))]));
    let mut sending = queue.send();
    warm_up(&queue, &mut sending);
    queue.configure("", list.into());
    queue.accept_many(300);
    sending.run(|job| if job.endpoint.id == "well" { OK } else { Reply::Hangs });
    assert_eq!((sending.in_flight.len(), sending.sent.len()), (24, 300));
    // They time out, and all of them get their turn all the same.
    let mut met = std::collections::BTreeSet::new();
    for _ in 0..20 {
        for job in std::mem::take(&mut sending.in_flight) {
            met.insert(job.endpoint.id.clone());
            sending.finish(job, Reply::TimesOut);
        }
        sending.run(|job| if job.endpoint.id == "well" { OK } else { Reply::Hangs });
        assert!(sending.in_flight.len() <= 24);
    }
    assert_eq!(met.len(), 60);
}

#[test]
fn a_hanging_receiver_does_not_delay_another() {
    let queue = two(json!({}), json!({}));
    queue.accept_many(1000);
    let mut sending = queue.send();
    let begin = queue.now();
    sending.run(|job| if job.endpoint.id == "a" { Reply::Hangs } else { OK });
    let arrived: Vec<i64> = sending.sent.iter().filter(|sent| sent.endpoint == "b").map(|sent| sent.at).collect();
    assert_eq!(arrived.len(), 1000);
    assert!(arrived.iter().all(|at| at - begin <= 50), "{:?}", arrived.iter().max());
    assert_eq!(sending.flying_to("a"), 2);
}

#[test]
fn a_hundred_thousand_waiting_for_a_dead_endpoint_cost_another_no_turn() {
    let mut turns = Vec::new();
    for dead in [10, 100_000] {
        let mut queue = two(json!({}), json!({"enabled": false}));
        queue.accept_many(dead);
        queue.configure("", json!([endpoint("a", json!({"enabled": false})), endpoint("b", json!({}))]));
        let mut sending = queue.send();
        // Expanding is done once, whoever sends.
        sending.run(|_| OK);
        queue.configure("", json!([endpoint("a", json!({})), endpoint("b", json!({}))]));
        sending.run(|_| Reply::Hangs);
        assert_eq!(sending.flying_to("a"), 2);
        let held = std::mem::take(&mut sending.in_flight);
        let healthy: Vec<_> =
            (0..100).map(|number| crate::rig::event("deal.won", "", &format!("deal:{number}"))).collect();
        queue.store().accept(&healthy, queue.now()).unwrap();
        let mut count = 0;
        while sending.sent.len() < 100 {
            sending.turn();
            count += 1;
            for job in sending.in_flight.drain(..).collect::<Vec<_>>() {
                assert_eq!(job.endpoint.id, "b");
                sending.finish(job, OK);
            }
            assert!(count < 1000);
        }
        turns.push(count);
        drop(held);
    }
    assert_eq!(turns[0], turns[1]);
}

#[test]
fn rate_per_second_spreads_what_waits() {
    let queue = Queue::with(json!([endpoint("a", json!({"rate_per_second": 4}))]));
    queue.accept_many(20);
    let mut sending = queue.send();
    let begin = queue.now();
    while sending.sent.len() < 20 {
        sending.run(|_| OK);
        let next = sending.turn().next.unwrap();
        assert!(next > queue.now());
        queue.clock.advance(next - queue.now());
    }
    let took = sending.sent.last().unwrap().at - begin;
    assert!((4_500..=5_000).contains(&took), "{took} ms for 20 at 4 a second");
    assert!(sending.sent.windows(5).all(|five| five[4].at - five[0].at >= 999), "more than 4 in a second");
}

#[test]
fn an_event_that_comes_between_two_tokens_waits_for_the_token_and_no_longer() {
    let queue = Queue::with(json!([endpoint("a", json!({"rate_per_second": 0.2}))]));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    let begin = queue.now();
    sending.run(|_| OK);
    queue.clock.advance(SECOND);
    queue.accept(&["contact:2"]);
    sending.run(|_| OK);
    assert_eq!((sending.sent.len(), sending.turn().next), (1, Some(begin + 5 * SECOND)));
    queue.clock.advance(4 * SECOND);
    sending.run(|_| OK);
    assert_eq!(sending.sent.len(), 2);
}

#[test]
fn what_waits_for_an_outcome_makes_nobody_turn_in_circles() {
    let queue =
        Queue::with(json!([endpoint("a", json!({"schedule": [1, 1]})), endpoint("b", json!({"rate_per_second": 5}))]));
    queue.accept_many(50);
    let mut sending = queue.send();
    sending.run(|_| Reply::TimesOut);
    queue.clock.advance(2 * SECOND);
    // Fifty retries are due and two may be in flight.
    sending.run(|_| Reply::Hangs);
    let turn = sending.turn();
    assert!(!turn.more && turn.next.is_none_or(|next| next > queue.now()), "{turn:?}");
    queue.clock.advance(10 * SECOND);
    sending.turn();
    let turn = sending.turn();
    assert!(!turn.more && turn.next.is_none_or(|next| next > queue.now()), "{turn:?}");
}

#[test]
fn a_turn_of_an_idle_dispatcher_asks_for_no_other_soon() {
    let queue = two(json!({}), json!({"rate_per_second": 1}));
    queue.accept_many(3);
    let mut sending = queue.send();
    for _ in 0..10 {
        sending.run(|_| OK);
        queue.clock.advance(SECOND);
    }
    let turn = sending.turn();
    assert!(!turn.more && turn.next.unwrap() - queue.now() > 5 * SECOND, "{turn:?}");
}

#[test]
fn retries_and_first_attempts_both_get_their_turn() {
    let queue = Queue::with(json!([endpoint("a", json!({"max_concurrency": 1, "schedule": [1, 1, 1]}))]));
    queue.accept_many(100);
    let mut sending = queue.send();
    let mut failed = 0;
    sending.run(|_| {
        failed += 1;
        if failed <= 50 { Reply::Status(500) } else { OK }
    });
    queue.clock.advance(SECOND);
    queue.accept_many(50);
    sending.sent.clear();
    sending.run(|_| OK);
    let numbers: Vec<&str> = sending.sent.iter().take(10).map(|sent| sent.header("Webhook-Attempt")).collect();
    assert!(numbers.contains(&"1") && numbers.contains(&"2"), "{numbers:?}");
}
