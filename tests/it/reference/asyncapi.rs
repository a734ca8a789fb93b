//! The AsyncAPI document: what a receiver is sent, one message an event.

use posthorn::catalogue::{self, Entry, Source};
use posthorn::format;
use serde_json::{Map, Value, json};

use super::sample_body;

const DESCRIPTION: &str = "What Posthorn sends to the receivers of a WordPress site: one HTTP POST an event and endpoint, at least \
once, signed. The messages are those of the default format, `wpresidence`; other formats put the same `data` into other \
envelopes. Answer 2xx within 15 seconds; anything else is tried again. Written by `make docs` from the catalogue.";

pub fn document() -> String {
    let messages: Map<String, Value> =
        catalogue::all().iter().map(|entry| (entry.name.to_owned(), message(entry))).collect();
    let references: Map<String, Value> = catalogue::all()
        .iter()
        .map(|entry| (entry.name.to_owned(), json!({"$ref": format!("#/components/messages/{}", entry.name)})))
        .collect();
    let document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Posthorn",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "MIT OR Apache-2.0"},
            "tags": groups(),
        },
        "defaultContentType": "application/json",
        "servers": {
            "receiver": {
                "host": "{host}",
                "protocol": "https",
                "description": "The address that the site's owner enters.",
                "variables": {"host": {"default": "hooks.example.com", "description": "The receiver."}},
            },
        },
        "channels": {
            "webhook": {
                "address": "/{path}",
                "description": "An endpoint: the events that it subscribes to.",
                "parameters": {"path": {"description": "The endpoint's path and query."}},
                "messages": references,
            },
        },
        "operations": {
            "deliver": {
                "action": "send",
                "channel": {"$ref": "#/channels/webhook"},
                "summary": "Posthorn delivers an event to a receiver",
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
            },
        },
        "components": {"messages": messages, "schemas": {"headers": headers()}},
    });
    serde_json::to_string_pretty(&document).unwrap() + "\n"
}

fn groups() -> Vec<Value> {
    let mut groups: Vec<&str> = catalogue::all().iter().map(|entry| entry.group).collect();
    groups.dedup();
    groups.into_iter().map(|group| json!({"name": group})).collect()
}

fn message(entry: &Entry) -> Value {
    let body = sample_body(entry);
    let data = schema(&body["data"], entry.source != Source::Posthorn);
    let mut message = json!({
        "name": entry.name,
        "title": entry.title,
        "contentType": "application/json",
        "tags": [{"name": entry.group}],
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": {
            "type": "object",
            "required": ["event", "timestamp", "data", "site_url"],
            "properties": {
                "event": {"type": "string", "const": body["event"]},
                "timestamp": {"type": "string", "format": "date-time", "description": "When it happened, UTC."},
                "data": data,
                "site_url": {"type": "string", "format": "uri", "description": "The site it happened on."},
            },
        },
        "examples": [{"name": "sample", "payload": body}],
        "x-entity": entry.entity,
        "x-fired-by": entry.source.as_str(),
        "x-other-names": entry.other_names.iter().map(|other| other.name).collect::<Vec<_>>(),
    });
    if !entry.note.is_empty() {
        message["description"] = json!(entry.note);
    }
    message
}

/// A schema that fits a sample, and what stands in such a place at other times: any column may be null, and a decimal that
/// no double holds is text.
fn schema(sample: &Value, nullable: bool) -> Value {
    let kinds = |kinds: &[&str]| {
        let kinds: Vec<&str> = kinds.iter().copied().chain(nullable.then_some("null")).collect();
        if kinds.len() == 1 { json!(kinds[0]) } else { json!(kinds) }
    };
    match sample {
        Value::Object(fields) => {
            let properties: Map<String, Value> =
                fields.iter().map(|(name, value)| (name.clone(), schema(value, true))).collect();
            json!({"type": "object", "properties": properties})
        }
        Value::Array(items) => {
            json!({"type": "array", "items": items.first().map_or(json!(true), |item| schema(item, false))})
        }
        Value::Number(_) => json!({"type": kinds(&["number", "string"])}),
        Value::Bool(_) => json!({"type": kinds(&["boolean"])}),
        _ => json!({"type": kinds(&["string"])}),
    }
}

fn headers() -> Value {
    let default = format::find(format::DEFAULT).unwrap();
    let text = |description: &str| json!({"type": "string", "description": description});
    let mut properties = Map::new();
    properties.insert("Webhook-Id".into(), text("The event's id, the same on every attempt: a repeat is told by it."));
    properties.insert("Webhook-Attempt".into(), text("Which attempt this is: 1, 2, …"));
    properties.insert("Webhook-Sequence".into(), text("Rises with the order in which events happened."));
    properties.insert("Webhook-Test".into(), text("`1` on a test."));
    properties.insert(
        default.signature_header().unwrap().into(),
        text("Hex of HMAC-SHA256 over the body, by the secret. Absent without a secret."),
    );
    json!({
        "type": "object",
        "required": ["Webhook-Id", "Webhook-Attempt", "Webhook-Sequence"],
        "properties": properties,
    })
}
