//! The arrays of the PHP API: what the core knows, with the keys that the manual names.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::clock::{Clock, Millis, SystemClock, iso_millis, parse_iso};
use crate::delivery::Exchange;
use crate::endpoint::{Circuit, Endpoint};
use crate::error::{Error, Result, shown};
use crate::event::{DeliveryId, Event, EventId, named_keys_expected};
use crate::format::{Format, Rendered};
use crate::runtime::machine::Machine;
use crate::runtime::place::{Kind, Place};
use crate::runtime::{Sending, sending};
use crate::store::{AttemptRow, DeliveryRow, EndpointState, Filter, State, Stats, Waiting};
use crate::{catalogue, format, json, preset, retry};

/// The catalogue.
pub(super) fn events() -> Value {
    let events = catalogue::all().iter().map(|entry| {
        json!({
            "name": entry.name,
            "group": entry.group,
            "title": entry.title,
            "meaning": entry.title,
            "note": entry.note,
            "entity": entry.entity,
            "source": entry.source.as_str(),
            "offered": entry.offered,
            "systems": systems(entry),
            "other_names": entry.other_names.iter().map(|other| other.name).collect::<Vec<_>>(),
            "sample": entry.sample(),
            "previous": entry.previous(),
        })
    });
    Value::Array(events.collect())
}

/// The formats of the systems that have this event, under whichever name.
fn systems(entry: &catalogue::Entry) -> Vec<&'static str> {
    let have = format::all().iter().filter(|format| !format.events.is_empty() && format.knows(entry));
    have.map(|format| format.name.as_str()).collect()
}

/// The formats.
pub(super) fn formats() -> Value {
    Value::Array(format::all().iter().map(|format| self::format(format)).collect())
}

/// One format.
pub(super) fn format(format: &Format) -> Value {
    json!({
            "name": format.name,
            "title": format.title,
            "timeout": format.timeout().as_secs_f64(),
            "schedule": format.schedule().iter().map(|delay| delay.as_secs_f64()).collect::<Vec<_>>(),
            "schedule_jitter": format.schedule_jitter,
            "circuit_breaker": format.circuit_breaker,
            "https_only": format.https_only,
            "needs_secret": format.needs_secret,
            "signature_header": format.signature_header(),
            "events": format.events,
            "secret_form": format.secret_form,
            "signs_with_each_secret": format.signature.as_ref().is_some_and(|signature| signature.separator.is_some()),
            "definition": format.definition_json(),
    })
}

/// The presets, or the one that `url` belongs to.
pub(super) fn presets(url: Option<&str>) -> Value {
    let wanted: Vec<_> = match url {
        Some(url) => preset::of_url(url).into_iter().collect(),
        None => preset::all().iter().collect(),
    };
    let presets = wanted.into_iter().map(|preset| {
        json!({
            "name": preset.name,
            "title": preset.title,
            "hosts": preset.hosts,
            "format": preset.format,
            "rate_per_second": preset.rate_per_second,
            "timeout": preset.timeout().map(|timeout| timeout.as_secs_f64()),
            "max_body_bytes": preset.max_body_bytes,
        })
    });
    Value::Array(presets.collect())
}

/// A delivery, as a list shows it.
pub(super) fn delivery(row: &DeliveryRow) -> Map<String, Value> {
    let mut map = Map::new();
    let mut set = |key: &str, value: Value| map.insert(key.to_owned(), value);
    set("id", json!(row.id.to_string()));
    set("event_id", json!(row.event_id.to_string()));
    set("event", json!(row.event));
    set("record", json!(row.record));
    set("endpoint", json!(row.endpoint));
    set("site", json!(row.site));
    set("state", json!(row.state.as_str()));
    set("attempts", json!(row.attempts));
    set("created_at", time(Some(row.created_at)));
    set("settled_at", time(row.settled_at));
    set("next_attempt_at", time(row.next_attempt_at));
    set("last_status", json!(row.last_status));
    set("last_error", json!(row.last_error));
    map
}

/// A delivery with its event's data and its attempts.
pub(super) fn delivery_with_attempts(
    row: &DeliveryRow,
    event: &Event,
    attempts: &[AttemptRow],
    endpoint: Option<&Endpoint>,
) -> Value {
    let mut map = delivery(row);
    map.insert("data".to_owned(), json::read(&event.data).unwrap_or_default());
    // The body depends only on the event and the endpoint, so it is kept once, as the event.
    let body = endpoint.map(|endpoint| format::body(endpoint, event));
    let log = attempts.iter().map(|attempt| {
        json!({
            "n": attempt.n,
            "started_at": time(Some(attempt.started_at)),
            "duration_ms": attempt.duration_us as f64 / 1000.0,
            "timings": attempt.timings,
            "status": attempt.status,
            "error": attempt.error,
            "request_headers": headers(&attempt.request_headers),
            "request_body": body,
            "response_headers": headers(&attempt.response_headers),
            "response_body": String::from_utf8_lossy(&attempt.response_body),
        })
    });
    let details = event.context.details();
    // Who acted, whatever the format tells the receiver of it.
    map.insert("source".to_owned(), details.get("source").cloned().unwrap_or(Value::Null));
    let user = details.get("user").and_then(|user| user.get("id")).cloned();
    map.insert("user_id".to_owned(), user.unwrap_or(Value::Null));
    map.insert("attempts_log".to_owned(), Value::Array(log.collect()));
    Value::Object(map)
}

/// What `send()` returns: an attempt, with `ok`.
pub(super) fn attempt(rendered: &Rendered, exchange: &Exchange) -> Value {
    let answer = exchange.result.as_ref().ok();
    let error = retry::failure_text(exchange);
    json!({
        "ok": error.is_none(),
        "n": 1,
        "started_at": time(Some(exchange.started_at)),
        "duration_ms": exchange.duration.as_micros() as f64 / 1000.0,
        "timings": exchange.timings.to_json(),
        "status": answer.map(|answer| answer.status),
        "error": error,
        "error_kind": exchange.result.as_ref().err().map(|failure| failure.kind.as_str()),
        "request_headers": headers(&rendered.headers),
        "request_body": rendered.body,
        "response_headers": answer.map(|answer| headers(&answer.headers)).unwrap_or(json!({})),
        "response_body": answer.map(|answer| String::from_utf8_lossy(&answer.body)).unwrap_or_default(),
    })
}

/// What `preview()` returns.
pub(super) fn preview(url: &str, rendered: &Rendered) -> Value {
    json!({"url": url, "headers": headers(&rendered.headers), "body": rendered.body})
}

/// What the engine knows of an endpoint.
pub(super) fn endpoint(state: &EndpointState) -> Value {
    json!({
        "id": state.id,
        "site": state.site,
        "url": state.url,
        "enabled": state.enabled,
        "suspended": state.suspended,
        "paused_until": time(state.paused_until),
        "circuit": state.circuit.as_str(),
        "circuit_open_until": time(state.circuit_open_until),
        "failures": state.failures,
        "failing_since": time(state.failing_since),
        "last_failure_at": time(state.last_failure_at),
        "last_success_at": time(state.last_success_at),
    })
}

/// What `stats()` returns.
pub(super) fn stats(stats: &Stats, sending: Option<&Sending>, max_bytes: u64) -> Value {
    let oldest = stats.oldest_pending_at.map(|at| (SystemClock.now() - at).max(0) as f64 / 1000.0);
    let mut map = json!({
        "pending": stats.pending,
        "delivered": stats.delivered,
        "dead": stats.dead,
        "cancelled": stats.cancelled,
        "oldest_pending_s": oldest,
        "bytes": stats.bytes,
        "used_bytes": stats.used_bytes,
        "max_bytes": max_bytes,
    });
    add_sending(&mut map, sending);
    map
}

/// What `inspect()` returns.
pub(super) fn inspection(directory: &Path) -> Value {
    let place = Place::of(directory);
    let here = Machine::here(directory);
    let last = Machine::last(directory);
    let mut map = json!({
        "file_system": place.as_ref().map_or(Kind::Unknown, |place| place.kind).as_str(),
        "file_system_type": place.as_ref().map(|place| &place.name),
        "disk_bytes": place.as_ref().map(|place| place.bytes),
        "disk_free_bytes": place.as_ref().map(|place| place.free_bytes),
        "host": here.name,
        "last_host": last.as_ref().map(|last| &last.name),
        "host_changed": last.as_ref().is_some_and(|last| !here.is(last)),
    });
    // Without a directory, or the right to look into it, nobody can tell.
    let sending = directory.is_dir().then(|| sending(directory).ok().flatten()).flatten();
    add_sending(&mut map, sending.as_ref());
    map
}

fn add_sending(map: &mut Value, sending: Option<&Sending>) {
    map["dispatcher"] = json!(sending.is_some());
    map["dispatcher_pid"] = json!(sending.and_then(|sending| sending.pid));
    map["dispatcher_kind"] = json!(sending.and_then(|sending| sending.kind.as_ref()));
    map["dispatcher_responds"] = json!(sending.and_then(|sending| sending.responds));
    map["dispatcher_stopped"] = json!(sending.and_then(|sending| sending.stopped));
}

/// What waits for an endpoint.
pub(super) fn waiting(waiting: &Waiting, now: Millis) -> Value {
    let lane = &waiting.lane;
    let standing = &lane.standing;
    let paused_until = (standing.paused_until > now).then_some(standing.paused_until);
    let circuit_open = lane.endpoint.circuit_breaker && standing.circuit(now) == Circuit::Open;
    let open_until = circuit_open.then_some(standing.open_until);
    let held_back = if lane.removed {
        Some("removed")
    } else if !lane.endpoint.enabled {
        Some("disabled")
    } else if lane.site_paused {
        Some("paused")
    } else if standing.suspended.is_some() {
        Some("suspended")
    } else {
        paused_until.map(|_| "asked_to_wait").or(open_until.map(|_| "circuit_open"))
    };
    json!({
        "site": lane.endpoint.site,
        "endpoint": lane.endpoint.id,
        "url": lane.endpoint.url,
        "pending": waiting.pending,
        "due": waiting.due,
        "due_since": time(waiting.due_since),
        "next_attempt_at": time(waiting.next_attempt_at),
        "last_error": waiting.last_error,
        "held_back": held_back,
        "suspended": standing.suspended,
        "paused_until": time(paused_until),
        "circuit_open_until": time(open_until),
    })
}

/// Reads a filter.
///
/// # Errors
/// [`Error::InvalidArgument`] with the key that is unknown or has a wrong value.
pub(super) fn filter(value: &Value) -> Result<Filter> {
    let mut filter = Filter::default();
    // A list would select everything.
    let map = value.as_object().ok_or_else(|| Error::invalid("", named_keys_expected(json::kind(value))))?;
    for (key, value) in map {
        let text = || match value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            other => Err(Error::invalid(key, format!("expected a string, got {}", json::kind(other)))),
        };
        let time = || {
            let text = text()?;
            parse_iso(&text).ok_or_else(|| {
                Error::invalid(key, format!("'{}' is no ISO 8601 time, such as 2026-04-17T12:34:56Z", shown(&text)))
            })
        };
        let delivery = || {
            let text = text()?;
            DeliveryId::parse(&text)
                .ok_or_else(|| Error::invalid(key, format!("'{}' is no delivery's id", shown(&text))))
        };
        match key.as_str() {
            "id" => filter.id = Some(delivery()?),
            "before" => filter.before = Some(delivery()?),
            "site" => filter.site = Some(text()?),
            "event" => filter.event = Some(text()?),
            "record" => filter.record = Some(text()?),
            "endpoint" => filter.endpoint = Some(text()?),
            "event_id" => {
                let text = text()?;
                let id = EventId::parse(&text)
                    .ok_or_else(|| Error::invalid(key, format!("'{}' is no event's id", shown(&text))))?;
                filter.event_id = Some(id);
            }
            "state" => {
                let text = text()?;
                let state = State::parse(&text).ok_or_else(|| {
                    Error::invalid(key, format!("'{}' is none of pending, delivered, dead, cancelled", shown(&text)))
                })?;
                filter.state = Some(state);
            }
            "since" => filter.since = Some(time()?),
            "until" => filter.until = Some(time()?),
            "limit" => {
                let limit = value.as_u64().filter(|limit| (1..=1000).contains(limit));
                filter.limit = Some(limit.ok_or_else(|| {
                    Error::invalid(key, format!("{} is no number from 1 to 1000", shown(&value.to_string())))
                })? as usize);
            }
            _ => {
                return Err(Error::invalid(
                    shown(key),
                    "not a key of a filter; known are id, site, event_id, event, record, endpoint, state, since, until, limit, before",
                ));
            }
        }
    }
    Ok(filter)
}

/// Name → value; of a name that repeats, the values are joined as RFC 9110 allows.
fn headers(pairs: &[(String, String)]) -> Value {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        match map.get_mut(name) {
            Some(Value::String(before)) => before.push_str(&format!(", {value}")),
            _ => {
                map.insert(name.clone(), json!(value));
            }
        }
    }
    Value::Object(map)
}

fn time(at: Option<Millis>) -> Value {
    json!(at.map(iso_millis))
}
