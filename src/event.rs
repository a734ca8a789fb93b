//! Something that happened, and the ids by which everybody knows it.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};
use uuid::{ContextV7, Timestamp, Uuid};

use crate::clock::{self, Clock, Millis};
use crate::error::{Error, Result, shown};
use crate::filter::Record;
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
    /// `previous`, `changes`, `user`, `organization`, `site_url`, `source`, as far as given: a JSON object, or empty.
    pub details: String,
}

/// A value of a context, as far as it is looked at.
#[derive(Clone, Debug)]
pub enum Given<'a> {
    /// Nothing.
    Null,
    /// A string.
    Text(Cow<'a, str>),
    /// An integer.
    Integer(i64),
    /// Anything else as JavaScript would print it, and what it is in the words of [`json::kind`].
    Other(String, &'static str),
}

/// An event that is about to be accepted: checked, its data already JSON.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The catalogue's own name.
    pub name: &'static str,
    /// What its record is.
    pub entity: &'static str,
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
        Event {
            seq: 0,
            id: EventId::new(now),
            name: new.name.to_owned(),
            accepted_at: now,
            data: new.data,
            context: new.context,
        }
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
        let mut checked = Context::default();
        match context {
            Value::Object(map) => {
                for (key, value) in map {
                    checked.set(key, Given::from(value), max_data_bytes).map_err(|error| error.within("context"))?;
                }
            }
            Value::Array(list) if list.is_empty() => {}
            Value::Null => {}
            other => return Err(Error::invalid("context", named_keys_expected(json::kind(other)))),
        }
        NewEvent::of_text(name, (json::to_js_string(data), json::kind(data)), checked, max_data_bytes)
    }

    /// The same of data that is printed already, with what it is in the words of [`json::kind`], and of a checked context.
    pub fn of_text(name: &str, (data, kind): (String, &str), context: Context, max_data_bytes: usize) -> Result<Self> {
        let entry = catalogue::find(name).ok_or_else(|| catalogue::unknown(name))?;
        let data = match data.as_bytes() {
            [b'{', ..] => data,
            // PHP has one type for lists and maps, and an empty one looks like a list.
            b"[]" => "{}".to_owned(),
            _ => return Err(Error::invalid("data", named_keys_expected(kind))),
        };
        check_size(data.len(), max_data_bytes).map_err(|rule| Error::invalid("data", rule))?;
        // Taken all the same, it would go to nobody who subscribes to that name.
        if let Some(when) = entry.condition_of(name)
            && !when.holds(&json::read_object(&data))
        {
            let (field, is) = (when.field, when.is.map_or("set".to_owned(), |is| format!("'{is}'")));
            let rule = format!(
                "'{name}' is a {own} whose {field} is {is}, and this one's is not; give it {field}, or call it {own}",
                own = entry.name
            );
            return Err(Error::invalid("event", rule));
        }
        Ok(NewEvent { name: entry.name, entity: entry.entity, data, context })
    }

    /// Its data, as filters look at it.
    pub fn record(&self) -> Record<'_> {
        Record::of_event(self.name, self.entity, &self.data)
    }
}

/// The rule for what PHP calls an array and JSON an object.
pub(crate) fn named_keys_expected(kind: &str) -> String {
    format!("expected an array with named keys, got {kind}")
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

impl From<&Value> for Given<'_> {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Given::Null,
            Value::String(text) => Given::Text(Cow::Owned(text.clone())),
            other => match other.as_i64() {
                Some(number) => Given::Integer(number),
                None => Given::Other(json::to_js_string(other), json::kind(other)),
            },
        }
    }
}

impl Given<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Given::Null => "null",
            Given::Text(_) => "a string",
            Given::Integer(_) => "an integer",
            Given::Other(_, kind) => kind,
        }
    }
}

impl Context {
    /// Checks one key and its value, as the design's table has them, and takes it in.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] with the key if it is unknown, or has a value of another type or more than
    /// `max_bytes` as JSON.
    pub fn set(&mut self, key: &str, given: Given, max_bytes: usize) -> Result<()> {
        match key {
            known if CONTEXT_KEYS.contains(&known) && matches!(given, Given::Null) => {}
            "record" => self.record = text(key, given, MAX_RECORD_BYTES)?,
            "site" => self.site = text(key, given, MAX_SITE_BYTES)?,
            "occurred_at" => self.occurred_at = time(key, &given)?,
            "site_url" => self.add_text(key, &text(key, given, MAX_SITE_URL_BYTES)?),
            "source" => {
                let source = text(key, given, MAX_RECORD_BYTES)?;
                if !CAUSES.contains(&source.as_str()) {
                    let rule = format!("'{}' is none of {}", shown(&source), CAUSES.join(", "));
                    return Err(Error::invalid(key, rule));
                }
                self.add_text(key, &source);
            }
            "previous" | "user" | "organization" | "changes" => {
                let got = given.kind();
                let rule =
                    if key == "changes" { "a list of the changed fields' names" } else { "an array with named keys" };
                match given {
                    // PHP has one type for lists and maps, and an empty one looks like a list.
                    Given::Other(json, _) if json == "[]" && key != "changes" => {}
                    Given::Other(json, _) if json.starts_with('{') || (key == "changes" && json.starts_with('[')) => {
                        check_size(json.len(), max_bytes).map_err(|rule| Error::invalid(key, rule))?;
                        self.add(key, &json);
                    }
                    _ => return Err(Error::invalid(key, format!("expected {rule}, got {got}"))),
                }
            }
            _ => {
                return Err(Error::invalid(
                    shown(key),
                    format!("a context has no such key; its keys are {}", CONTEXT_KEYS.join(", ")),
                ));
            }
        }
        Ok(())
    }

    /// The details as values.
    pub fn details(&self) -> Map<String, Value> {
        // They were printed at acceptance, if there were any.
        json::read_object(&self.details)
    }

    fn add_text(&mut self, key: &str, text: &str) {
        let mut printed = String::with_capacity(text.len() + 2);
        json::write_str(&mut printed, text);
        self.add(key, &printed);
    }

    fn add(&mut self, key: &str, json: &str) {
        let before = if self.details.pop().is_some() { ',' } else { '{' };
        self.details.push(before);
        json::write_str(&mut self.details, key);
        self.details.push(':');
        self.details.push_str(json);
        self.details.push('}');
    }
}

fn text(key: &str, given: Given, max_bytes: usize) -> Result<String> {
    match given {
        Given::Text(text) if text.len() <= max_bytes => Ok(text.into_owned()),
        Given::Text(text) => {
            Err(Error::invalid(key, format!("it has {} bytes, the limit is {max_bytes}; shorten it", text.len())))
        }
        Given::Integer(number) => Ok(number.to_string()),
        other => Err(Error::invalid(key, format!("expected a string, got {}", other.kind()))),
    }
}

fn time(key: &str, given: &Given) -> Result<Option<Millis>> {
    match given {
        Given::Text(text) => clock::parse_iso(text).map(Some).ok_or_else(|| {
            Error::invalid(
                key,
                format!("'{}' is no ISO 8601 time with an offset, such as 2026-04-17T12:34:56Z", shown(text)),
            )
        }),
        other => Err(Error::invalid(key, format!("expected an ISO 8601 time as a string, got {}", other.kind()))),
    }
}
