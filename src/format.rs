//! How a request looks on the wire. Formats are data: `formats/*.toml`, checked and compiled in by `build.rs`.

mod body;
mod omit;
mod sign;

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::catalogue::{self, Entry};
use crate::clock::Millis;
use crate::endpoint::Endpoint;
use crate::event::{DeliveryId, Event};

pub use sign::generate_secret;
pub(crate) use sign::whsec_key;

/// The format of an endpoint that names none.
pub const DEFAULT: &str = "wpresidence";

/// A format: envelope, headers, signature recipe, and what an endpoint has by default.
#[derive(Debug)]
pub struct Format {
    /// What an endpoint calls it: `wpresidence`.
    pub name: &'static str,
    /// What a page calls it.
    pub title: &'static str,
    /// Whether its endpoints must be https.
    pub https_only: bool,
    /// Whether its receivers accept nothing unsigned, so that whoever saves an endpoint without a secret makes one.
    pub needs_secret: bool,
    /// The events it knows, in its own words. Empty: it sets no limit.
    pub events: &'static [&'static str],
    /// Each delay of its schedule is longer by up to this share of it: 0 where the system documents exact ones.
    pub schedule_jitter: f64,
    /// Whether its system documents a circuit breaker.
    pub circuit_breaker: bool,
    timeout_s: f64,
    schedule_s: &'static [f64],
    secret_form: SecretForm,
    user_agent: &'static [Part],
    body: &'static [(&'static str, Source)],
    headers: &'static [(&'static str, &'static [Part])],
    signature: Recipe,
}

/// What a secret of the format looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// Any text; the key is its UTF-8 bytes.
    Text,
    /// `whsec_` and the key in base64 (Standard Webhooks 1.0).
    Whsec,
}

/// How a signature is made and where it goes.
#[derive(Debug)]
struct Recipe {
    header: &'static str,
    /// What is signed.
    signed: &'static [Part],
    /// What the header's value begins with.
    prefix: &'static [Part],
    /// One signature in it.
    each: &'static [Part],
    /// Between the signatures of several live secrets; without one only the newest secret signs.
    separator: Option<&'static str>,
}

/// A piece of a header's value, or of what is signed.
#[derive(Debug)]
enum Part {
    Text(&'static str),
    EventName,
    EventId,
    DeliveryId,
    UnixSeconds,
    Body,
    Hex,
    Base64,
}

/// Where the value of a key of the body comes from.
#[derive(Debug)]
enum Source {
    Text(&'static str),
    EventId,
    EventName,
    Time,
    Data,
    DataAsObject,
    DataWithChanges,
    DataUnderEntity,
    SiteUrl,
    Organization,
    OrganizationId,
    User,
}

static FORMATS: &[Format] = include!(concat!(env!("OUT_DIR"), "/formats.rs"));

/// Every format, the default first.
pub fn all() -> &'static [Format] {
    FORMATS
}

/// The format called `name`.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// What of a request belongs to the attempt and not to the event.
#[derive(Clone, Copy, Debug)]
pub struct AttemptInfo {
    /// The delivery's id.
    pub delivery: DeliveryId,
    /// 1, 2, …
    pub attempt: u32,
    /// The time that is signed.
    pub now: Millis,
    /// Whether it is a test.
    pub test: bool,
}

/// A request, ready to be sent by POST to the endpoint's URL.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// Name and value, in the order they are sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Rendered {
    /// The headers as they may be stored and shown: the owner's own may hold a receiver's password.
    pub fn loggable_headers(&self, endpoint: &Endpoint) -> Vec<(String, String)> {
        let own = |name: &str| endpoint.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        self.headers
            .iter()
            .map(|(name, value)| (name.clone(), if own(name) { "••••••".to_owned() } else { value.clone() }))
            .collect()
    }
}

/// Renders and signs the request for `event` to `endpoint`, in the endpoint's format. `Host` and `Content-Length` are
/// the transport's. An endpoint without a secret gets no signature header.
pub fn render(endpoint: &Endpoint, event: &Event, attempt: &AttemptInfo) -> Rendered {
    let format = of(&endpoint.format);
    let event_name = format.event_name(event);
    let body = format.body(&omit::apply(event, &endpoint.omit), event_name);
    let id = event.id.to_string();
    let unix_seconds = attempt.now.div_euclid(1000);

    let mut headers = Vec::with_capacity(8 + format.headers.len() + endpoint.headers.len());
    let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
    let expand = |parts: &[Part]| {
        let mut value = String::new();
        for part in parts {
            let _ = match part {
                Part::Text(text) => write!(value, "{text}"),
                Part::EventName => write!(value, "{event_name}"),
                Part::EventId => write!(value, "{id}"),
                Part::DeliveryId => write!(value, "{}", attempt.delivery),
                Part::UnixSeconds => write!(value, "{unix_seconds}"),
                Part::Body | Part::Hex | Part::Base64 => Ok(()),
            };
        }
        value
    };
    add("Content-Type", "application/json".to_owned());
    add("User-Agent", expand(format.user_agent));
    // standard-webhooks writes its own `webhook-id`: the same header, so it is sent once.
    if !format.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Webhook-Id")) {
        add("Webhook-Id", id.clone());
    }
    add("Webhook-Attempt", attempt.attempt.to_string());
    add("Webhook-Sequence", event.seq.to_string());
    if attempt.test {
        add("Webhook-Test", "1".to_owned());
    }
    for (name, parts) in format.headers {
        add(name, expand(parts));
    }
    if let Some((name, value)) = format.sign(&endpoint.secrets, &id, unix_seconds, &body) {
        add(name, value);
    }
    headers.extend(endpoint.headers.iter().cloned());
    Rendered { headers, body }
}

/// The body alone: it depends only on the event and the endpoint's settings.
pub fn body(endpoint: &Endpoint, event: &Event) -> String {
    let format = of(&endpoint.format);
    format.body(&omit::apply(event, &endpoint.omit), format.event_name(event))
}

/// An endpoint's format was checked when the endpoint was made, so the default stands in for none but a format that a
/// newer version stored.
fn of(name: &str) -> &'static Format {
    find(name).unwrap_or(&FORMATS[0])
}

impl Format {
    /// How long a receiver of this format has for its answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.timeout_s)
    }

    /// The delays after failed attempts.
    pub fn schedule(&self) -> Vec<Duration> {
        self.schedule_s.iter().map(|delay| Duration::from_secs_f64(*delay)).collect()
    }

    /// What its secrets look like.
    pub fn secret_form(&self) -> SecretForm {
        self.secret_form
    }

    /// The name of its signature header.
    pub fn signature_header(&self) -> &'static str {
        self.signature.header
    }

    /// Whether the format itself writes the header called `name`, in any case.
    pub fn writes_header(&self, name: &str) -> bool {
        self.headers
            .iter()
            .map(|(own, _)| *own)
            .chain([self.signature.header])
            .any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether it has a word for the event, whichever record it is about.
    pub fn knows(&self, entry: &Entry) -> bool {
        self.events.is_empty() || entry.names().any(|name| self.events.contains(&name))
    }

    /// The name the format has for `entry` with `data`: the catalogue's own, unless the format only knows another
    /// one that means this record.
    pub fn name_of(&self, entry: &Entry, data: &Map<String, Value>) -> &'static str {
        if self.events.is_empty() || self.events.contains(&entry.name) {
            return entry.name;
        }
        entry
            .other_names
            .iter()
            .filter(|other| self.events.contains(&other.name))
            .find(|other| other.when.as_ref().is_none_or(|when| when.holds(data)))
            .map_or(entry.name, |other| other.name)
    }

    fn event_name<'a>(&self, event: &'a Event) -> &'a str {
        match catalogue::find(&event.name) {
            // The data is only read where a name hangs on it.
            Some(entry) if entry.other_names.iter().any(|other| other.when.is_some()) => {
                self.name_of(entry, &serde_json::from_str(&event.data).unwrap_or_default())
            }
            Some(entry) => self.name_of(entry, &Map::new()),
            None => &event.name,
        }
    }
}
