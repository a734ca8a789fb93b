//! Fields that an endpoint is not sent.

use posthorn::format;
use posthorn::json::to_js_string;
use serde_json::{Value, json};

use crate::format::{attempt, body_in, endpoint, event};

#[test]
fn fields_that_are_left_out_are_nowhere_in_the_body() {
    let data = json!({"id": 9, "private_note": "hush-1", "price": 725_000, "owner": {"name": "Zoë", "phone": "hush-2"},
        "visits": [{"by": "Bob", "phone": "x", "note": "hush-3"}], "private_notes": "kept"});
    let context = json!({
        "previous": {"private_note": "hush-4", "price": 750_000, "owner": {"phone": "hush-5", "name": "Zoe"}},
        "changes": ["private_note", "price", "owner.phone", "owner.name"],
    });
    let event = event("property.price_changed", data, context);
    let omit = json!(["private_note", "property.owner.phone", "visits.note"]);
    for format in format::all() {
        let endpoint = endpoint(json!({"url": "https://hooks.example/in", "format": format.name, "omit": omit}));
        let body = format::body(&endpoint, &event);
        assert!(!body.contains("hush") && (body.contains("kept") || format.unsigned), "{body}");
        assert_eq!(to_js_string(&serde_json::from_str(&body).unwrap()), body, "{}", format.name);
        assert_eq!(format::render(&endpoint, &event, &attempt(&event)).body, body);
    }
    let endpoint = endpoint(json!({"url": "https://hooks.example/in", "format": "winnerr", "omit": omit}));
    let body: Value = serde_json::from_str(&format::body(&endpoint, &event)).unwrap();
    assert_eq!(body["data"]["changes"], json!(["price", "owner.name"]));
    assert_eq!(body["data"]["previousAttributes"], json!({"price": 750_000, "owner": {"name": "Zoe"}}));
    assert_eq!(body["data"]["object"]["visits"], json!([{"by": "Bob", "phone": "x"}]));
    assert_eq!(body["data"]["priceChange"]["newPrice"], 725_000);
}

#[test]
fn what_is_left_out_may_begin_with_the_word_that_the_events_name_begins_with() {
    let event = event("communication.call_ended", json!({"message": "hush", "call": {"message": "kept"}}), json!({}));
    for path in ["message", "call.message", "communication.message"] {
        let endpoint = endpoint(json!({"url": "https://hooks.example/in", "format": "github", "omit": [path]}));
        let body: Value = serde_json::from_str(&format::body(&endpoint, &event)).unwrap();
        assert_eq!(body["data"].get("message"), None, "{path}");
    }
}

#[test]
fn changes_that_are_keyed_lose_what_is_left_out_too() {
    let context = json!({"previous": {"private_note": "a"}, "changes": {"private_note": "b", "stage": "c"}});
    let event = event("deal.updated", json!({"id": 1}), context);
    let body: Value = serde_json::from_str(&body_in("winnerr", &event)).unwrap();
    assert_eq!(body["data"]["changes"], json!(["stage"]));
    assert_eq!(body["data"]["previousAttributes"], json!({}));
}
