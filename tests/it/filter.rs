//! Which records an endpoint's filters let pass.

use posthorn::endpoint::Endpoint;
use posthorn::error::Error;
use posthorn::event::NewEvent;
use posthorn::filter::{Filters, Record};
use posthorn::json::to_js_string;
use serde_json::{Value, json};

use crate::rig::{Queue, START, endpoint};

fn passes(filters: Value, data: Value) -> bool {
    let filters = Filters::from_json(Some(&filters)).unwrap();
    filters.pass(&Record::new("contact", &to_js_string(&data)))
}

#[test]
fn every_operator_holds_for_every_pair_of_values_as_in_node() {
    let table: Value = serde_json::from_str(include_str!("filters/table.json")).unwrap();
    let values = table["values"].as_array().unwrap();
    for operator in ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"] {
        for (field, row) in values.iter().zip(table[operator].as_array().unwrap()) {
            for (operand, expected) in values.iter().zip(row.as_str().unwrap().chars()) {
                let condition = match operator {
                    "in" | "nin" => json!({operator: [operand, "other"]}),
                    _ => json!({operator: operand}),
                };
                let holds = passes(json!({"f": condition}), json!({"f": field}));
                assert_eq!(holds, expected == '1', "{field} {operator} {operand}");
            }
        }
    }
}

#[test]
fn a_plain_value_is_equality_of_type_and_value() {
    assert!(passes(json!({"status": "Active"}), json!({"status": "Active"})));
    assert!(!passes(json!({"status": "Active"}), json!({"status": "active"})));
    assert!(!passes(json!({"score": 5}), json!({"score": "5"})));
    assert!(passes(json!({"score": 5}), json!({"score": 5.0})));
    assert!(passes(json!({"agent": null}), json!({"agent": null})));
    assert!(!passes(json!({"agent": false}), json!({"agent": null})));
    // It goes out as text, and is compared as what goes out.
    assert!(passes(json!({"id": 9_007_199_254_740_993_i64}), json!({"id": 9_007_199_254_740_993_i64})));
}

#[test]
fn all_conditions_and_all_operators_must_hold() {
    let filters = json!({"score": {"gte": 70, "lt": 90}, "stage": {"in": ["New", "Hot"]}});
    assert!(passes(filters.clone(), json!({"score": 70, "stage": "Hot"})));
    assert!(!passes(filters.clone(), json!({"score": 90, "stage": "Hot"})));
    assert!(!passes(filters.clone(), json!({"score": 69, "stage": "Hot"})));
    assert!(!passes(filters, json!({"score": 75, "stage": "Cold"})));
}

#[test]
fn a_missing_field_passes_only_ne_and_nin() {
    for (condition, expected) in [
        (json!({"ne": 1}), true),
        (json!({"nin": [1]}), true),
        (json!({"ne": null}), true),
        (json!({"eq": null}), false),
        (json!(null), false),
        (json!({"in": [null]}), false),
        (json!({"gte": null}), false),
        (json!({"lte": 0}), false),
        (json!({"gt": -1}), false),
        (json!({"lt": 1}), false),
        (json!({"ne": 1, "lt": 1}), false),
    ] {
        assert_eq!(passes(json!({"gone": condition}), json!({"here": 1})), expected, "{condition}");
        assert_eq!(passes(json!({"here.gone": condition}), json!({"here": 1})), expected, "{condition}");
    }
}

#[test]
fn what_is_no_condition_matches_nothing_and_is_warned_of() {
    for (condition, why) in [
        (json!({}), "no operator"),
        (json!([]), "no operator"),
        (json!([5]), "in => ["),
        (json!({"equals": 5}), "'equals' is none of the operators eq, ne"),
        (json!({"ne": 6, "EQ": 5}), "'EQ'"),
        (json!({"in": 5}), "in needs a list, not an integer"),
        (json!({"nin": {"a": 5}}), "nin needs a list"),
    ] {
        let filters = Filters::from_json(Some(&json!({"deal.f": condition, "g": {"ne": 1}}))).unwrap();
        for data in [json!({"f": 5}), json!({"f": [5]}), json!({"f": {}}), json!({})] {
            assert!(!filters.pass(&Record::new("deal", &data.to_string())), "{condition} {data}");
        }
        let [(path, text)] = &filters.warnings()[..] else { panic!("{condition}: {:?}", filters.warnings()) };
        assert_eq!(path, "deal.f");
        assert!(text.contains(why), "{text}");
    }
    assert!(Filters::from_json(Some(&json!({"f": {"eq": [5]}}))).unwrap().warnings().is_empty());
}

#[test]
fn a_path_means_the_same_with_the_name_of_the_entity_in_front() {
    let data = json!({"leadScore": 80, "address": {"city": "Miami"}, "tags": ["vip", {"name": "buyer"}]});
    for path in ["leadScore", "contact.leadScore"] {
        assert!(passes(json!({path: {"gte": 80}}), data.clone()), "{path}");
        assert!(!passes(json!({path: {"gt": 80}}), data.clone()), "{path}");
    }
    assert!(!passes(json!({"deal.leadScore": {"gte": 80}}), data.clone()));
    assert!(!passes(json!({"contact": {"ne": null}, "leadScore": 1}), data.clone()));
    assert!(passes(json!({"contact.address.city": "Miami", "address.city": "Miami"}), data.clone()));
    assert!(passes(json!({"tags.0": "vip", "tags.1.name": "buyer"}), data.clone()));
    assert!(!passes(json!({"tags.2": null}), data));
    // A field that is called like the entity is meant first.
    assert!(passes(json!({"contact.id": 2}), json!({"contact": {"id": 2}, "id": 1})));
    assert!(passes(json!({"contact.id": 1}), json!({"contact": "x", "id": 1})));
}

#[test]
fn a_path_may_begin_with_the_word_that_the_events_name_begins_with() {
    let data = json!({"duration": 184, "to": "zoe@example.com"});
    for (name, path, expected) in [
        ("communication.call_ended", "communication.duration", true),
        ("communication.call_ended", "call.duration", true),
        ("call.completed", "communication.duration", true),
        ("communication.email_sent", "email.to", true),
        ("communication.email_sent", "call.duration", false),
        ("contact.updated", "communication.duration", false),
    ] {
        let event = NewEvent::new(name, &data, &json!({}), 1 << 20).unwrap();
        let filters = Filters::from_json(Some(&json!({path: {"in": [184, "zoe@example.com"]}}))).unwrap();
        assert_eq!(filters.pass_event(&event), expected, "{path} of {name}");
    }
}

#[test]
fn what_is_no_filter_is_refused_with_its_key() {
    let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
    let many: Value = (0..51).map(|n| (format!("f{n}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
    for (filters, key, rule) in [
        (json!("status=Active"), "filters", "got a string"),
        (json!(["status"]), "filters", "got a list"),
        (json!({"": 1}), "filters.", "no path"),
        (json!({"a..b": 1}), "filters.a..b", "no path"),
        (json!({"a": {"eq": deep}}), "filters.a", "deeper"),
        (json!({"a": {"in": ["x".repeat(70_000)]}}), "filters", "limit is 65536"),
        (many, "filters", "the limit is 50"),
    ] {
        let config = endpoint("a", json!({"filters": filters}));
        let Err(Error::InvalidArgument { key: found, message }) = Endpoint::from_json(&config) else { panic!("{key}") };
        assert_eq!(found, key);
        assert!(message.contains(rule), "{message}");
    }
    for none in [json!({}), json!([]), json!(null)] {
        assert!(Filters::from_json(Some(&none)).unwrap().is_empty());
    }
}

#[test]
fn an_event_that_does_not_pass_is_not_stored_for_that_endpoint() {
    let queue = Queue::with(json!([
        endpoint("hot", json!({"filters": {"contact.leadScore": {"gte": 70}}})),
        endpoint("cold", json!({"filters": {"leadScore": {"lt": 70}, "status": {"ne": "Lost"}}})),
        endpoint("all", json!({})),
    ]));
    let mut store = queue.store();
    for (record, data) in [
        ("contact:1", json!({"leadScore": 80})),
        ("contact:2", json!({"leadScore": 20})),
        ("contact:3", json!({"leadScore": 20, "status": "Lost"})),
        ("contact:4", json!({})),
    ] {
        let event = NewEvent::new("contact.updated", &data, &json!({"record": record}), 1 << 20).unwrap();
        store.accept(&[event], START).unwrap();
    }
    let mut rows: Vec<String> =
        queue.deliveries().into_iter().map(|row| format!("{} {}", row.record, row.endpoint)).collect();
    rows.sort();
    assert_eq!(
        rows,
        ["contact:1 all", "contact:1 hot", "contact:2 all", "contact:2 cold", "contact:3 all", "contact:4 all"]
    );
}

#[test]
fn a_test_passes_every_filter() {
    let queue = Queue::with(json!([endpoint("hot", json!({"filters": {"leadScore": {"gte": 70}}}))]));
    let test = NewEvent::new("test", &json!({"message": "hello"}), &json!({}), 1 << 20).unwrap();
    assert_eq!(queue.store().accept(&[test], START).unwrap()[0].deliveries, 1);
}
