//! Endpoints and sites: who may change them, and what becomes of what waits.

use posthorn::store::{Filter, State};
use serde_json::json;

use crate::rig::{MINUTE, OK, Queue, Reply, START, endpoint, endpoints, event};

#[test]
fn a_stale_revision_reverts_nothing() {
    let queue = Queue::new();
    let mut store = queue.store();
    let set = |url: &str| endpoints(json!([{"id": "crm", "url": url}]));
    assert_eq!(store.revision("").unwrap(), None);
    assert!(store.configure("", &set("https://new.example/"), Some(7), 0).unwrap());
    for stale in [6, 7] {
        assert!(!queue.store().configure("", &set("https://old.example/"), Some(stale), 0).unwrap());
    }
    assert_eq!(store.revision("").unwrap(), Some(7));
    assert_eq!(store.endpoint_states("", START).unwrap()[0].url, "https://new.example/");
    assert!(store.configure("", &set("https://newer.example/"), Some(8), 0).unwrap());
    // Without a revision there is nothing to compare; the stored one stays.
    assert!(store.configure("", &set("https://newest.example/"), None, 0).unwrap());
    assert_eq!(store.revision("").unwrap(), Some(8));
    // Another site counts for itself.
    assert!(store.configure("b", &set("https://b.example/"), Some(1), 0).unwrap());
}

#[test]
fn configuring_fails_as_a_whole_or_not_at_all() {
    let mut queue = Queue::with(json!([endpoint("a", json!({}))]));
    queue
        .raw()
        .execute_batch(
            "CREATE TRIGGER fail BEFORE INSERT ON endpoint WHEN new.id = 'c' BEGIN SELECT raise(ABORT, 'disk'); END",
        )
        .unwrap();
    let set = endpoints(json!([endpoint("b", json!({})), endpoint("c", json!({}))]));
    assert!(queue.store().configure("", &set, Some(99), 0).is_err());
    let ids: Vec<String> = queue.store().endpoint_states("", START).unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(ids, ["a"]);
    queue.raw().execute_batch("DROP TRIGGER fail").unwrap();
    queue.configure("", json!([endpoint("b", json!({}))]));
}

#[test]
fn what_waits_for_a_removed_endpoint_is_cancelled_and_nothing_else() {
    let mut queue = Queue::with(json!([endpoint("stays", json!({})), endpoint("goes", json!({}))]));
    let mut sending = queue.send();
    queue.accept(&["contact:1"]);
    sending.run(|job| if job.endpoint.id == "goes" { Reply::Status(500) } else { OK });
    queue.accept_many(1200);
    queue.configure("", json!([endpoint("stays", json!({}))]));
    sending.sent.clear();
    sending.run(|_| OK);
    queue.clock.advance(MINUTE);
    sending.run(|_| OK);
    assert!(sending.sent.iter().all(|sent| sent.endpoint == "stays"));
    let stats = queue.stats();
    assert_eq!((stats.delivered, stats.cancelled, stats.pending, stats.dead), (1201, 1201, 0, 0));
    let filter = Filter { endpoint: Some("goes".to_owned()), limit: Some(1), ..Filter::default() };
    let row = queue.store().deliveries(&filter).unwrap().remove(0);
    assert_eq!((row.state, row.last_error.as_deref()), (State::Cancelled, Some("the endpoint was removed")));
    // It comes back empty.
    queue.configure("", json!([endpoint("stays", json!({})), endpoint("goes", json!({}))]));
    sending.run(|_| OK);
    assert_eq!(queue.stats().cancelled, 1201);
}

#[test]
fn what_waited_for_an_endpoint_that_comes_back_before_anybody_sends_is_cancelled() {
    let both = || json!([endpoint("stays", json!({})), endpoint("goes", json!({}))]);
    let mut queue = Queue::with(both());
    let mut sending = queue.send();
    queue.accept(&["contact:1"]);
    sending.run(|job| if job.endpoint.id == "goes" { Reply::Status(500) } else { OK });
    // One waits for its second attempt, these are not even expanded.
    queue.accept_many(1200);
    queue.configure("", json!([endpoint("stays", json!({}))]));
    queue.configure("", both());
    queue.accept(&["contact:2"]);
    queue.clock.advance(MINUTE);
    sending.run(|_| OK);
    let stats = queue.stats();
    assert_eq!((stats.delivered, stats.cancelled, stats.pending, stats.dead), (1203, 1201, 0, 0));
}

#[test]
fn a_request_in_flight_when_its_endpoint_is_removed_is_settled_by_its_outcome() {
    for (reply, state) in [(OK, State::Delivered), (Reply::Status(500), State::Cancelled)] {
        let mut queue = Queue::with(json!([endpoint("crm", json!({}))]));
        queue.accept(&["contact:1"]);
        let mut sending = queue.send();
        sending.turn();
        queue.configure("", json!([]));
        sending.turn();
        sending.finish_record("contact:1", reply);
        sending.run(|_| OK);
        queue.clock.advance(MINUTE);
        sending.run(|_| OK);
        assert_eq!((queue.state("contact:1"), sending.sent.len()), (state, 1));
    }
}

#[test]
fn what_waits_for_a_disabled_endpoint_waits_until_it_is_enabled() {
    let mut queue = Queue::with(json!([endpoint("crm", json!({}))]));
    queue.accept(&["contact:1"]);
    queue.configure("", json!([endpoint("crm", json!({"enabled": false}))]));
    let mut sending = queue.send();
    sending.run(|_| OK);
    queue.clock.advance(MINUTE);
    sending.run(|_| OK);
    assert_eq!((sending.sent.len(), queue.stats().pending), (0, 1));
    queue.configure("", json!([endpoint("crm", json!({}))]));
    sending.run(|_| OK);
    assert_eq!(queue.state("contact:1"), State::Delivered);
}

#[test]
fn changed_settings_hold_for_what_waits() {
    let mut queue = Queue::with(json!([endpoint("crm", json!({}))]));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::Status(500));
    queue.configure("", json!([{"id": "crm", "url": "https://elsewhere.example/in", "headers": {"X-New": "1"}}]));
    queue.clock.advance(5 * MINUTE);
    sending.run(|_| OK);
    assert_eq!(sending.sent[1].header("X-New"), "1");
}

#[test]
fn a_paused_site_sends_nothing_and_loses_nothing() {
    let mut queue = Queue::with(json!([endpoint("crm", json!({}))]));
    queue.configure("b", json!([endpoint("crm", json!({}))]));
    queue.store().pause("", true).unwrap();
    assert!(queue.store().paused("").unwrap() && !queue.store().paused("b").unwrap());
    queue.accept(&["contact:1"]);
    queue.accept_at("b", &["contact:2"]);
    let mut sending = queue.send();
    sending.run(|_| OK);
    assert_eq!(sending.records(), ["contact:2"]);
    queue.configure("", json!([endpoint("crm", json!({"description": "saved while paused"}))]));
    sending.run(|_| OK);
    assert_eq!(queue.state("contact:1"), State::Pending);
    queue.store().pause("", false).unwrap();
    sending.run(|_| OK);
    assert_eq!(queue.state("contact:1"), State::Delivered);
}

#[test]
fn sites_see_and_receive_their_own() {
    let mut queue = Queue::with(json!([endpoint("crm", json!({}))]));
    queue.configure("b", json!([endpoint("crm", json!({"url": "https://b.example/"}))]));
    queue.accept(&["contact:1"]);
    queue.accept_at("b", &["contact:2", "contact:3"]);
    assert_eq!(queue.accept_at("unknown", &["contact:4"])[0].deliveries, 0);
    let mut store = queue.store();
    let seen = |store: &mut posthorn::store::Store, site: &str| {
        let filter = Filter { site: Some(site.to_owned()), ..Filter::default() };
        store.deliveries(&filter).unwrap().len()
    };
    assert_eq!([seen(&mut store, ""), seen(&mut store, "b"), seen(&mut store, "unknown")], [1, 2, 0]);
    assert_eq!(store.stats(Some("b")).unwrap().pending, 2);
    assert_eq!(store.stats(Some("unknown")).unwrap().oldest_pending_at, None);
    // Removing one site's endpoints leaves the other's alone.
    queue.configure("", json!([]));
    let mut sending = queue.send();
    sending.run(|_| OK);
    assert_eq!(sending.records(), ["contact:2", "contact:3"]);
    assert_eq!((store.stats(Some("")).unwrap().cancelled, store.stats(Some("b")).unwrap().delivered), (1, 2));
}

#[test]
fn an_endpoint_keeps_every_setting_in_the_queue() {
    let mut queue = Queue::new();
    let config = json!({"id": "crm", "url": "https://crm.example/in", "secret": ["newer-secret", "older-secret"],
        "schedule": [1.5, 2], "timeout": 3, "headers": {"X-Key": "k"}, "max_age": 60, "rate_per_second": 2.5,
        "max_concurrency": 4, "ordered": true, "events": ["deal.*"], "site": "b"});
    queue.configure("b", json!([config]));
    queue.store().accept(&[event("deal.won", "b", "deal:1")], START).unwrap();
    let mut sending = queue.send();
    sending.turn();
    assert_eq!(*sending.in_flight[0].endpoint, endpoints(json!([config]))[0]);
}
