//! What goes over the wire in each format.

use posthorn::clock::ManualClock;
use posthorn::endpoint::Endpoint;
use posthorn::event::{Event, NewEvent};
use posthorn::format::{self, AttemptInfo, Format, Rendered, SecretForm};
use posthorn::json::to_js_string;
use posthorn::secret::Secret;
use serde_json::{Value, json};

/// 2026-04-17T12:34:56.789Z
const AT: i64 = 1_776_429_296_789;

pub fn event(name: &str, data: Value, context: Value) -> Event {
    let new = NewEvent::new(name, &data, &context, 1 << 20).unwrap();
    Event::unstored(new, &ManualClock::at(AT))
}

pub fn endpoint(config: Value) -> Endpoint {
    Endpoint::from_json(&config).unwrap()
}

pub fn body_in(format: &str, event: &Event) -> String {
    format::body(&endpoint(json!({"url": "https://hooks.example/in", "format": format})), event)
}

pub fn attempt(event: &Event) -> AttemptInfo {
    AttemptInfo { delivery: event.id.delivery(1), attempt: 2, now: AT + 300_000, test: false }
}

fn header<'a>(rendered: &'a Rendered, name: &str) -> Option<&'a str> {
    let mut found = rendered.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
    let first = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} is sent twice");
    first
}

fn format(name: &str) -> &'static std::sync::Arc<Format> {
    format::find(name).unwrap()
}

fn signed_formats() -> impl Iterator<Item = &'static std::sync::Arc<Format>> {
    format::all().iter().filter(|format| !format.unsigned)
}

#[test]
fn every_shared_signature_vector_verifies_in_every_format() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors/signatures.json")).unwrap();
    assert_eq!(vectors.len(), 9);
    for vector in &vectors {
        let text = |key: &str| vector[key].as_str().unwrap();
        let seconds = vector["timestamp"].as_i64().unwrap();
        let expected = vector["expect"].as_object().unwrap();
        assert_eq!(expected.len(), 7);
        for (name, headers) in expected {
            let format = format(name);
            let (header, value) =
                format.sign(&[Secret::new(text("secret"))], text("id"), seconds, text("body")).unwrap();
            assert_eq!(value, headers[header].as_str().unwrap(), "{name} over {}", text("body_name"));
        }
        let standard = &vector["standard_webhooks"];
        let secret = Secret::new(standard["secret"].as_str().unwrap());
        let signed = format("standard-webhooks").sign(&[secret], text("id"), seconds, text("body"));
        assert_eq!(signed, Some(("webhook-signature", standard["webhook-signature"].as_str().unwrap().to_owned())));
    }
}

#[test]
fn the_default_format_sends_the_crms_own_body_and_headers() {
    let event = event(
        "deal.won",
        json!({"deal_id": 15, "stage": "closed_won"}),
        json!({"site_url": "https://yoursite.example"}),
    );
    let endpoint =
        endpoint(json!({"url": "https://hooks.example/in", "secret": "s3cret", "headers": {"X-Team": "sales"}}));
    let rendered = format::render(&endpoint, &event, &attempt(&event));
    assert_eq!(
        rendered.body,
        r#"{"event":"deal.won","timestamp":"2026-04-17T12:34:56Z","data":{"deal_id":15,"stage":"closed_won"},"site_url":"https://yoursite.example"}"#
    );
    let names: Vec<&str> = rendered.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Content-Type",
            "User-Agent",
            "Webhook-Id",
            "Webhook-Attempt",
            "Webhook-Sequence",
            "X-CRM-Signature",
            "X-Team"
        ]
    );
    assert_eq!(header(&rendered, "Content-Type"), Some("application/json"));
    assert_eq!(header(&rendered, "User-Agent"), Some(concat!("Posthorn/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(header(&rendered, "Webhook-Id"), Some(event.id.to_string().as_str()));
    assert_eq!(header(&rendered, "Webhook-Attempt"), Some("2"));
    assert_eq!(header(&rendered, "Webhook-Sequence"), Some("0"));
    assert_eq!(header(&rendered, "Webhook-Test"), None);
    assert_eq!(header(&rendered, "X-Team"), Some("sales"));
}

#[test]
fn a_test_says_so_in_a_header() {
    let event = event("test", json!({}), json!({}));
    let info = AttemptInfo { test: true, ..attempt(&event) };
    let rendered = format::render(&endpoint(json!({"url": "https://hooks.example/in"})), &event, &info);
    assert_eq!(header(&rendered, "Webhook-Test"), Some("1"));
}

#[test]
fn without_a_secret_no_format_sends_a_signature() {
    let event = event("contact.created", json!({}), json!({}));
    for format in format::all() {
        let endpoint = endpoint(json!({"url": "https://hooks.example/in", "format": format.name}));
        let rendered = format::render(&endpoint, &event, &attempt(&event));
        let signature = format.signature_header().and_then(|name| header(&rendered, name));
        assert_eq!(signature, None, "{}", format.name);
    }
}

#[test]
fn while_secrets_rotate_standard_webhooks_and_stripe_sign_with_each_and_the_others_with_the_newest() {
    let event = event("contact.created", json!({}), json!({}));
    for format in signed_formats() {
        let secrets: Vec<String> =
            (0..2).map(|_| format::generate_secret(format).unwrap().expose().to_owned()).collect();
        let signature = |secret: Value| {
            let endpoint =
                endpoint(json!({"url": "https://hooks.example/in", "format": format.name, "secret": secret}));
            header(&format::render(&endpoint, &event, &attempt(&event)), format.signature_header().unwrap())
                .unwrap()
                .to_owned()
        };
        let (both, newer, older) =
            (signature(json!(secrets)), signature(json!(secrets[0])), signature(json!(secrets[1])));
        let expected = match format.name.as_str() {
            "standard-webhooks" => format!("{newer} {older}"),
            "stripe" => format!("{newer},{}", older.split_once(',').unwrap().1),
            _ => newer,
        };
        assert_eq!(both, expected, "{}", format.name);
    }
}

#[test]
fn only_the_time_signature_and_attempt_change_between_attempts() {
    let event = event("contact.created", json!({"contact_id": 7}), json!({}));
    for format in signed_formats() {
        let secret = format::generate_secret(format).unwrap().expose().to_owned();
        let endpoint = endpoint(json!({"url": "https://hooks.example/in", "format": format.name, "secret": secret}));
        let first = format::render(&endpoint, &event, &AttemptInfo { attempt: 1, now: AT, ..attempt(&event) });
        let second = format::render(&endpoint, &event, &attempt(&event));
        assert_eq!(first.body, second.body);
        for ((name, before), (_, after)) in first.headers.iter().zip(&second.headers) {
            let may_change = name == "Webhook-Attempt" || format.writes_header(name);
            assert!(before == after || may_change, "{}: {name}", format.name);
        }
    }
}

#[test]
fn generated_secrets_are_accepted_by_their_format_and_never_the_same() {
    for format in signed_formats() {
        let (one, other) = (format::generate_secret(format).unwrap(), format::generate_secret(format).unwrap());
        assert_ne!(one, other);
        assert!(one.expose().len() >= 43);
        assert_eq!(one.expose().starts_with("whsec_"), format.secret_form == SecretForm::Whsec);
        endpoint(json!({"url": "https://hooks.example/in", "format": format.name, "secret": one.expose()}));
    }
}

#[test]
fn bodies_have_the_keys_of_their_format_in_its_order() {
    let context = json!({
        "site_url": "https://yoursite.example",
        "organization": {"name": "Example Realty", "id": 4, "plan": "gold"},
        "user": {"email": "ann@example.com", "id": 2, "name": "Ann", "roles": ["editor"]},
    });
    let event = event("property.price_changed", json!({"id": 9, "price": 725000}), context);
    let id = event.id;
    let organization = r#"{"id":4,"name":"Example Realty"}"#;
    let user = r#"{"id":2,"name":"Ann","email":"ann@example.com"}"#;
    let name = "property.price_changed";
    let time = "2026-04-17T12:34:56Z";
    let data = r#"{"id":9,"price":725000}"#;
    for (format, body) in [
        (
            "wpresidence",
            format!(r#"{{"event":"{name}","timestamp":"{time}","data":{data},"site_url":"https://yoursite.example"}}"#),
        ),
        (
            "winnerr",
            format!(
                r#"{{"id":"{id}","event":"{name}","apiVersion":"2024-01","createdAt":"{time}","data":{{"object":{data},"previousAttributes":null,"changes":null,"priceChange":{{"previousPrice":null,"newPrice":725000,"changeAmount":null,"changePercentage":null}}}},"organization":{organization},"user":{user}}}"#
            ),
        ),
        ("winnerr-settings", format!(r#"{{"event":"{name}","timestamp":"{time}","organizationId":4,"data":{data}}}"#)),
        ("realtorbot", format!(r#"{{"id":"{id}","type":"{name}","timestamp":"{time}","data":{data}}}"#)),
        ("real-estate", format!(r#"{{"id":"{id}","type":"{name}","created":"{time}","data":{{"property":{data}}}}}"#)),
        ("standard-webhooks", format!(r#"{{"type":"{name}","timestamp":"{time}","data":{data}}}"#)),
        ("stripe", format!(r#"{{"id":"{id}","type":"{name}","created":"{time}","data":{{"object":{data}}}}}"#)),
    ] {
        assert_eq!(body_in(format, &event), body, "{format}");
    }
}

#[test]
fn every_body_of_every_sample_is_javascript_stable() {
    let context = json!({"previous": {"10": 1, "2": "x", "price": 1.50, "stage": "New"}, "changes": ["10", "2", "price", "stage"],
        "user": {"id": 1.0}, "organization": {"id": -0.0}, "site_url": "https://x.example/\u{2028}"});
    for entry in posthorn::catalogue::all() {
        let event = event(entry.name, Value::Object(entry.sample()), context.clone());
        for format in format::all() {
            let body = body_in(&format.name, &event);
            assert_eq!(to_js_string(&serde_json::from_str(&body).unwrap()), body, "{} in {}", entry.name, format.name);
        }
    }
}

#[test]
fn winnerr_gets_old_values_nested_and_changes_dotted() {
    let context = json!({
        "previous": {"price": 750000, "address": {"city": "Miami", "zip": "02139"}, "title": "Same"},
        "changes": ["price", "address.city"],
    });
    let event = event("property.price_changed", json!({"id": 9, "price": 725000}), context);
    let body: Value = serde_json::from_str(&body_in("winnerr", &event)).unwrap();
    assert_eq!(
        body["data"],
        json!({
            "object": {"id": 9, "price": 725000},
            "previousAttributes": {"price": 750000, "address": {"city": "Miami"}},
            "changes": ["price", "address.city"],
            "priceChange": {"previousPrice": 750000, "newPrice": 725000, "changeAmount": -25000, "changePercentage": -0.033},
        })
    );
}

#[test]
fn winnerr_gets_a_price_change_also_from_a_property_that_had_no_price() {
    for (old, new, expected) in [
        (json!({"price": ""}), json!({"price": 100}), json!([null, 100, null, null])),
        (json!({"price": 100}), json!({"price": ""}), json!([100, null, null, null])),
        (json!({"price": 0}), json!({"price": 100}), json!([0, 100, 100, null])),
        (json!({"price": "750000"}), json!({"price": "725000.50"}), json!([750_000, 725_000.5, -24_999.5, -0.033])),
    ] {
        let event = event("property.price_changed", new, json!({"previous": old, "changes": ["price"]}));
        let body: Value = serde_json::from_str(&body_in("winnerr", &event)).unwrap();
        let change = &body["data"]["priceChange"];
        let told: Vec<&Value> = ["previousPrice", "newPrice", "changeAmount", "changePercentage"]
            .iter()
            .map(|key| change.get(key).unwrap_or(&Value::Bool(false)))
            .collect();
        assert_eq!(json!(told), expected);
    }
}

#[test]
fn winnerr_gets_the_stage_a_deal_left_and_only_the_id_of_what_was_deleted() {
    let moved =
        event("deal.stage_changed", json!({"deal_id": 15, "stage": "Offer"}), json!({"previous": {"stage": "New"}}));
    let body: Value = serde_json::from_str(&body_in("winnerr", &moved)).unwrap();
    assert_eq!(body["data"]["object"], json!({"deal_id": 15, "stage": "Offer", "previousStage": "New"}));
    assert_eq!(body["data"]["changes"], json!(["stage"]));

    let deleted = event("contact.deleted", json!({"contact_id": 7, "email": "zoe@example.com"}), json!({}));
    let body: Value = serde_json::from_str(&body_in("winnerr", &deleted)).unwrap();
    assert_eq!(body["data"]["object"], json!({"id": 7}));
}

#[test]
fn an_event_goes_out_under_the_name_its_format_has_for_it() {
    let name = |format: &str, name: &str, data: Value| {
        let body: Value = serde_json::from_str(&body_in(format, &event(name, data, json!({})))).unwrap();
        body.get("event").or(body.get("type")).unwrap().as_str().unwrap().to_owned()
    };
    assert_eq!(name("wpresidence", "deal.won", json!({})), "deal.won");
    assert_eq!(name("wpresidence", "deal.closed_won", json!({})), "deal.won");
    assert_eq!(name("winnerr-settings", "deal.won", json!({})), "deal.closed_won");
    assert_eq!(name("real-estate", "user.created", json!({})), "user.registered");
    assert_eq!(name("winnerr", "user.created", json!({})), "user.created");
    assert_eq!(name("realtorbot", "communication.email_sent", json!({})), "email.sent");
    assert_eq!(name("winnerr", "task.completed", json!({"deal_id": 15})), "deal.task_completed");
    assert_eq!(name("winnerr", "task.completed", json!({"deal_id": 0})), "task.completed");
    assert_eq!(name("winnerr-settings", "task.completed", json!({"deal_id": 15})), "task.completed");
    assert_eq!(name("real-estate", "property.status_changed", json!({"status": "Sold"})), "property.sold");
    assert_eq!(name("real-estate", "property.status_changed", json!({"status": "Rented"})), "property.status_changed");
    assert_eq!(name("winnerr", "property.status_changed", json!({"status": "Sold"})), "property.status_changed");
}

#[test]
fn each_format_adds_the_headers_that_its_receivers_read() {
    let event = event("deal.won", json!({}), json!({}));
    let info = attempt(&event);
    let seconds = (info.now / 1000).to_string();
    let render =
        |format: &str| format::render(&endpoint(json!({"url": "https://h.example/", "format": format})), &event, &info);

    let winnerr = render("winnerr");
    assert_eq!(header(&winnerr, "X-Winnerr-Event"), Some("deal.won"));
    assert_eq!(header(&winnerr, "X-Winnerr-Delivery"), Some(info.delivery.to_string().as_str()));
    assert_eq!(header(&winnerr, "X-Winnerr-Timestamp"), Some(seconds.as_str()));
    let agent = concat!("Winnerr-Webhooks/1.0 Posthorn/", env!("CARGO_PKG_VERSION"));
    assert_eq!(header(&winnerr, "User-Agent"), Some(agent));

    assert_eq!(header(&render("real-estate"), "X-Webhook-Timestamp"), Some(seconds.as_str()));
    assert_eq!(header(&render("github"), "X-GitHub-Event"), Some("deal.won"));
    assert_eq!(header(&render("github"), "X-GitHub-Delivery"), Some(info.delivery.to_string().as_str()));
    let standard = render("standard-webhooks");
    assert_eq!(header(&standard, "webhook-id"), Some(event.id.to_string().as_str()));
    assert_eq!(header(&standard, "webhook-timestamp"), Some(seconds.as_str()));
}

#[test]
fn schedules_and_timeouts_are_those_of_the_documentation() {
    for (name, timeout, schedule, https_only, needs_secret) in [
        ("wpresidence", 15, &[300, 300][..], false, false),
        ("winnerr", 30, &[1, 30, 300, 1800], true, true),
        ("winnerr-settings", 10, &[10, 120, 900], true, false),
        ("realtorbot", 15, &[1, 5, 30, 300], false, false),
        ("real-estate", 5, &[300, 1800, 7200, 18000, 36000], false, true),
    ] {
        let format = format(name);
        assert_eq!(format.timeout().as_secs(), timeout, "{name}");
        assert_eq!(format.schedule().iter().map(|delay| delay.as_secs()).collect::<Vec<_>>(), schedule, "{name}");
        assert_eq!((format.https_only, format.needs_secret), (https_only, needs_secret), "{name}");
    }
    assert_eq!(format::all()[0].name, format::DEFAULT);
    assert!(format("stripe").needs_secret && format("standard-webhooks").needs_secret);
}

#[test]
fn headers_to_be_stored_lack_what_the_owner_put_into_them() {
    let event = event("deal.won", json!({}), json!({}));
    let endpoint = endpoint(json!({"url": "https://hooks.example/in", "headers": {"authorization": "Bearer t0ken"}}));
    let rendered = format::render(&endpoint, &event, &attempt(&event));
    assert_eq!(header(&rendered, "Authorization"), Some("Bearer t0ken"));
    let stored = rendered.loggable_headers(&endpoint);
    assert_eq!(stored.len(), rendered.headers.len());
    assert!(stored.iter().any(|(name, value)| name == "Webhook-Attempt" && value == "2"));
    assert!(!format!("{stored:?}").contains("t0ken"));
}

#[test]
fn a_private_note_is_left_out_unless_the_endpoint_says_otherwise() {
    let event = event("contact.created", json!({"private_note": "hush", "id": 7}), json!({}));
    let body = |more: Value| {
        let mut config = json!({"url": "https://hooks.example/in"});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format::body(&endpoint(config), &event)
    };
    assert!(!body(json!({})).contains("hush"));
    assert!(body(json!({"omit": []})).contains("hush"));
    assert!(body(json!({"omit": ["id"]})).contains(r#""data":{"private_note":"hush"}"#));
    assert!(body(json!({"omit": ["id", "contact.private_note"]})).contains(r#""data":{}"#));
}

#[test]
fn a_secret_with_an_end_signs_until_then() {
    let event = event("deal.won", json!({}), json!({}));
    let now = AT + 300_000;
    let iso = |at: i64| posthorn::clock::iso_millis(at);
    for (name, both) in [("stripe", true), ("github", false), ("winnerr", false)] {
        let signature = |secret: Value| {
            let endpoint = endpoint(json!({"url": "https://hooks.example/in", "format": name, "secret": secret}));
            header(&format::render(&endpoint, &event, &attempt(&event)), format(name).signature_header().unwrap())
                .map(str::to_owned)
        };
        let (new, old) = (signature(json!("new")), signature(json!("old")));
        let lives = json!({"secret": "old", "until": iso(now + 1000)});
        let ended = json!({"secret": "old", "until": iso(now - 1000)});
        let rotating = signature(json!(["new", lives]));
        assert_eq!(rotating == new, !both, "{name}");
        assert_eq!(rotating, signature(json!(["new", "old"])), "{name}");
        assert_eq!(signature(json!(["new", ended])), new, "{name}");
        // The first that lives signs, where only one does.
        assert_eq!(signature(json!([ended, "new"])), new, "{name}");
        assert_eq!(signature(json!([lives, "new"])) == old, !both, "{name}");
    }
}
