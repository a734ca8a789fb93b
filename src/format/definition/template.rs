//! Templates: text with names in braces.

use super::rules::shown;

/// What a template may hold in braces.
pub const HEADER_PARTS: &[&str] = &["event", "id", "delivery", "ts", "version"];
pub const SIGNED_PARTS: &[&str] = &["id", "ts", "body"];
pub const PREFIX_PARTS: &[&str] = &["ts"];
pub const EACH_PARTS: &[&str] = &["hex", "base64"];
pub const LINE_PARTS: &[&str] = &["event", "title", "record", "site_url"];

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
    /// What the catalogue says that the event means.
    Title,
    /// Which record it is about, for people.
    Record,
    /// The site's address.
    SiteUrl,
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
            "title" => Part::Title,
            "record" => Part::Record,
            "site_url" => Part::SiteUrl,
            _ => Part::Base64,
        });
        rest = &rest[close + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}
