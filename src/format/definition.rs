//! A format as its file, or whoever adds one at run time, defines it; and the rules it keeps to. `build.rs` reads the files
//! with this very code, so nothing here knows the rest of the crate.

// Paths, because for build.rs this file stands somewhere else.
#[path = "definition/rules.rs"]
mod rules;
#[path = "definition/template.rs"]
pub mod template;

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// Whether it is not signed at all, because its receivers verify nothing. Said, so that no recipe is forgotten.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unsigned: bool,
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

/// One key of the body, with either a value from the event, a fixed text, or a line for people.
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
    /// The template of a line for people, as chats show it: what it takes from the event is escaped for Slack's markup and
    /// mentions nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
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

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}
