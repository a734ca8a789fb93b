//! Counts are kept, not counted: they must be what counting would say, whatever happened.

use std::collections::BTreeMap;

use posthorn::store::{Filter, Patience, State, StoreOptions};
use serde_json::json;

use crate::rig::{DAY, MINUTE, OK, Queue, Reply, SECOND, endpoint, event};

/// SplitMix64 (Steele, Lea, Flood 2014): numbers that a failed seed gives again.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

fn check(queue: &Queue, seed: u64, clock_was_set_back: bool) {
    let mut store = queue.store();
    let mut counted: BTreeMap<(String, &str), i64> = BTreeMap::new();
    let mut oldest: BTreeMap<String, i64> = BTreeMap::new();
    let mut before = None;
    loop {
        let page = store.deliveries(&Filter { limit: Some(1000), before, ..Filter::default() }).unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        for row in page {
            *counted.entry((row.site.clone(), row.state.as_str())).or_default() += 1;
            if row.state == State::Pending {
                let first = oldest.entry(row.site).or_insert(row.created_at);
                *first = (*first).min(row.created_at);
            }
        }
    }
    for site in ["", "b"] {
        let stats = store.stats(Some(site)).unwrap();
        let count = |state: &'static str| counted.get(&(site.to_owned(), state)).copied().unwrap_or(0);
        assert_eq!(
            (stats.pending, stats.delivered, stats.dead, stats.cancelled),
            (count("pending"), count("delivered"), count("dead"), count("cancelled")),
            "seed {seed}, site '{site}'"
        );
        let oldest = oldest.get(site).copied();
        assert_eq!(stats.oldest_pending_at.is_some(), oldest.is_some(), "seed {seed}, site '{site}'");
        // The oldest is the one that was accepted first, whatever the clock said then.
        assert!(clock_was_set_back || stats.oldest_pending_at == oldest, "seed {seed}, site '{site}'");
    }
}

#[test]
fn counts_are_what_counting_says_after_anything_that_can_happen() {
    for seed in 0..12 {
        let mut random = Random(seed);
        let mut queue = Queue::with(json!([endpoint("a", json!({}))]));
        let mut sending = queue.send_with(8);
        let mut set_back = false;
        for _ in 0..60 {
            let site = ["", "b"][random.below(2) as usize];
            match random.below(10) {
                0..=3 => {
                    let events: Vec<_> = (0..=random.below(20))
                        .map(|_| event("contact.updated", site, &format!("contact:{}", random.below(6))))
                        .collect();
                    queue.store().accept(&events, queue.now()).unwrap();
                }
                4 => {
                    let set = ["a", "b", "c"].into_iter().filter(|_| random.below(3) > 0).collect::<Vec<_>>();
                    let more = json!({"ordered": random.below(2) == 0, "enabled": random.below(4) > 0,
                        "schedule": vec![1; random.below(3) as usize], "max_age": 90_000});
                    queue.configure(site, set.into_iter().map(|id| endpoint(id, more.clone())).collect());
                }
                5 => {
                    // A kill.
                    sending = queue.send_with(8);
                }
                6 => {
                    let by = [SECOND, MINUTE, DAY, 8 * DAY, -MINUTE][random.below(5) as usize];
                    set_back |= by < 0;
                    queue.clock.advance(by);
                }
                7 => {
                    queue.store().pause(site, random.below(2) == 0).unwrap();
                }
                _ => sending.run(|_| match random.below(8) {
                    0 => Reply::Status(500),
                    1 => Reply::TimesOut,
                    2 => Reply::RetryAfter(429, "2"),
                    3 => Reply::Hangs,
                    _ => OK,
                }),
            }
            check(&queue, seed, set_back);
        }
        // And in the end nothing is left behind.
        queue.store().pause("", false).unwrap();
        queue.store().pause("b", false).unwrap();
        sending = queue.send_with(8);
        for _ in 0..20 {
            queue.clock.advance(MINUTE);
            sending.run(|_| OK);
        }
        queue.clock.advance(4 * DAY);
        sending.run(|_| OK);
        check(&queue, seed, set_back);
        assert_eq!(queue.stats().pending, 0, "seed {seed}");
    }
}

#[test]
fn what_waits_is_counted_and_listed_also_where_nothing_can_be_written() {
    let queue = Queue::with(json!([endpoint("a", json!({})), endpoint("b", json!({}))]));
    queue.accept(&["contact:1"]);
    assert_eq!(queue.stats().pending, 2);
    queue.accept(&["contact:2", "contact:3"]);
    let mut store = queue.store_with(StoreOptions { patience: Patience::Dispatcher, ..StoreOptions::default() });
    let writer = queue.raw();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.stats(None).unwrap().pending, 6);
    assert_eq!(store.stats(Some("")).unwrap().pending, 6);
    assert_eq!(store.stats(Some("another")).unwrap().pending, 0);
    assert_eq!(store.deliveries(&Filter::default()).unwrap().len(), 2, "those that were expanded before");
}
