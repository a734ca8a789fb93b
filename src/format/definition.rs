//! A format as its file, or whoever adds one at run time, defines it; and the rules it keeps to. `build.rs` reads the files
//! with this very code, so nothing here knows the rest of the crate.

use serde::{Deserialize, Serialize};

/// A definition; see `formats/*.toml` for examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What an endpoint calls it: `wpresidence`.
    pub name: String,
    /// What a page calls it.
    pub title: String,
    /// Seconds a receiver has for its answer.
    pub timeout_s: f64,
    /// Seconds after each failed attempt.
    pub schedule_s: Vec<f64>,
    /// Each delay of its schedule is longer by up to this share of it: 0 where the system documents exact ones.
    #[serde(default)]
    pub schedule_jitter: f64,
    /// Whether its system documents a circuit breaker.
    #[serde(default)]
    pub circuit_breaker: bool,
    /// Whether its endpoints must be https.
    pub https_only: bool,
    /// Whether its receivers accept nothing unsigned, so that whoever saves an endpoint without a secret makes one.
    pub needs_secret: bool,
    /// What its secrets look like.
    pub secret_form: SecretForm,
    /// The header `User-Agent`.
    pub user_agent: String,
    /// The events it knows, in its own words. Empty: it sets no limit.
    #[serde(default)]
    pub events: Vec<String>,
    /// The keys of the body, in their order.
    pub body: Vec<Member>,
    /// Headers beside those that every request has.
    #[serde(default)]
    pub headers: Vec<Header>,
    /// How it is signed.
    pub signature: Signature,
}

/// What a secret of the format looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretForm {
    /// Any text; the key is its UTF-8 bytes.
    Text,
    /// `whsec_` and the key in base64 (Standard Webhooks 1.0).
    Whsec,
}

/// One key of the body, with either a value from the event or a fixed text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The key.
    pub key: String,
    /// Where its value comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Source>,
    /// The fixed text that it has instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Where the value of a key of the body comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The event's id.
    EventId,
    /// The name that the format has for the event.
    EventName,
    /// When it happened.
    Time,
    /// The event's data.
    Data,
    /// The data under `object`.
    DataAsObject,
    /// The data under `object`, with the old values and what changed.
    DataWithChanges,
    /// The data under the name of the event's entity.
    DataUnderEntity,
    /// The site's address.
    SiteUrl,
    /// The site: `id`, `name`.
    Organization,
    /// The site's id.
    OrganizationId,
    /// Who acted: `id`, `name`, `email`.
    User,
}

/// A header and its template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The header's name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How a signature is made and where it goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The header that carries it.
    pub header: String,
    /// What is signed.
    pub signed: String,
    /// What the header's value begins with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// One signature in it.
    pub each: String,
    /// Between the signatures of several live secrets; without one only the newest signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
}

/// A rule that a definition breaks.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// Where: `body[2].key`.
    pub key: String,
    /// The rule.
    pub rule: String,
}

/// What a template may hold in braces.
const HEADER_PARTS: &[&str] = &["event", "id", "delivery", "ts", "version"];
const SIGNED_PARTS: &[&str] = &["id", "ts", "body"];
const PREFIX_PARTS: &[&str] = &["ts"];
const EACH_PARTS: &[&str] = &["hex", "base64"];

/// Headers that every request has or that belong to its connection. `Webhook-Id` may be a format's own: the same header.
const TAKEN_HEADERS: &[&str] = &[
    "content-type",
    "content-length",
    "content-encoding",
    "host",
    "user-agent",
    "connection",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "expect",
    "webhook-attempt",
    "webhook-sequence",
    "webhook-test",
];

const MAX_NAME_BYTES: usize = 50;
const MAX_TITLE_BYTES: usize = 200;
/// A template's text; and more members or headers than any receiver reads.
const MAX_TEMPLATE_BYTES: usize = 500;
const MAX_MEMBERS: usize = 50;
const MAX_HEADERS: usize = 20;
const MAX_EVENTS: usize = 200;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// As it is.
    Text(String),
    /// The format's name for the event.
    EventName,
    /// The event's id.
    EventId,
    /// The delivery's id.
    DeliveryId,
    /// When the attempt is made.
    UnixSeconds,
    /// Posthorn's version.
    Version,
    /// The body.
    Body,
    /// The signature in lower-case hex.
    Hex,
    /// The signature in base64.
    Base64,
}

impl Definition {
    /// # Errors
    /// The first rule that it breaks. `is_event` says whether the catalogue has an event of this name.
    pub fn check(&self, is_event: impl Fn(&str) -> bool) -> Result<(), Broken> {
        let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.name.is_empty() || self.name.len() > MAX_NAME_BYTES || !self.name.bytes().all(is_name) {
            return broken("name", format!("must be up to {MAX_NAME_BYTES} of a–z, 0–9 and -"));
        }
        if self.title.trim().is_empty()
            || self.title.len() > MAX_TITLE_BYTES
            || self.title.chars().any(char::is_control)
        {
            return broken("title", format!("must be one line of up to {MAX_TITLE_BYTES} bytes"));
        }
        if !(0.1..=120.0).contains(&self.timeout_s) {
            return broken("timeout_s", "must be 0.1 to 120");
        }
        if self.schedule_s.len() > 20 || self.schedule_s.iter().any(|delay| !(0.0..=604_800.0).contains(delay)) {
            return broken("schedule_s", "must be up to 20 delays of 0 to 604800 seconds");
        }
        if !(0.0..=1.0).contains(&self.schedule_jitter) {
            return broken("schedule_jitter", "must be 0 to 1");
        }
        self.check_events(is_event)?;
        self.check_body()?;
        self.check_headers()?;
        self.check_signature()
    }

    fn check_events(&self, is_event: impl Fn(&str) -> bool) -> Result<(), Broken> {
        if self.events.len() > MAX_EVENTS {
            return broken("events", format!("must be {MAX_EVENTS} at most"));
        }
        for (at, name) in self.events.iter().enumerate() {
            if !is_event(name) {
                return broken(format!("events[{at}]"), format!("the catalogue has no event '{}'", shown(name)));
            }
            if self.events[..at].contains(name) {
                return broken(format!("events[{at}]"), format!("'{name}' is there twice"));
            }
        }
        Ok(())
    }

    fn check_body(&self) -> Result<(), Broken> {
        if self.body.is_empty() || self.body.len() > MAX_MEMBERS {
            return broken("body", format!("must have 1 to {MAX_MEMBERS} keys"));
        }
        for (at, member) in self.body.iter().enumerate() {
            let key = || format!("body[{at}].key");
            if member.value.is_some() == member.text.is_some() {
                return broken(key(), "give either value or text");
            }
            if member.key.is_empty() || member.key.len() > MAX_NAME_BYTES {
                return broken(key(), format!("must have 1 to {MAX_NAME_BYTES} bytes"));
            }
            if self.body[..at].iter().any(|earlier| earlier.key == member.key) {
                return broken(key(), format!("the key '{}' is there twice", shown(&member.key)));
            }
            // Such a key would have to come first, see `json`.
            if member.key.bytes().all(|b| b.is_ascii_digit()) {
                return broken(key(), "a key must not be a number");
            }
            if member.text.as_ref().is_some_and(|text| text.len() > MAX_TEMPLATE_BYTES) {
                return broken(format!("body[{at}].text"), format!("must be {MAX_TEMPLATE_BYTES} bytes at most"));
            }
        }
        let has_data = |member: &Member| {
            use Source::{Data, DataAsObject, DataUnderEntity, DataWithChanges};
            matches!(member.value, Some(Data | DataAsObject | DataUnderEntity | DataWithChanges))
        };
        if !self.body.iter().any(has_data) {
            return broken("body", "no key has the event's data");
        }
        Ok(())
    }

    fn check_headers(&self) -> Result<(), Broken> {
        if self.headers.len() > MAX_HEADERS {
            return broken("headers", format!("must be {MAX_HEADERS} at most"));
        }
        let mut names: Vec<String> = Vec::new();
        let own = self.headers.iter().enumerate().map(|(at, header)| (format!("headers[{at}].name"), &header.name));
        for (key, name) in own.chain([("signature.header".to_owned(), &self.signature.header)]) {
            let lower = name.to_ascii_lowercase();
            if lower.is_empty()
                || lower.len() > MAX_NAME_BYTES
                || !lower.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                || names.contains(&lower)
            {
                return broken(key, format!("'{}' is no header name, or is there twice", shown(name)));
            }
            if TAKEN_HEADERS.contains(&lower.as_str()) {
                return broken(key, format!("'{name}' is Posthorn's own, or the connection's"));
            }
            names.push(lower);
        }
        for (at, header) in self.headers.iter().enumerate() {
            checked(&header.value, HEADER_PARTS, &format!("headers[{at}].value"))?;
        }
        checked(&self.user_agent, HEADER_PARTS, "user_agent").map(|_| ())
    }

    fn check_signature(&self) -> Result<(), Broken> {
        let Signature { signed, prefix, each, separator, .. } = &self.signature;
        let of_signed = checked(signed, SIGNED_PARTS, "signature.signed")?;
        if of_signed.iter().filter(|part| **part == Part::Body).count() != 1 {
            return broken("signature.signed", "what is signed must contain {body} once");
        }
        let of_prefix = checked(prefix, PREFIX_PARTS, "signature.prefix")?;
        let of_each = checked(each, EACH_PARTS, "signature.each")?;
        if of_each.iter().filter(|part| matches!(part, Part::Hex | Part::Base64)).count() != 1 {
            return broken("signature.each", "must contain {hex} or {base64} once");
        }
        if let Some(separator) = separator {
            checked(separator, &[], "signature.separator")?;
            if separator.is_empty() {
                return broken("signature.separator", "is empty; leave it out to sign with the newest secret alone");
            }
        }
        let carries_time = |header: &Header| header.value.contains("{ts}");
        if of_signed.contains(&Part::UnixSeconds)
            && !of_prefix.contains(&Part::UnixSeconds)
            && !self.headers.iter().any(carries_time)
        {
            return broken("signature.signed", "{ts} is signed, but no header and no prefix tells it to the receiver");
        }
        Ok(())
    }
}

fn broken<T>(key: impl Into<String>, rule: impl Into<String>) -> Result<T, Broken> {
    Err(Broken { key: key.into(), rule: rule.into() })
}

/// Some of a text, on one line.
fn shown(text: &str) -> String {
    text.chars().take(60).map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn checked(template: &str, allowed: &[&'static str], key: &str) -> Result<Vec<Part>, Broken> {
    if template.len() > MAX_TEMPLATE_BYTES || !template.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return broken(key, format!("must be printable ASCII of at most {MAX_TEMPLATE_BYTES} bytes"));
    }
    parts(template, allowed).map_err(|rule| Broken { key: key.to_owned(), rule })
}

/// The pieces of a template such as `sha256={hex}`, whose names in braces are among `allowed`.
///
/// # Errors
/// The rule that it breaks.
pub fn parts(template: &str, allowed: &[&'static str]) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let close =
            rest[open..].find('}').ok_or_else(|| format!("'{}' lacks a closing brace", shown(template)))? + open;
        let name = &rest[open + 1..close];
        if open > 0 {
            parts.push(Part::Text(rest[..open].to_owned()));
        }
        parts.push(match name {
            _ if !allowed.contains(&name) => {
                return Err(format!("{{{}}} is not known here; known are {}", shown(name), allowed.join(", ")));
            }
            "event" => Part::EventName,
            "id" => Part::EventId,
            "delivery" => Part::DeliveryId,
            "ts" => Part::UnixSeconds,
            "version" => Part::Version,
            "body" => Part::Body,
            "hex" => Part::Hex,
            _ => Part::Base64,
        });
        rest = &rest[close + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}
