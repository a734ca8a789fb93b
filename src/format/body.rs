//! The envelopes. Every one of them is JavaScript-stable because its parts are: the event's data is spliced in as it was
//! stored, all else is printed by [`crate::json`].

use serde_json::{Map, Value, json};

use super::{Format, Source, line};
use crate::event::Event;
use crate::{catalogue, clock, json};

/// The event whose object says which stage the deal left, and the fields of a deal that hold its stage.
const STAGE_CHANGED: &str = "deal.stage_changed";
const STAGE_FIELDS: [&str; 2] = ["stage", "deal_stage"];
const PREVIOUS_STAGE: &str = "\"previousStage\"";

/// The event that says by how much a price changed, and the fields that hold a price.
const PRICE_CHANGED: &str = "property.price_changed";
const PRICE_FIELDS: [&str; 2] = ["price", "property_price"];

impl Format {
    /// The body for `event`, which the format calls `event_name`.
    pub(super) fn body(&self, event: &Event, event_name: &str) -> String {
        let details = event.context.details();
        let mut out = String::with_capacity(event.data.len() + 256);
        let mut lines = self.lines.iter();
        for (at, member) in self.definition.body.iter().enumerate() {
            out.push(if at == 0 { '{' } else { ',' });
            json::write_str(&mut out, &member.key);
            out.push(':');
            if member.line.is_some() {
                let parts = lines.next().map_or(&[][..], Vec::as_slice);
                json::write_str(&mut out, &line::line(parts, event, event_name));
                continue;
            }
            let Some(source) = member.value else {
                json::write_str(&mut out, member.text.as_deref().unwrap_or_default());
                continue;
            };
            match source {
                Source::EventId => json::write_str(&mut out, &event.id.to_string()),
                Source::EventName => json::write_str(&mut out, event_name),
                Source::Time => json::write_str(&mut out, &clock::iso_seconds(event.occurred_at())),
                Source::Data => out.push_str(&event.data),
                Source::DataAsObject => write_under(&mut out, "object", &event.data),
                Source::DataUnderEntity => {
                    let entity = catalogue::find(&event.name).map_or("object", |entry| entry.entity);
                    write_under(&mut out, entity, &event.data);
                }
                Source::DataWithChanges => write_with_changes(&mut out, event),
                Source::SiteUrl => match details.get("site_url") {
                    Some(Value::String(url)) => json::write_str(&mut out, url),
                    _ => out.push_str("\"\""),
                },
                Source::Organization => write_fields(&mut out, details.get("organization"), &["id", "name"]),
                Source::OrganizationId => {
                    let id = details.get("organization").and_then(|organization| organization.get("id"));
                    json::write_value(&mut out, id.unwrap_or(&Value::Null));
                }
                Source::User => write_fields(&mut out, details.get("user"), &["id", "name", "email"]),
            }
        }
        out.push('}');
        out
    }
}

fn write_under(out: &mut String, key: &str, data: &str) {
    out.push('{');
    json::write_str(out, key);
    out.push(':');
    out.push_str(data);
    out.push('}');
}

/// `value`'s `fields` in this order, null for each that it lacks; null if it is no object.
fn write_fields(out: &mut String, value: Option<&Value>, fields: &[&str]) {
    let Some(Value::Object(map)) = value else { return out.push_str("null") };
    let picked: Map<String, Value> =
        fields.iter().map(|field| ((*field).to_owned(), map.get(*field).cloned().unwrap_or_default())).collect();
    json::write_value(out, &Value::Object(picked));
}

/// Winnerr's `data`: the record under `object`, the changed fields with their old values, the change of a price.
fn write_with_changes(out: &mut String, event: &Event) {
    let details = event.context.details();
    let none = Map::new();
    let previous = details.get("previous").and_then(Value::as_object).unwrap_or(&none);
    out.push_str("{\"object\":");
    write_object(out, event, previous);

    let changes = changed_fields(event, previous);
    out.push_str(",\"previousAttributes\":");
    json::write_value(out, &changes.as_ref().map_or(Value::Null, |paths| previous_attributes(previous, paths)));
    out.push_str(",\"changes\":");
    json::write_value(out, &changes.map_or(Value::Null, Value::from));
    if event.name == PRICE_CHANGED
        && let Some(change) = price_change(previous, &data(event))
    {
        out.push_str(",\"priceChange\":");
        json::write_value(out, &change);
    }
    out.push('}');
}

fn write_object(out: &mut String, event: &Event, previous: &Map<String, Value>) {
    if event.name.ends_with(".deleted") {
        let data = data(event);
        let entity = catalogue::find(&event.name).map_or("", |entry| entry.entity);
        let id = data.get("id").or_else(|| data.get(&format!("{entity}_id"))).cloned().unwrap_or_default();
        return json::write_value(out, &json!({ "id": id }));
    }
    let stage = STAGE_FIELDS.iter().find_map(|field| previous.get(*field)).filter(|_| event.name == STAGE_CHANGED);
    let Some(stage) = stage else { return out.push_str(&event.data) };
    // As text: a field may be deeper than can be read.
    out.push('{');
    for (key, value) in json::members(&event.data).filter(|(key, _)| *key != PREVIOUS_STAGE) {
        out.push_str(key);
        out.push(':');
        out.push_str(value);
        out.push(',');
    }
    out.push_str(PREVIOUS_STAGE);
    out.push(':');
    json::write_value(out, stage);
    out.push('}');
}

fn data(event: &Event) -> Map<String, Value> {
    json::read_object(&event.data)
}

/// The paths of the changed fields: `changes` of the context as a list of paths or as an array keyed by them; without
/// it the fields whose previous value is another one. `None` where nothing came before, as on a creation.
fn changed_fields(event: &Event, previous: &Map<String, Value>) -> Option<Vec<String>> {
    match event.context.details().get("changes") {
        Some(Value::Array(paths)) => Some(paths.iter().filter_map(|path| path.as_str().map(str::to_owned)).collect()),
        Some(Value::Object(paths)) => Some(paths.keys().cloned().collect()),
        _ if previous.is_empty() => None,
        _ => {
            let data = data(event);
            Some(
                previous
                    .iter()
                    .filter(|(field, old)| data.get(*field) != Some(old))
                    .map(|(field, _)| field.clone())
                    .collect(),
            )
        }
    }
}

/// A path of more steps is a name with dots in it: as deep as that, it would take more stack than a sender thread has.
const MAX_STEPS: usize = 32;

/// The old values of the fields at `paths`: `address.city` goes into `address` as `city`.
fn previous_attributes(previous: &Map<String, Value>, paths: &[String]) -> Value {
    let mut attributes = Map::new();
    for path in paths {
        let nested = path.split('.').try_fold(None, |at: Option<&Value>, step| {
            Some(Some(at.map_or_else(|| previous.get(step), |value| value.get(step))?))
        });
        let Some(old) = previous.get(path).or(nested.flatten()) else { continue };
        if path.split('.').nth(MAX_STEPS).is_some() {
            attributes.insert(path.clone(), old.clone());
            continue;
        }
        let mut at = &mut attributes;
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            if steps.peek().is_none() {
                at.insert(step.to_owned(), old.clone());
                break;
            }
            let next = at.entry(step).or_insert_with(|| Value::Object(Map::new()));
            match next {
                Value::Object(map) => at = map,
                // `address` changed as a whole as well, and is there already.
                _ => break,
            }
        }
    }
    Value::Object(attributes)
}

/// Null stands for what cannot be told: a property that had no price, a test without old values. `None` if no price is known.
fn price_change(previous: &Map<String, Value>, data: &Map<String, Value>) -> Option<Value> {
    let number =
        |value: &Value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|n: &f64| n.is_finite());
    let price = |map: &Map<String, Value>| PRICE_FIELDS.iter().find_map(|field| number(map.get(*field)?));
    let (old, new) = (price(previous), price(data));
    old.or(new)?;
    let amount = old.zip(new).map(|(old, new)| new - old);
    // A fraction with three decimals; from nothing no fraction can be told.
    let fraction =
        amount.zip(old.filter(|old| *old != 0.0)).map(|(amount, old)| (amount / old * 1000.0).round() / 1000.0);
    Some(json!({ "previousPrice": old, "newPrice": new, "changeAmount": amount, "changePercentage": fraction }))
}
