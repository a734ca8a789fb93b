//! What an endpoint subscribes to.

use serde_json::{Map, Value};

use super::Endpoint;
use crate::catalogue::{self, Entry, TEST};
use crate::error::{Error, Result};
use crate::format::Format;
use crate::json;

/// Everything the endpoint's format knows.
const ALL: &str = "*";

/// More than the catalogue has names.
const MAX_SUBSCRIPTIONS: usize = 200;

/// Reads `events`: a list of names and patterns, or one string with commas between them; all when it is missing.
pub(super) fn read(value: Option<&Value>) -> Result<Vec<String>> {
    let named: Vec<(String, &str)> = match value {
        None => return Ok(vec![ALL.to_owned()]),
        Some(Value::String(text)) => text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(|name| ("events".to_owned(), name))
            .collect(),
        Some(Value::Array(list)) => {
            let mut named = Vec::with_capacity(list.len());
            for (at, value) in list.iter().enumerate() {
                let key = format!("events[{at}]");
                match value {
                    Value::String(name) => named.push((key, name.trim())),
                    other => {
                        return Err(Error::invalid(
                            key,
                            format!("expected an event's name, got {}", json::kind(other)),
                        ));
                    }
                }
            }
            named
        }
        Some(other) => {
            let got = json::kind(other);
            return Err(Error::invalid(
                "events",
                format!("expected a list of event names, or one string with commas, got {got}"),
            ));
        }
    };
    if named.is_empty() {
        return Err(Error::invalid("events", "it names no event, so nothing would be sent; name some, or * for all"));
    }
    if named.len() > MAX_SUBSCRIPTIONS {
        return Err(Error::invalid(
            "events",
            format!("it names {}, the limit is {MAX_SUBSCRIPTIONS}; use patterns such as deal.*", named.len()),
        ));
    }
    let mut events: Vec<String> = Vec::with_capacity(named.len());
    for (key, name) in named {
        check(name).map_err(|message| Error::invalid(key, message))?;
        if !events.iter().any(|earlier| earlier == name) {
            events.push(name.to_owned());
        }
    }
    Ok(events)
}

fn check(name: &str) -> std::result::Result<(), String> {
    let known = match prefix(name) {
        _ if name == ALL => true,
        Some(prefix) => catalogue::all().iter().flat_map(Entry::names).any(|known| is_under(known, prefix)),
        None => catalogue::find(name).is_some(),
    };
    if known { Ok(()) } else { Err(catalogue::unknown_message(name)) }
}

/// Whether `endpoint` subscribes to the event called `name`. Without `data` a name that means only some records counts.
pub(super) fn matches(endpoint: &Endpoint, name: &str, data: Option<&str>) -> bool {
    let Some(entry) = catalogue::find(name) else { return false };
    if entry.name == catalogue::TEST || endpoint.events.iter().any(|subscription| subscription == entry.name) {
        return true;
    }
    let format = &endpoint.format;
    // The data is only read where a name hangs on it.
    let data: Option<Map<String, Value>> =
        data.filter(|_| entry.other_names.iter().any(|other| other.when.is_some())).map(json::read_object);
    let means = |name: &str| {
        entry.other_names.iter().filter(|other| other.name == name).all(|other| match (&other.when, &data) {
            (Some(when), Some(data)) => when.holds(data),
            _ => true,
        })
    };
    endpoint.events.iter().any(|subscription| covers(subscription, format, entry, &means))
}

/// The catalogue's own names of the events of which an endpoint with these `events` and of this `format` may be sent any.
pub(super) fn wanted(events: &[String], format: &Format) -> Vec<&'static str> {
    catalogue::all()
        .iter()
        .filter(|entry| entry.name != TEST)
        .filter(|entry| events.iter().any(|subscription| covers(subscription, format, entry, &|_| true)))
        .map(|entry| entry.name)
        .collect()
}

fn covers(subscription: &str, format: &Format, entry: &Entry, means: &impl Fn(&str) -> bool) -> bool {
    let names = || entry.names().filter(|name| means(name));
    let is_known = || format.events.is_empty() || names().any(|name| format.has_event(name));
    match prefix(subscription) {
        _ if subscription == ALL => is_known(),
        Some(prefix) => is_known() && names().any(|name| is_under(name, prefix)),
        None => names().any(|name| name == subscription),
    }
}

/// `deal` of the pattern `deal.*`.
fn prefix(subscription: &str) -> Option<&str> {
    subscription.strip_suffix(".*")
}

fn is_under(name: &str, prefix: &str) -> bool {
    name.split_once('.').is_some_and(|(head, _)| head == prefix)
}
