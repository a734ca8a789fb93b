//! What waits and why, and bringing it forward: for whoever empties a queue.

use posthorn::store::State;
use serde_json::json;

use crate::rig::{OK, Queue, Reply, SECOND, START, endpoint};

fn three() -> Queue {
    Queue::with(json!([
        endpoint("crm", json!({"events": ["contact.updated"]})),
        endpoint("off", json!({"events": ["deal.won"]})),
        endpoint("idle", json!({"events": ["task.completed"]})),
    ]))
}

#[test]
fn it_is_told_by_endpoint_what_is_due_what_is_tried_again_when_and_why() {
    let queue = three();
    assert!(queue.store().waiting(START).unwrap().is_empty());
    queue.accept(&["contact:1", "contact:2"]);
    let mut sending = queue.send();
    sending.run(|job| if job.due.event.context.record == "contact:1" { Reply::Status(500) } else { OK });
    queue.accept(&["contact:3"]);
    let waiting = queue.store().waiting(queue.now()).unwrap();
    assert_eq!(waiting.len(), 1);
    let row = &waiting[0];
    assert_eq!((row.lane.endpoint.id.as_str(), row.pending, row.due), ("crm", 2, 1));
    assert_eq!(row.next_attempt_at, queue.delivery("contact:1").next_attempt_at);
    assert_eq!(row.due_since, Some(queue.delivery("contact:3").created_at));
    assert!(row.last_error.as_ref().unwrap().contains("500"), "{row:?}");
    // A retry whose time has come is due like a first attempt.
    queue.clock.advance(300 * SECOND);
    let row = &queue.store().waiting(queue.now()).unwrap()[0];
    assert_eq!((row.pending, row.due, row.next_attempt_at), (2, 2, None));
    assert_eq!(row.due_since, Some(START));
}

#[test]
fn what_an_ordered_endpoint_holds_back_is_not_due() {
    let queue = Queue::with(json!([endpoint("crm", json!({"ordered": true}))]));
    queue.accept(&["contact:1"]);
    queue.send().run(|_| Reply::Status(500));
    queue.accept(&["contact:1", "contact:1", "contact:2"]);
    let row = &queue.store().waiting(queue.now()).unwrap()[0];
    assert_eq!((row.pending, row.due), (4, 1));
}

#[test]
fn what_is_hurried_is_tried_at_once_and_uses_up_its_attempt() {
    let queue = three();
    queue.accept(&["contact:1", "contact:2"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    queue.accept(&["contact:3"]);
    assert_eq!(queue.store().hurry(queue.now()).unwrap(), 2);
    assert_eq!(queue.store().hurry(queue.now()).unwrap(), 0);
    // The same dispatcher notices, without the clock.
    sending.run(|_| Reply::Status(500));
    assert_eq!(sending.sent.len(), 2 + 3);
    assert_eq!(queue.delivery("contact:1").attempts, 2);
    assert_eq!(queue.delivery("contact:3").attempts, 1);
    assert_eq!(queue.store().hurry(queue.now()).unwrap(), 3);
    sending.run(|job| if job.due.event.context.record == "contact:1" { Reply::Status(500) } else { OK });
    // The schedule holds.
    assert_eq!(queue.state("contact:1"), State::Dead);
    assert_eq!(queue.state("contact:2"), State::Delivered);
}

#[test]
fn hurrying_ends_no_pause_and_no_suspension() {
    let queue = three();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(410));
    queue.store().hurry(queue.now()).unwrap();
    sending.run(|_| OK);
    assert_eq!(sending.sent.len(), 1);
    let row = &queue.store().waiting(queue.now()).unwrap()[0];
    assert!(row.lane.standing.suspended.is_some());
    assert_eq!((row.pending, row.due), (1, 1));
}

#[test]
fn thousands_are_hurried_in_steps() {
    let queue = three();
    queue.accept_many(1_700);
    queue.send().run(|_| Reply::Status(500));
    assert_eq!(queue.store().hurry(queue.now()).unwrap(), 1_700);
    assert_eq!(queue.store().waiting(queue.now()).unwrap()[0].due, 1_700);
}
