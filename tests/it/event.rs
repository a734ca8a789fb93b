//! Events, their ids and their times, as the PHP API hands them over.

use posthorn::clock::{Clock as _, ManualClock, iso_millis, iso_seconds, parse_iso};
use posthorn::error::Error;
use posthorn::event::{DEFAULT_MAX_DATA_BYTES, DeliveryId, Event, EventId, NewEvent};
use serde_json::{Value, json};

/// 2026-04-17T12:34:56.789Z
const AT: i64 = 1_776_429_296_789;

fn refused(name: &str, data: Value, context: Value, max: usize) -> (String, String) {
    match NewEvent::new(name, &data, &context, max) {
        Err(Error::InvalidArgument { key, message }) => (key, message),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn an_event_is_kept_under_posthorns_own_name() {
    let event = NewEvent::new("deal.closed_won", &json!({}), &json!(null), DEFAULT_MAX_DATA_BYTES).unwrap();
    assert_eq!(event.name, "deal.won");
}

#[test]
fn a_name_that_means_some_records_only_is_refused_for_others() {
    for (name, meant, other, says) in [
        ("property.sold", json!({"status": "SOLD"}), json!({"status": "Rented"}), "whose status is 'sold'"),
        (
            "property.inquiry_received",
            json!({"property_id": 7}),
            json!({"property_id": "0"}),
            "whose property_id is set",
        ),
        ("deal.task_created", json!({"deal_id": "7"}), json!({}), "or call it task.created"),
    ] {
        let event = NewEvent::new(name, &meant, &json!({}), DEFAULT_MAX_DATA_BYTES).unwrap();
        assert_ne!(event.name, name);
        let (key, message) = refused(name, other.clone(), json!({}), DEFAULT_MAX_DATA_BYTES);
        assert!(key == "event" && message.contains(says), "{message}");
        assert!(NewEvent::new(event.name, &other, &json!({}), DEFAULT_MAX_DATA_BYTES).is_ok());
    }
}

#[test]
fn an_empty_php_array_is_an_object_without_fields() {
    let event = NewEvent::new("deal.won", &json!([]), &json!([]), DEFAULT_MAX_DATA_BYTES).unwrap();
    assert_eq!(event.data, "{}");
}

#[test]
fn each_bad_argument_is_named_by_its_key() {
    let max = DEFAULT_MAX_DATA_BYTES;
    let key = |context: Value| refused("deal.won", json!({}), context, max).0;
    assert_eq!(refused("deal.wonn", json!({}), json!({}), max).0, "event");
    assert_eq!(refused("deal.won", json!([1]), json!({}), max).0, "data");
    assert_eq!(refused("deal.won", json!("x"), json!({}), max).0, "data");
    assert_eq!(key(json!("x")), "context");
    assert_eq!(key(json!([1])), "context");
    assert_eq!(key(json!({"recrod": "contact:7"})), "context.recrod");
    assert_eq!(key(json!({"record": ["contact", 7]})), "context.record");
    assert_eq!(key(json!({"record": "x".repeat(201)})), "context.record");
    assert_eq!(key(json!({"occurred_at": "yesterday"})), "context.occurred_at");
    assert_eq!(key(json!({"occurred_at": 1_776_429_296})), "context.occurred_at");
    assert_eq!(key(json!({"source": "robot"})), "context.source");
    assert_eq!(key(json!({"user": "ann"})), "context.user");
    assert_eq!(key(json!({"previous": [1]})), "context.previous");
    assert_eq!(key(json!({"changes": "price"})), "context.changes");
}

#[test]
fn data_is_measured_as_it_is_sent() {
    // {"a":"…"} is eight bytes around the text.
    let data = json!({"a": "é".repeat(46)});
    assert!(NewEvent::new("deal.won", &data, &json!({}), 100).is_ok());
    let (key, message) = refused("deal.won", data.clone(), json!({}), 99);
    assert_eq!(key, "data");
    assert!(message.contains("100 bytes") && message.contains("max_data_bytes"), "{message}");
    assert_eq!(refused("deal.won", json!({}), json!({"previous": data}), 99).0, "context.previous");
}

#[test]
fn null_and_missing_are_the_same_in_a_context() {
    let context = json!({"record": null, "source": null, "user": null, "site_url": null, "occurred_at": null});
    let event = NewEvent::new("deal.won", &json!({}), &context, DEFAULT_MAX_DATA_BYTES).unwrap();
    assert_eq!(event.context, Default::default());
}

#[test]
fn an_event_happened_when_the_context_says_so_and_otherwise_at_acceptance() {
    let clock = ManualClock::at(AT);
    let happened = |context: Value| {
        let new = NewEvent::new("deal.won", &json!({}), &context, DEFAULT_MAX_DATA_BYTES).unwrap();
        Event::unstored(new, &clock).occurred_at()
    };
    assert_eq!(happened(json!({})), clock.now());
    assert_eq!(happened(json!({"occurred_at": "2026-04-17T14:00:00.5+02:00"})), 1_776_427_200_500);
}

#[test]
fn ids_have_one_spelling_and_sort_by_time() {
    let id = EventId::new(AT);
    let text = id.to_string();
    assert_eq!(text.len(), 4 + 32);
    assert_eq!(EventId::parse(&text), Some(id));
    assert_eq!(EventId::from_bytes(*id.as_bytes()), id);
    for other in [text.to_uppercase(), text.replace("evt_", ""), format!("{text} "), format!("evt_{{{}}}", &text[4..])]
    {
        assert_eq!(EventId::parse(&other), None, "{other}");
    }
    assert!(id < EventId::new(AT + 1));

    let delivery = id.delivery(7);
    assert_eq!(DeliveryId::parse(&delivery.to_string()), Some(delivery));
    assert_eq!(DeliveryId::parse(&delivery.to_string().replace('-', "")), None);
    assert_eq!(delivery, id.delivery(7));
    assert_ne!(delivery, id.delivery(8));
    assert!(delivery < EventId::new(AT + 1).delivery(7));
}

#[test]
fn times_are_cut_and_not_rounded_and_read_back() {
    assert_eq!(iso_millis(AT), "2026-04-17T12:34:56.789Z");
    assert_eq!(iso_seconds(AT), "2026-04-17T12:34:56Z");
    assert_eq!(iso_seconds(AT + 210), "2026-04-17T12:34:56Z");
    assert_eq!(iso_millis(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(parse_iso(&iso_millis(AT)), Some(AT));
    assert_eq!(parse_iso("2026-04-17T12:34:56"), None);
    assert_eq!(parse_iso("1776429296"), None);
    for broken in [i64::MIN, i64::MAX] {
        assert!(iso_seconds(broken).ends_with('Z') && iso_millis(broken).ends_with('Z'));
    }
}
