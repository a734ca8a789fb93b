//! Formats that are defined at run time, in the form of `src/formats/*.toml`.

use posthorn::clock::ManualClock;
use posthorn::endpoint::Endpoint;
use posthorn::event::{Event, NewEvent};
use posthorn::format::{self, AttemptInfo, Rendered};
use serde_json::{Value, json};

use crate::endpoint::{assert_refused, with};
use crate::rig::{OK, Queue};

fn definition() -> Value {
    json!({
        "name": "mine", "title": "Mine", "timeout_s": 7, "schedule_s": [1, 2.5], "https_only": true, "needs_secret": true,
        "secret_form": "text", "user_agent": "Mine/1 Posthorn/{version}", "events": ["deal.closed_won", "contact.created", "contact.updated"],
        "body": [
            {"key": "kind", "value": "event_name"}, {"key": "v", "text": "2"}, {"key": "record", "value": "data_as_object"},
        ],
        "headers": [{"name": "X-Mine", "value": "{event}/{delivery}@{ts}"}],
        "signature": {"header": "X-Sig", "signed": "{id}:{ts}:{body}", "prefix": "t={ts};", "each": "s={hex}", "separator": ";"},
    })
}

fn unsigned(format: &mut Value) {
    format.as_object_mut().unwrap().remove("signature");
    format["unsigned"] = json!(true);
}

fn changed(change: impl Fn(&mut Value)) -> Value {
    let mut definition = definition();
    change(&mut definition);
    json!({"format": definition})
}

fn request(endpoint: &Endpoint, name: &str) -> Rendered {
    let context =
        json!({"site_url": "https://a.example", "organization": {"id": 1, "name": "A"}, "previous": {"id": 2}});
    let new = NewEvent::new(name, &json!({"id": 7, "price": 1.50}), &context, 1 << 20).unwrap();
    let mut event = Event::unstored(new, &ManualClock::at(1_776_429_296_789));
    event.id = posthorn::event::EventId::parse("evt_0196437c6b7e7c3e9d5a4f2b8c1d0e9f").unwrap();
    let info = AttemptInfo { delivery: event.id.delivery(1), attempt: 2, now: event.accepted_at, test: false };
    format::render(endpoint, &event, &info)
}

#[test]
fn a_definition_says_what_is_sent_and_what_an_endpoint_has_by_default() {
    let endpoint = with(json!({"format": definition(), "secret": ["new", "old"]}));
    assert_eq!((endpoint.format.name.as_str(), endpoint.timeout.as_secs()), ("mine", 7));
    assert_eq!(endpoint.schedule.iter().map(|delay| delay.as_millis()).collect::<Vec<_>>(), [1000, 2500]);
    let sent = request(&endpoint, "deal.won");
    assert_eq!(sent.body, r#"{"kind":"deal.closed_won","v":"2","record":{"object":{"id":7,"price":1.5}}}"#);
    let header =
        |name: &str| sent.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str()).unwrap();
    assert_eq!(header("User-Agent"), concat!("Mine/1 Posthorn/", env!("CARGO_PKG_VERSION")));
    assert!(header("X-Mine").starts_with("deal.closed_won/0196437c-") && header("X-Mine").ends_with("@1776429296"));
    let signature: Vec<&str> = header("X-Sig").split(';').collect();
    assert!(matches!(signature[..], ["t=1776429296", one, two] if one.len() == 66 && two.len() == 66 && one != two));
    // What it does not know is not subscribed to.
    assert!(endpoint.subscribes("deal.won") && endpoint.subscribes("contact.created"));
    assert!(!endpoint.subscribes("deal.lost"));
    assert_refused(json!({"format": definition(), "url": "http://a.example/"}), "url", "https");
    assert_refused(json!({"format": definition(), "headers": {"x-mine": "1"}}), "headers.x-mine", "another name");
}

#[test]
fn it_is_stored_whole_and_reads_back_as_the_same() {
    let endpoint = with(json!({"format": definition()}));
    let stored = endpoint.to_stored_json();
    assert_eq!(stored["format"]["name"], "mine");
    assert!(Endpoint::from_json(&serde_json::from_str(&stored.to_string()).unwrap()).unwrap() == endpoint);
    assert!(with(changed(|format| format["timeout_s"] = json!(8))) != endpoint);
    assert_eq!(with(json!({"format": "stripe"})).to_stored_json()["format"], "stripe");
}

#[test]
fn every_file_of_posthorns_own_makes_the_same_requests_as_an_array_and_as_toml() {
    for format in format::all() {
        let file = format!("{}/src/formats/{}.toml", env!("CARGO_MANIFEST_DIR"), format.name);
        let toml = std::fs::read_to_string(file).unwrap();
        let toml = toml.replacen(&format!("name = \"{}\"", format.name), "name = \"again\"", 1);
        let mut array = format.definition_json();
        array["name"] = json!("again");
        let secret = (!format.unsigned).then(|| format::generate_secret(format).unwrap());
        let secret = secret.as_ref().map(|secret| secret.expose());
        let sent =
            |format: Value| request(&with(json!({"format": format, "secret": secret})), "property.price_changed");
        let own = sent(json!(format.name));
        assert_eq!(sent(json!(toml)), own, "{}", format.name);
        assert_eq!(sent(array), own, "{}", format.name);
        // Handed back as it is, it is the one of that name.
        assert_eq!(with(json!({"format": format.definition_json()})).to_stored_json()["format"], json!(format.name));
    }
}

#[test]
fn what_is_incomplete_or_ambiguous_is_refused_by_its_key() {
    let set = |pointer: &'static str, value: Value| {
        changed(move |format| *format.pointer_mut(pointer).unwrap() = value.clone())
    };
    for (config, key, rule) in [
        (json!({"format": "mine"}), "format", "'mine' is no format; known are wpresidence"),
        (json!({"format": 5}), "format", "expected a format's name or its definition, got an integer"),
        (json!({"format": ["mine"]}), "format", "got a list"),
        (json!({"format": {}}), "format", "missing field `name`"),
        (json!({"format": "name = \"mine\"\ntitle = 5"}), "format", "line 2"),
        (json!({"format": "name = \"mine\"\n"}), "format", "missing field `title`"),
        (changed(|format| drop(format.as_object_mut().unwrap().remove("body"))), "format", "missing field `body`"),
        (changed(|format| format["bodies"] = json!(1)), "format.bodies", "unknown field `bodies`"),
        (set("/name", json!("github")), "format.name", "Posthorn's own"),
        (set("/name", json!("My Format")), "format.name", "a–z"),
        (set("/title", json!(" ")), "format.title", "one line"),
        (set("/timeout_s", json!(0)), "format.timeout_s", "0.1 to 120"),
        (set("/timeout_s", json!("7")), "format.timeout_s", "invalid type: string"),
        (set("/schedule_s", json!([1, -1])), "format.schedule_s", "20 delays"),
        (set("/secret_form", json!("hex")), "format.secret_form", "unknown variant `hex`"),
        (set("/events/1", json!("deal.one")), "format.events[1]", "no event 'deal.one'"),
        (set("/events/1", json!("deal.closed_won")), "format.events[1]", "twice"),
        (set("/body", json!([])), "format.body", "1 to 50"),
        (set("/body/2/value", json!("time")), "format.body", "no key has the event's data"),
        (set("/body/1/key", json!("kind")), "format.body[1].key", "twice"),
        (set("/body/1/key", json!("12")), "format.body[1].key", "number"),
        (set("/body/0/value", json!("tomorrow")), "format.body[0].value", "unknown variant `tomorrow`"),
        (set("/body/0", json!({"key": "a"})), "format.body[0].key", "one of value, text and line"),
        (set("/body/0", json!({"key": "a", "line": "{title}", "text": "b"})), "format.body[0].key", "one of value"),
        (set("/body/0", json!({"key": "a", "line": "Hello"})), "format.body[0].line", "tells nothing"),
        (set("/body/0", json!({"key": "a", "line": "{ts}"})), "format.body[0].line", "known are event, title"),
        (set("/body/0", json!({"key": "a", "line": "{title}\n"})), "format.body[0].line", "one line"),
        (set("/headers/0/name", json!("X Mine")), "format.headers[0].name", "no header name"),
        (set("/headers/0/name", json!("x-sig")), "format.signature.header", "twice"),
        (set("/headers/0/name", json!("Content-Length")), "format.headers[0].name", "Posthorn's own"),
        (set("/headers/0/value", json!("a\r\nb: c")), "format.headers[0].value", "printable ASCII"),
        (set("/headers/0/value", json!("{body}")), "format.headers[0].value", "{body} is not known here"),
        (set("/user_agent", json!("{id")), "format.user_agent", "closing brace"),
        (set("/signature/signed", json!("{id}")), "format.signature.signed", "must contain {body}"),
        (set("/signature/each", json!("{hex}{base64}")), "format.signature.each", "once"),
        (set("/signature/separator", json!("")), "format.signature.separator", "is empty"),
        (set("/signature/separator", json!("\n")), "format.signature.separator", "printable ASCII"),
        (
            changed(|format| drop(format.as_object_mut().unwrap().remove("signature"))),
            "format.signature",
            "unsigned = true",
        ),
        (changed(|format| format["unsigned"] = json!(true)), "format.unsigned", "drop one of the two"),
        (changed(unsigned), "format.needs_secret", "no use for a secret"),
        (
            changed(|format| {
                format["signature"]["prefix"] = json!("");
                format["headers"] = json!([]);
            }),
            "format.signature.signed",
            "{ts} is signed, but no header",
        ),
    ] {
        assert_refused(config, key, rule);
    }
}

#[test]
fn one_whose_name_became_one_of_posthorns_is_sent_on_but_not_saved_again() {
    let mut queue = Queue::with(json!([with_id(json!({"format": definition()}))]));
    // As an earlier version stored it, which had no format of that name.
    queue.raw().execute("UPDATE endpoint SET settings = replace(settings, '\"mine\"', '\"stripe\"')", []).unwrap();
    queue.accept(&["contact:1"]);
    let mut sending = queue.send();
    sending.run(|_| OK);
    assert!(sending.sent[0].body.starts_with(r#"{"kind":"contact.updated","v":"2""#), "{}", sending.sent[0].body);
    assert_refused(changed(|format| format["name"] = json!("stripe")), "format.name", "Posthorn's own");
    queue.configure("", json!([with_id(json!({"format": "stripe"}))]));
}

fn with_id(mut config: Value) -> Value {
    config["id"] = json!("one");
    config["url"] = json!("https://a.example/");
    config
}

#[test]
fn a_format_that_is_not_signed_says_so_and_takes_no_secret() {
    let mine = changed(|format| {
        unsigned(format);
        format["needs_secret"] = json!(false);
    });
    assert_eq!(with(mine.clone()).format.signature_header(), None);
    let mut with_secret = mine;
    with_secret["secret"] = json!("s");
    assert_refused(with_secret, "secret", "the format mine signs nothing");
}

#[test]
fn a_chat_gets_one_line_that_a_visitor_cannot_make_do_anything() {
    let endpoint = with(json!({"preset": "slack"}));
    let text = |name: &str, data: Value, context: Value| {
        let new = NewEvent::new(name, &data, &context, 1 << 20).unwrap();
        let body = format::body(&endpoint, &Event::unstored(new, &ManualClock::at(0)));
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body.as_object().unwrap().len(), 1);
        body["text"].as_str().unwrap().to_owned()
    };
    assert_eq!((endpoint.format.name.as_str(), endpoint.rate_per_second), ("slack", Some(1.0)));
    assert_eq!(
        text("deal.won", json!({"deal_id": 15, "title": "12 Sample Street"}), json!({})),
        "A deal was closed and won: 12 Sample Street (deal 15)"
    );
    let person = json!({"first_name": "Zoë", "last_name": "Example", "private_note": "hush"});
    assert_eq!(
        text("contact.deleted", person, json!({"record": "contact:7"})),
        "A contact was deleted: Zoë Example (contact 7)"
    );
    assert_eq!(text("enquiry.created", json!({}), json!({})), "Somebody sent an enquiry: enquiry");
    let hostile = "<!channel> <https://a.example|pay> & @here\n[pay](https://a.example)\u{2028}";
    assert_eq!(
        text("contact.created", json!({"id": 1, "name": hostile}), json!({})),
        "A contact was added: &lt;!channel&gt; &lt;https://a.example|pay&gt; &amp; @\u{200b}here \
         [pay]\u{200b}(https://a.example) (contact 1)"
    );
    let long = text("contact.created", json!({"id": 1, "name": "ü".repeat(5000)}), json!({}));
    assert!(long.contains("ü… (contact 1)") && long.chars().count() < 250, "{long}");
    assert_refused(json!({"preset": "slack", "secret": "s"}), "secret", "signs nothing");
    // Handed the same at run time, an owner's own words are left as they are.
    let own = with(changed(|format| {
        format["body"] = json!([{"key": "text", "line": "*{title}* ü <!here> {event} {site_url}"}]);
    }));
    let sent = request(&own, "deal.won");
    assert_eq!(sent.body, r#"{"text":"*A deal was closed and won* ü <!here> deal.closed_won https://a.example"}"#);
}
