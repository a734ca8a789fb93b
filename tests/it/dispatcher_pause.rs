//! A pause holds for everything that is accepted after it, however the owner's and the dispatcher's steps meet.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use posthorn::store::{Filter, Store};
use serde_json::json;

use crate::rig::{OK, Queue, endpoint, event};

const ROUNDS: usize = 1500;

#[test]
fn what_is_accepted_after_a_pause_is_not_sent_by_a_turn_that_had_begun_before() {
    let queue = Queue::with(json!([endpoint("crm", json!({}))]));
    let (done, held, turns) = (AtomicBool::new(false), AtomicUsize::new(usize::MAX), AtomicUsize::new(0));
    let mut store = queue.store();
    let sent_early = thread::scope(|scope| {
        let dispatcher = scope.spawn(|| {
            let mut sending = queue.send();
            let mut early = Vec::new();
            while !done.load(Ordering::SeqCst) {
                sending.turn();
                let round = held.load(Ordering::SeqCst);
                early.extend(sending.flying().into_iter().filter(|record| *record == format!("held:{round}")));
                sending.run(|_| OK);
                turns.fetch_add(1, Ordering::SeqCst);
            }
            early
        });
        for round in 0..ROUNDS {
            accept(&mut store, &queue, &format!("free:{round}"));
            store.pause("", true).unwrap();
            held.store(round, Ordering::SeqCst);
            accept(&mut store, &queue, &format!("held:{round}"));
            // Whoever looks at the list expands what was accepted.
            store.deliveries(&Filter { limit: Some(1), ..Filter::default() }).unwrap();
            let before = turns.load(Ordering::SeqCst);
            while turns.load(Ordering::SeqCst) < before + 2 {
                thread::yield_now();
            }
            held.store(usize::MAX, Ordering::SeqCst);
            store.pause("", false).unwrap();
        }
        done.store(true, Ordering::SeqCst);
        dispatcher.join().unwrap()
    });
    assert_eq!(sent_early, Vec::<String>::new());
}

fn accept(store: &mut Store, queue: &Queue, record: &str) {
    store.accept(&[event("contact.updated", "", record)], queue.now()).unwrap();
}
