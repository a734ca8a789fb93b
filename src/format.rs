//! How a request looks on the wire. Formats are data: `formats/*.toml`, checked and compiled in by `build.rs`.

mod body;
mod definition;
mod line;
mod omit;
mod sign;

use std::fmt::Write as _;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::catalogue::{self, Entry};
use crate::clock::Millis;
use crate::endpoint::Endpoint;
use crate::error::{Error, Result, shown};
use crate::event::{DeliveryId, Event};
use crate::json;

use definition::Broken;
use definition::template::{self, Part};
pub use definition::{Definition, Header, Member, SecretForm, Signature, Source};
pub use sign::generate_secret;
pub(crate) use sign::whsec_key;

/// The format of an endpoint that names none.
pub const DEFAULT: &str = "wpresidence";

/// Bytes of a definition as TOML.
const MAX_TOML_BYTES: usize = 65_536;

/// A format, checked: its definition, with the templates taken apart.
#[derive(Debug)]
pub struct Format {
    definition: Definition,
    user_agent: Vec<Part>,
    headers: Vec<(String, Vec<Part>)>,
    /// One for each member of the body that has one.
    lines: Vec<Vec<Part>>,
    recipe: Option<Recipe>,
}

/// How it is signed.
#[derive(Debug)]
struct Recipe {
    header: String,
    signed: Vec<Part>,
    prefix: Vec<Part>,
    each: Vec<Part>,
    separator: Option<String>,
}

impl Deref for Format {
    type Target = Definition;

    fn deref(&self) -> &Definition {
        &self.definition
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        // All else follows from it.
        self.definition == other.definition
    }
}

/// `build.rs` has checked them.
static FORMATS: LazyLock<Vec<Arc<Format>>> = LazyLock::new(|| {
    let definitions: Vec<Definition> =
        serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/formats.json"))).unwrap_or_default();
    definitions.into_iter().map(|definition| Arc::new(Format::of(definition))).collect()
});

/// Every format, the default first.
pub fn all() -> &'static [Arc<Format>] {
    &FORMATS
}

/// The format called `name`.
pub fn find(name: &str) -> Option<&'static Arc<Format>> {
    FORMATS.iter().find(|format| format.name == name)
}

/// The format that an endpoint's key `format` means: the name of one, or a whole definition of one more, in the form of
/// `formats/*.toml`, as an array or as TOML.
///
/// # Errors
/// [`Error::InvalidArgument`] with the key that breaks its rule, beginning with `format`.
pub fn read(given: &Value) -> Result<Arc<Format>> {
    let definition: Definition = match given {
        Value::String(text) if text.contains(['\n', '=']) => {
            if text.len() > MAX_TOML_BYTES {
                return Err(Error::invalid("format", format!("it has more than {MAX_TOML_BYTES} bytes; shorten it")));
            }
            toml::from_str(text).map_err(|error| {
                let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
                Error::invalid("format", format!("line {line}: {}", shown(error.message())))
            })?
        }
        Value::String(name) => return find(name).cloned().ok_or_else(|| unknown(name)),
        Value::Object(_) => serde_path_to_error::deserialize(given).map_err(|error| {
            let key = match error.path().to_string().as_str() {
                "." => "format".to_owned(),
                path => format!("format.{}", shown(path)),
            };
            Error::invalid(key, shown(&error.inner().to_string()))
        })?,
        other => {
            let got = json::kind(other);
            return Err(Error::invalid("format", format!("expected a format's name or its definition, got {got}")));
        }
    };
    definition
        .check(|name| catalogue::find(name).map(|entry| entry.name))
        .map_err(|Broken { key, rule }| Error::invalid(format!("format.{key}"), rule))?;
    Ok(match find(&definition.name) {
        Some(own) if own.definition == definition => own.clone(),
        _ => Arc::new(Format::of(definition)),
    })
}

fn unknown(name: &str) -> Error {
    let known: Vec<&str> = all().iter().map(|format| format.name.as_str()).collect();
    Error::invalid("format", format!("'{}' is no format; known are {}", shown(name), known.join(", ")))
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
    let format = &endpoint.format;
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
                Part::Version => write!(value, "{}", env!("CARGO_PKG_VERSION")),
                _ => Ok(()),
            };
        }
        value
    };
    add("Content-Type", "application/json".to_owned());
    add("User-Agent", expand(&format.user_agent));
    // standard-webhooks writes its own `webhook-id`: the same header, so it is sent once.
    if !format.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Webhook-Id")) {
        add("Webhook-Id", id.clone());
    }
    add("Webhook-Attempt", attempt.attempt.to_string());
    add("Webhook-Sequence", event.seq.to_string());
    if attempt.test {
        add("Webhook-Test", "1".to_owned());
    }
    for (name, parts) in &format.headers {
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
    let format = &endpoint.format;
    format.body(&omit::apply(event, &endpoint.omit), format.event_name(event))
}

impl Format {
    /// The format of a definition that was checked.
    fn of(given: Definition) -> Self {
        // Which of them may stand where was checked.
        const ALL: &[&str] =
            &["event", "id", "delivery", "ts", "version", "body", "hex", "base64", "title", "record", "site_url"];
        let parts = |text: &str| template::parts(text, ALL).unwrap_or_default();
        Format {
            user_agent: parts(&given.user_agent),
            headers: given.headers.iter().map(|header| (header.name.clone(), parts(&header.value))).collect(),
            lines: given.body.iter().filter_map(|member| member.line.as_deref()).map(parts).collect(),
            recipe: given.signature.as_ref().map(|signature| Recipe {
                header: signature.header.clone(),
                signed: parts(&signature.signed),
                prefix: parts(&signature.prefix),
                each: parts(&signature.each),
                separator: signature.separator.clone(),
            }),
            definition: given,
        }
    }

    /// What an endpoint's key `format` has for it: the name, or the whole definition of one that is not Posthorn's own.
    pub fn to_json(&self) -> Value {
        match find(&self.name) {
            Some(own) if **own == *self => self.name.as_str().into(),
            _ => self.definition_json(),
        }
    }

    /// # Errors
    /// [`Error::InvalidArgument`] if it has the name of one of Posthorn's own and is another.
    pub(crate) fn named_apart(&self) -> Result<()> {
        match find(&self.name) {
            Some(own) if **own != *self => Err(Error::invalid(
                "format.name",
                format!("'{}' is a format of Posthorn's own; choose another name", own.name),
            )),
            _ => Ok(()),
        }
    }

    /// The whole definition, as an array.
    pub fn definition_json(&self) -> Value {
        serde_json::to_value(&self.definition).unwrap_or_default()
    }

    /// How long a receiver of this format has for its answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs_f64(self.definition.timeout_s)
    }

    /// The delays after failed attempts.
    pub fn schedule(&self) -> Vec<Duration> {
        self.schedule_s.iter().map(|delay| Duration::from_secs_f64(*delay)).collect()
    }

    /// The name of its signature header; `None` for a format that is not signed.
    pub fn signature_header(&self) -> Option<&str> {
        self.recipe.as_ref().map(|recipe| recipe.header.as_str())
    }

    /// Whether the format itself writes the header called `name`, in any case.
    pub fn writes_header(&self, name: &str) -> bool {
        self.headers
            .iter()
            .map(|(own, _)| own.as_str())
            .chain(self.signature_header())
            .any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether `name` is among its events.
    pub(crate) fn has_event(&self, name: &str) -> bool {
        self.events.iter().any(|own| own == name)
    }

    /// Whether it has a word for the event, whichever record it is about.
    pub fn knows(&self, entry: &Entry) -> bool {
        self.events.is_empty() || entry.names().any(|name| self.has_event(name))
    }

    /// The name the format has for `entry` with `data`: the catalogue's own, unless the format only knows another
    /// one that means this record.
    pub fn name_of(&self, entry: &Entry, data: &Map<String, Value>) -> &'static str {
        if self.events.is_empty() || self.has_event(entry.name) {
            return entry.name;
        }
        entry
            .other_names
            .iter()
            .filter(|other| self.has_event(other.name))
            .find(|other| other.when.as_ref().is_none_or(|when| when.holds(data)))
            .map_or(entry.name, |other| other.name)
    }

    fn event_name<'a>(&self, event: &'a Event) -> &'a str {
        match catalogue::find(&event.name) {
            // The data is only read where a name hangs on it.
            Some(entry) if entry.other_names.iter().any(|other| other.when.is_some()) => {
                self.name_of(entry, &json::read_object(&event.data))
            }
            Some(entry) => self.name_of(entry, &Map::new()),
            None => &event.name,
        }
    }
}
