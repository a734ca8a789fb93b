//! Lists, filters, pages, and forgetting what is old.

use posthorn::store::{DeliveryRow, Filter, State};
use serde_json::json;

use crate::rig::{DAY, HOUR, OK, Queue, Reply, START, endpoint, event};

/// Sixty events a millisecond apart, for two endpoints, in every state.
fn lived_in() -> Queue {
    let mut queue = Queue::with(json!([endpoint("a", json!({})), endpoint("b", json!({"schedule": []}))]));
    queue.configure("shop", json!([endpoint("a", json!({"url": "https://shop.example/"}))]));
    let mut store = queue.store();
    for number in 0..60 {
        queue.clock.advance(1);
        let (name, site) = (["contact.updated", "deal.won"][number % 2], ["", "", "shop"][number % 3]);
        store.accept(&[event(name, site, &format!("contact:{}", number % 5))], queue.now()).unwrap();
    }
    let mut sending = queue.send();
    sending.run(|job| match (job.endpoint.id.as_str(), job.due.event.seq % 4) {
        ("b", 1) => Reply::Status(404),
        (_, 2) => Reply::Refuses,
        _ => OK,
    });
    queue
}

fn find(queue: &Queue, filter: Filter) -> Vec<DeliveryRow> {
    queue.store().deliveries(&Filter { limit: filter.limit.or(Some(1000)), ..filter }).unwrap()
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn every_filter_selects_what_it_says_and_all_that_are_given_hold() {
    let queue = lived_in();
    let all = find(&queue, Filter::default());
    assert_eq!(all.len(), 100);
    assert!(all.windows(2).all(|pair| pair[0].created_at >= pair[1].created_at), "not the newest first");
    let some = &all[37];
    type Holds = Box<dyn Fn(&DeliveryRow) -> bool>;
    let (id, event_id, at) = (some.id, some.event_id, some.created_at);
    let cases: Vec<(Filter, Holds)> = vec![
        (Filter { id: Some(id), ..Filter::default() }, Box::new(move |row| row.id == id)),
        (Filter { event_id: Some(event_id), ..Filter::default() }, Box::new(move |row| row.event_id == event_id)),
        (Filter { site: text("shop"), ..Filter::default() }, Box::new(|row| row.site == "shop")),
        (Filter { event: text("deal.won"), ..Filter::default() }, Box::new(|row| row.event == "deal.won")),
        (Filter { record: text("contact:3"), ..Filter::default() }, Box::new(|row| row.record == "contact:3")),
        (Filter { endpoint: text("b"), ..Filter::default() }, Box::new(|row| row.endpoint == "b")),
        (Filter { since: Some(at), ..Filter::default() }, Box::new(move |row| row.created_at >= at)),
        (Filter { until: Some(at), ..Filter::default() }, Box::new(move |row| row.created_at < at)),
        (Filter { state: Some(State::Dead), ..Filter::default() }, Box::new(|row| row.state == State::Dead)),
        (Filter { state: Some(State::Pending), ..Filter::default() }, Box::new(|row| row.state == State::Pending)),
        (Filter { state: Some(State::Delivered), ..Filter::default() }, Box::new(|row| row.state == State::Delivered)),
        (
            Filter { site: text(""), event: text("deal.won"), state: Some(State::Dead), ..Filter::default() },
            Box::new(|row| row.site.is_empty() && row.event == "deal.won" && row.state == State::Dead),
        ),
    ];
    for (filter, holds) in cases {
        let expected: Vec<_> = all.iter().filter(|row| holds(row)).map(|row| row.id).collect();
        let found: Vec<_> = find(&queue, filter.clone()).iter().map(|row| row.id).collect();
        assert!(!expected.is_empty(), "{filter:?}");
        assert_eq!(found, expected, "{filter:?}");
        let count = queue.store().count(&Filter { limit: Some(1), ..filter.clone() }).unwrap();
        assert_eq!(count, expected.len() as u64, "{filter:?}");
    }
    assert_eq!(queue.store().count(&Filter::default()).unwrap(), 100);
    assert!(find(&queue, Filter { state: Some(State::Cancelled), ..Filter::default() }).is_empty());
    assert!(find(&queue, Filter { record: text("' OR 1 --"), ..Filter::default() }).is_empty());
}

#[test]
fn pages_join_without_a_gap_or_a_repeat_while_new_deliveries_come() {
    let queue = lived_in();
    let all: Vec<_> = find(&queue, Filter::default()).iter().map(|row| row.id).collect();
    let mut paged = Vec::new();
    let mut before = None;
    loop {
        let page = find(&queue, Filter { limit: Some(7), before, ..Filter::default() });
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 7);
        before = Some(last.id);
        paged.extend(page.iter().map(|row| row.id));
        queue.clock.advance(1);
        queue.accept(&["contact:new"]);
    }
    assert_eq!(paged, all);
}

#[test]
fn the_newest_that_wait_are_listed_whether_few_or_many_wait() {
    let queue = Queue::with(json!([endpoint("a", json!({}))]));
    for count in [20, 6000] {
        queue.clock.advance(1);
        queue.accept_many(count);
        queue.stats();
        queue.clock.advance(1);
        queue.accept(&["contact:last"]);
        let filter = Filter { state: Some(State::Pending), limit: Some(20), ..Filter::default() };
        let page = find(&queue, filter);
        assert_eq!((page.len(), page[0].record.as_str()), (20, "contact:last"));
        assert!(page.windows(2).all(|pair| pair[0].id > pair[1].id));
    }
}

#[test]
fn a_page_has_50_rows_unless_told_and_never_more_than_1000() {
    let queue = Queue::with(json!([endpoint("a", json!({}))]));
    queue.accept_many(1200);
    assert_eq!(queue.store().deliveries(&Filter::default()).unwrap().len(), 50);
    assert_eq!(find(&queue, Filter { limit: Some(5000), ..Filter::default() }).len(), 1000);
    assert!(find(&queue, Filter { limit: Some(0), ..Filter::default() }).is_empty());
}

#[test]
fn the_log_of_a_delivery_tells_every_request() {
    let queue = Queue::with(json!([endpoint("a", json!({"secret": "s3cret", "headers": {"X-Key": "hidden"}}))]));
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| Reply::TimesOut);
    queue.clock.advance(HOUR);
    sending.run(|_| OK);
    let (_, attempts) = queue.store().attempts(queue.delivery("contact:1").id).unwrap().unwrap();
    let [failed, answered] = attempts.as_slice() else { panic!("{attempts:?}") };
    assert_eq!((failed.n, failed.status, failed.started_at), (1, None, START));
    assert_eq!(failed.error.as_deref(), Some("no answer within 15 s"));
    assert_eq!((answered.n, answered.status, &answered.error), (2, Some(200), &None));
    assert_eq!((answered.response_body.as_slice(), answered.duration_us), (b"ok".as_slice(), 3000));
    let stored = format!("{attempts:?}");
    assert!(stored.contains("X-Key") && !stored.contains("hidden") && !stored.contains("s3cret"), "{stored}");
    let unknown = posthorn::event::EventId::new(START).delivery(1);
    assert!(queue.store().attempts(unknown).unwrap().is_none());
}

#[test]
fn what_arrived_is_kept_for_a_week_and_what_died_for_ninety_days() {
    let queue = Queue::with(json!([endpoint("a", json!({"schedule": []}))]));
    queue.accept(&["contact:1", "contact:2", "contact:3"]);
    let mut sending = queue.send();
    sending.run(|job| if job.due.event.context.record == "contact:2" { Reply::Status(500) } else { OK });
    let kept = |queue: &Queue| {
        let mut records: Vec<String> = queue.deliveries().into_iter().map(|row| row.record).collect();
        records.sort();
        records
    };
    queue.clock.advance(6 * DAY);
    queue.accept(&["contact:4"]);
    sending.run(|_| OK);
    queue.clock.advance(DAY - 1);
    sending.run(|_| OK);
    assert_eq!(kept(&queue).len(), 4);
    queue.clock.advance(2 * HOUR);
    sending.forget();
    assert_eq!(kept(&queue), ["contact:2", "contact:4"]);
    assert!(queue.store().attempts(queue.delivery("contact:2").id).unwrap().is_some());
    queue.clock.advance(80 * DAY);
    sending.forget();
    assert_eq!((queue.state("contact:2"), queue.stats().dead), (State::Dead, 1));
    queue.clock.advance(5 * DAY);
    sending.forget();
    assert_eq!(queue.stats().dead, 0);
    let left: (i64, i64) = queue
        .raw()
        .query_row("SELECT (SELECT count(*) FROM attempt WHERE delivery NOT IN (SELECT id FROM delivery)), (SELECT count(*) FROM event)", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(left, (0, 1), "requests without a delivery, events");
}

#[test]
fn what_waits_is_never_forgotten_however_old() {
    let mut queue = Queue::with(json!([endpoint("a", json!({"max_age": 31_536_000}))]));
    queue.accept(&["contact:1", "contact:2"]);
    queue.configure("", json!([endpoint("a", json!({"max_age": 31_536_000, "enabled": false}))]));
    let mut sending = queue.send();
    for _ in 0..5 {
        queue.clock.advance(60 * DAY);
        sending.run(|_| OK);
    }
    queue.configure("", json!([endpoint("a", json!({"max_age": 31_536_000}))]));
    sending.run(|_| OK);
    assert_eq!(sending.records(), ["contact:1", "contact:2"]);
}

#[test]
fn the_sequence_goes_on_after_everything_was_forgotten() {
    let queue = Queue::with(json!([endpoint("a", json!({}))]));
    queue.accept(&["contact:1", "contact:2", "contact:3"]);
    let mut sending = queue.send();
    sending.run(|_| OK);
    queue.clock.advance(100 * DAY);
    sending.run(|_| OK);
    drop(sending);
    queue.accept(&["contact:4"]);
    let mut sending = queue.send();
    sending.run(|_| OK);
    assert_eq!(sending.sent[0].header("Webhook-Sequence"), "4");
}
