//! `docs/events.md` and `docs/asyncapi.json` are written from the catalogue: `make docs` writes them, and here they are
//! compared with it.

mod asyncapi;
mod events;

use std::{env, fs};

use posthorn::catalogue::Entry;
use posthorn::event::{Event, NewEvent};
use posthorn::format;
use posthorn::json::to_js_string;
use serde_json::{Value, json};

/// Set, the documents are written instead of compared.
const WRITE: &str = "WRITE_DOCS";

/// The time in all samples.
const SAMPLE_TIME: &str = "2026-04-17T12:34:56Z";

fn is_up_to_date(file: &str, text: &str) {
    let path = format!("{}/docs/{file}", env!("CARGO_MANIFEST_DIR"));
    if env::var_os(WRITE).is_some() {
        fs::write(&path, text).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    if let Some((at, (stored, new))) =
        stored.lines().chain([""]).zip(text.lines().chain([""])).enumerate().find(|(_, (stored, new))| stored != new)
    {
        panic!("docs/{file} is not what the catalogue says, run `make docs`\nline {}: {stored}\nnow:  {new}", at + 1);
    }
    assert_eq!(stored.len(), text.len(), "docs/{file} is not what the catalogue says, run `make docs`");
}

#[test]
fn the_reference_of_events_is_what_the_catalogue_says() {
    is_up_to_date("events.md", &events::document());
}

#[test]
fn the_asyncapi_document_is_what_the_catalogue_says() {
    is_up_to_date("asyncapi.json", &asyncapi::document());
}

/// What a receiver of the default format is sent of an event's sample.
fn sample_body(entry: &Entry) -> Value {
    let context = json!({"site_url": "https://yoursite.example", "occurred_at": SAMPLE_TIME});
    let new = NewEvent::new(entry.name, &Value::Object(entry.sample()), &context, 1 << 20).unwrap();
    let event = Event::unstored(new, &posthorn::clock::SystemClock);
    let endpoint = crate::endpoint::with(json!({}));
    serde_json::from_str(&format::body(&endpoint, &event)).unwrap()
}

/// A JSON object on as few lines as fit.
fn wrapped(object: &serde_json::Map<String, Value>, width: usize) -> String {
    let mut text = String::from("{");
    let mut line = String::new();
    for (at, (key, value)) in object.iter().enumerate() {
        let comma = if at + 1 < object.len() { "," } else { "" };
        let member = format!("{}: {}{comma}", to_js_string(&json!(key)), to_js_string(value));
        if !line.is_empty() && line.chars().count() + 1 + member.chars().count() > width {
            text += &format!("\n  {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += &member;
    }
    format!("{text}\n  {line}\n}}")
}
