//! Something that happened, and the ids by which everybody knows it.

use std::fmt;

use serde_json::{Map, Value};
use uuid::{ContextV7, Timestamp, Uuid};

use crate::clock::{self, Clock, Millis};
use crate::error::{Error, Result, shown};
use crate::{catalogue, json};

/// An event's data may be this large once it is JSON, unless the queue is opened with another limit.
pub const DEFAULT_MAX_DATA_BYTES: usize = 1024 * 1024;

/// An event's id, the same on every attempt: `evt_` and the 32 hex digits of a UUIDv7 (RFC 9562),
/// so ids sort by the time of acceptance.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EventId(Uuid);

/// A delivery's id: a UUID that follows from the event's id and the endpoint's, so that whoever
/// expands an event into its deliveries finds the same ids.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct DeliveryId(Uuid);

impl EventId {
    /// A new id, for an event accepted at `now`. Ids that one thread makes within a millisecond rise too.
    pub fn new(now: Millis) -> Self {
        thread_local! {
            static COUNTER: ContextV7 = const { ContextV7::new() };
        }
        let now = now.max(0) as u64;
        let time = COUNTER.with(|counter| Timestamp::from_unix(counter, now / 1000, (now % 1000) as u32 * 1_000_000));
        EventId(Uuid::new_v7(time))
    }

    /// The id that `text` spells, `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text.strip_prefix("evt_")?).ok().map(EventId)?;
        // The parser takes other spellings too; an id has one.
        (id.to_string() == text).then_some(id)
    }

    /// The 16 bytes that are stored.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id that was stored as `bytes`.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        EventId(Uuid::from_bytes(bytes))
    }

    /// The id of this event's delivery to the endpoint that the queue knows as `endpoint`: no two endpoints of one event
    /// share one. It keeps the event's time and count, so deliveries sort as their events do, and is a valid UUIDv7.
    pub fn delivery(&self, endpoint: i64) -> DeliveryId {
        let mut bytes = *self.0.as_bytes();
        for (byte, key) in bytes[12..].iter_mut().zip((endpoint as u32).to_be_bytes()) {
            *byte ^= key;
        }
        DeliveryId(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "evt_{}", self.0.simple())
    }
}

impl DeliveryId {
    /// The id that `text` spells, `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text).ok().map(DeliveryId)?;
        (id.to_string() == text).then_some(id)
    }

    /// The 16 bytes that are stored.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id that was stored as `bytes`.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        DeliveryId(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hyphenated())
    }
}

/// Where and by whom an event was caused: all that a body may need besides the data, so that a body
/// depends on nothing but what was stored at acceptance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// Orders events about one thing: `contact:7`. Empty for none.
    pub record: String,
    /// The site of a network the event belongs to; empty outside one.
    pub site: String,
    /// When it happened, if not at acceptance.
    pub occurred_at: Option<Millis>,
    /// `previous`, `changes`, `user`, `organization`, `site_url`, `source`, as far as given.
    pub details: Map<String, Value>,
}

/// An event that is about to be accepted: checked, its data already JSON.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The catalogue's own name.
    pub name: String,
    /// A JSON object, as JavaScript would print it.
    pub data: String,
    /// Where and by whom.
    pub context: Context,
}

/// An event as the queue keeps it.
#[derive(Clone, Debug)]
pub struct Event {
    /// Rises with acceptance; sent as `Webhook-Sequence`.
    pub seq: i64,
    /// The id that every attempt carries.
    pub id: EventId,
    /// The catalogue's own name.
    pub name: String,
    /// When it was accepted.
    pub accepted_at: Millis,
    /// A JSON object, as JavaScript would print it.
    pub data: String,
    /// Where and by whom.
    pub context: Context,
}

impl Event {
    /// When it happened: what bodies carry as their time.
    pub fn occurred_at(&self) -> Millis {
        self.context.occurred_at.unwrap_or(self.accepted_at)
    }

    /// An event that is in no queue, for a test or a preview. Its sequence is 0.
    pub fn unstored(new: NewEvent, clock: &dyn Clock) -> Self {
        let now = clock.now();
        Event { seq: 0, id: EventId::new(now), name: new.name, accepted_at: now, data: new.data, context: new.context }
    }
}

impl NewEvent {
    /// Checks a name, data and context as the PHP API takes them.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] with the key `event` for a name the catalogue does not have, `data`
    /// for anything but an object or for more than `max_data_bytes`, `context.…` for a key that is
    /// unknown or has a value of another type.
    pub fn new(name: &str, data: &Value, context: &Value, max_data_bytes: usize) -> Result<Self> {
        let entry = catalogue::find(name).ok_or_else(|| catalogue::unknown(name))?;
        let data = match data {
            Value::Object(_) => json::to_js_string(data),
            // PHP has one type for lists and maps, and an empty one looks like a list.
            Value::Array(list) if list.is_empty() => "{}".to_owned(),
            other => {
                return Err(Error::invalid(
                    "data",
                    format!("expected an array with named keys, got {}", json::kind(other)),
                ));
            }
        };
        check_size(data.len(), max_data_bytes).map_err(|rule| Error::invalid("data", rule))?;
        Ok(NewEvent {
            name: entry.name.to_owned(),
            data,
            context: Context::from_json(context, max_data_bytes).map_err(|e| e.within("context"))?,
        })
    }
}

fn check_size(bytes: usize, max_bytes: usize) -> std::result::Result<(), String> {
    if bytes <= max_bytes {
        return Ok(());
    }
    Err(format!(
        "it is {bytes} bytes as JSON, the limit is {max_bytes}; send less, or raise the limit with the option max_data_bytes"
    ))
}

/// The keys of a context, as in the design's table.
const CONTEXT_KEYS: &[&str] =
    &["record", "previous", "changes", "user", "organization", "site", "site_url", "occurred_at", "source"];

/// Bytes of a record's ordering key, of a site's name, and of its address.
const MAX_RECORD_BYTES: usize = 200;
const MAX_SITE_BYTES: usize = 64;
const MAX_SITE_URL_BYTES: usize = 2048;

/// What caused an event.
const CAUSES: &[&str] = &["person", "cron", "cli", "import"];

impl Context {
    /// Checks a context as the PHP API takes it: an object with the keys of the design's table.
    fn from_json(value: &Value, max_bytes: usize) -> Result<Self> {
        let mut context = Context::default();
        let map = match value {
            Value::Null => return Ok(context),
            Value::Array(list) if list.is_empty() => return Ok(context),
            Value::Object(map) => map,
            other => {
                return Err(Error::invalid(
                    "",
                    format!("expected an array with named keys, got {}", json::kind(other)),
                ));
            }
        };
        for (key, value) in map {
            match key.as_str() {
                known if CONTEXT_KEYS.contains(&known) && value.is_null() => {}
                "record" => context.record = text(key, value, MAX_RECORD_BYTES)?,
                "site" => context.site = text(key, value, MAX_SITE_BYTES)?,
                "occurred_at" => context.occurred_at = time(key, value)?,
                "site_url" => {
                    context.details.insert(key.clone(), Value::String(text(key, value, MAX_SITE_URL_BYTES)?));
                }
                "source" => {
                    let source = text(key, value, MAX_RECORD_BYTES)?;
                    if !CAUSES.contains(&source.as_str()) {
                        return Err(Error::invalid(
                            key,
                            format!("'{}' is none of {}", shown(&source), CAUSES.join(", ")),
                        ));
                    }
                    context.details.insert(key.clone(), Value::String(source));
                }
                "previous" | "user" | "organization" | "changes" => {
                    let rule = match value {
                        // PHP has one type for lists and maps, and an empty one looks like a list.
                        Value::Array(list) if list.is_empty() && key != "changes" => continue,
                        Value::Object(_) => None,
                        Value::Array(_) if key == "changes" => None,
                        _ if key == "changes" => Some("a list of the changed fields' names"),
                        _ => Some("an array with named keys"),
                    };
                    if let Some(rule) = rule {
                        return Err(Error::invalid(key, format!("expected {rule}, got {}", json::kind(value))));
                    }
                    check_size(json::to_js_string(value).len(), max_bytes).map_err(|rule| Error::invalid(key, rule))?;
                    context.details.insert(key.clone(), value.clone());
                }
                _ => {
                    return Err(Error::invalid(
                        shown(key),
                        format!("a context has no such key; its keys are {}", CONTEXT_KEYS.join(", ")),
                    ));
                }
            }
        }
        Ok(context)
    }
}

fn text(key: &str, value: &Value, max_bytes: usize) -> Result<String> {
    match value {
        Value::String(text) if text.len() <= max_bytes => Ok(text.clone()),
        Value::String(text) => {
            Err(Error::invalid(key, format!("it has {} bytes, the limit is {max_bytes}; shorten it", text.len())))
        }
        Value::Number(number) if number.is_i64() => Ok(number.to_string()),
        other => Err(Error::invalid(key, format!("expected a string, got {}", json::kind(other)))),
    }
}

fn time(key: &str, value: &Value) -> Result<Option<Millis>> {
    match value {
        Value::String(text) => clock::parse_iso(text).map(Some).ok_or_else(|| {
            Error::invalid(
                key,
                format!("'{}' is no ISO 8601 time with an offset, such as 2026-04-17T12:34:56Z", shown(text)),
            )
        }),
        other => Err(Error::invalid(key, format!("expected an ISO 8601 time as a string, got {}", json::kind(other)))),
    }
}
