//! Reads and checks `src/formats/*.toml`. Incomplete or ambiguous data ends the build, naming file and line.

use serde::Deserialize;
use toml::Spanned;

use super::catalogue::Event;
use super::place;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    pub name: Spanned<String>,
    pub title: String,
    pub timeout_s: Spanned<f64>,
    pub schedule_s: Spanned<Vec<f64>>,
    /// Where the delays are ours: each is longer by up to this share of it.
    #[serde(default)]
    pub schedule_jitter: Option<Spanned<f64>>,
    /// Whether its system documents a circuit breaker.
    #[serde(default)]
    pub circuit_breaker: bool,
    pub https_only: bool,
    pub needs_secret: bool,
    pub secret_form: SecretForm,
    pub user_agent: Spanned<String>,
    /// The events it knows, in its own words; none where it sets no limit.
    #[serde(default)]
    pub events: Vec<Spanned<String>>,
    pub body: Vec<Member>,
    #[serde(default)]
    pub headers: Vec<Header>,
    pub signature: Signature,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretForm {
    Text,
    Whsec,
}

/// One key of the body, with either a value from the event or a fixed text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub key: Spanned<String>,
    pub value: Option<Value>,
    pub text: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub name: Spanned<String>,
    pub value: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    pub header: Spanned<String>,
    pub signed: Spanned<String>,
    #[serde(default)]
    pub prefix: Option<Spanned<String>>,
    pub each: Spanned<String>,
    /// Between the signatures of several live secrets; without one only the newest signs.
    pub separator: Option<String>,
}

/// What a template may hold in braces.
pub const HEADER_PARTS: &[&str] = &["event", "id", "delivery", "ts", "version"];
pub const SIGNED_PARTS: &[&str] = &["id", "ts", "body"];
pub const PREFIX_PARTS: &[&str] = &["ts"];
pub const EACH_PARTS: &[&str] = &["hex", "base64"];

/// The format in `text`, or the first rule that it breaks. `stem` is the file's name without its ending.
pub fn read(file: &str, stem: &str, text: &str, catalogue: &[Event]) -> Result<Format, String> {
    let format: Format = toml::from_str(text).map_err(|error| place::unreadable(file, text, &error))?;
    let at = |offset: usize| place::at(file, text, offset);
    if format.name.as_ref() != stem {
        return Err(format!("{}: name must be that of the file, '{stem}'", at(format.name.span().start)));
    }
    if format.title.trim().is_empty() {
        return Err(format!("{}: title is empty", at(format.name.span().start)));
    }
    let timeout = &format.timeout_s;
    if !(0.1..=120.0).contains(timeout.as_ref()) {
        return Err(format!("{}: timeout_s must be 0.1 to 120", at(timeout.span().start)));
    }
    let schedule = &format.schedule_s;
    if schedule.as_ref().len() > 20 || schedule.as_ref().iter().any(|delay| !(0.0..=604_800.0).contains(delay)) {
        return Err(format!(
            "{}: schedule_s must be up to 20 delays of 0 to 604800 seconds",
            at(schedule.span().start)
        ));
    }
    if let Some(jitter) = &format.schedule_jitter
        && !(0.0..=1.0).contains(jitter.as_ref())
    {
        return Err(format!("{}: schedule_jitter must be 0 to 1", at(jitter.span().start)));
    }
    check_events(&format.events, catalogue, at)?;
    let mut keys = Vec::new();
    for member in &format.body {
        if member.value.is_some() == member.text.is_some() {
            return Err(format!("{}: give either value or text", at(member.key.span().start)));
        }
        if keys.contains(&member.key.as_ref()) {
            return Err(format!("{}: the key '{}' is there twice", at(member.key.span().start), member.key.as_ref()));
        }
        // Such a key would have to come first, see `json`.
        if member.key.as_ref().bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("{}: a key must not be a number", at(member.key.span().start)));
        }
        keys.push(member.key.as_ref());
    }
    if format.body.is_empty() {
        return Err(format!("{file}:1: body is empty"));
    }
    let signature = &format.signature;
    let mut names = Vec::new();
    for name in format.headers.iter().map(|header| &header.name).chain([&signature.header]) {
        let lower = name.as_ref().to_ascii_lowercase();
        if lower.is_empty() || !lower.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') || names.contains(&lower)
        {
            return Err(format!("{}: '{}' is no header name, or is there twice", at(name.span().start), name.as_ref()));
        }
        names.push(lower);
    }
    for (template, allowed) in format
        .headers
        .iter()
        .map(|header| (&header.value, HEADER_PARTS))
        .chain([(&format.user_agent, HEADER_PARTS), (&signature.signed, SIGNED_PARTS), (&signature.each, EACH_PARTS)])
        .chain(signature.prefix.iter().map(|prefix| (prefix, PREFIX_PARTS)))
    {
        parts(template.as_ref(), allowed).map_err(|rule| format!("{}: {rule}", at(template.span().start)))?;
    }
    if !signature.signed.as_ref().contains("{body}") {
        return Err(format!("{}: what is signed must contain {{body}}", at(signature.signed.span().start)));
    }
    Ok(format)
}

fn check_events(events: &[Spanned<String>], catalogue: &[Event], at: impl Fn(usize) -> String) -> Result<(), String> {
    let mut seen = Vec::new();
    for name in events {
        let known = |entry: &&Event| {
            entry.name.as_ref() == name.as_ref()
                || entry.other_names.iter().any(|other| other.name.as_ref() == name.as_ref())
        };
        if catalogue.iter().find(known).is_none() {
            return Err(format!("{}: the catalogue has no event '{}'", at(name.span().start), name.as_ref()));
        }
        if seen.contains(&name.as_ref()) {
            return Err(format!("{}: '{}' is there twice", at(name.span().start), name.as_ref()));
        }
        seen.push(name.as_ref());
    }
    Ok(())
}

/// A piece of a template.
#[derive(Debug, PartialEq)]
pub enum Part {
    Text(String),
    Named(&'static str),
}

/// The pieces of a template such as `sha256={hex}`, whose names in braces are among `allowed`.
pub fn parts(template: &str, allowed: &[&'static str]) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let close = rest[open..].find('}').ok_or_else(|| format!("'{template}' lacks a closing brace"))? + open;
        let name = &rest[open + 1..close];
        let name = allowed
            .iter()
            .find(|known| **known == name)
            .ok_or_else(|| format!("{{{name}}} is not known here; known are {}", allowed.join(", ")))?;
        if open > 0 {
            parts.push(Part::Text(rest[..open].to_owned()));
        }
        parts.push(Part::Named(name));
        rest = &rest[close + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}
