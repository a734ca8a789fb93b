//! The rules that a definition keeps to.

use super::template::{EACH_PARTS, HEADER_PARTS, LINE_PARTS, PREFIX_PARTS, Part, SIGNED_PARTS, parts};
use super::{Broken, Definition, Header, Member, Signature, Source};

/// May be among a format's own: the same header.
const ID_HEADER: &str = "webhook-id";

/// Headers that every request has or that belong to its connection.
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

impl Definition {
    /// # Errors
    /// The first rule that it breaks. `own_name` is the catalogue's own name for the event that has a name; `None` if there
    /// is no such event.
    pub fn check<'a>(&self, own_name: impl Fn(&str) -> Option<&'a str>) -> Result<(), Broken> {
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
        self.check_events(own_name)?;
        self.check_body()?;
        self.check_headers()?;
        self.check_signature()
    }

    fn check_events<'a>(&self, own_name: impl Fn(&str) -> Option<&'a str>) -> Result<(), Broken> {
        if self.events.len() > MAX_EVENTS {
            return broken("events", format!("must be {MAX_EVENTS} at most"));
        }
        let mut own_names = Vec::with_capacity(self.events.len());
        for (at, name) in self.events.iter().enumerate() {
            let Some(event) = own_name(name) else {
                return broken(format!("events[{at}]"), format!("the catalogue has no event '{}'", shown(name)));
            };
            if let Some(earlier) = own_names.iter().position(|own| *own == event) {
                let earlier = &self.events[earlier];
                let rule = if earlier == name {
                    format!("'{name}' is there twice")
                } else {
                    // It would be sent under one of the two only.
                    format!("'{name}' is the event '{earlier}', which is there already; a format has one name for it")
                };
                return broken(format!("events[{at}]"), rule);
            }
            own_names.push(event);
        }
        Ok(())
    }

    fn check_body(&self) -> Result<(), Broken> {
        if self.body.is_empty() || self.body.len() > MAX_MEMBERS {
            return broken("body", format!("must have 1 to {MAX_MEMBERS} keys"));
        }
        for (at, member) in self.body.iter().enumerate() {
            let key = || format!("body[{at}].key");
            let given = [member.value.is_some(), member.text.is_some(), member.line.is_some()];
            if given.into_iter().filter(|given| *given).count() != 1 {
                return broken(key(), "give one of value, text and line");
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
            if let Some(line) = &member.line {
                check_line(line).map_err(|rule| Broken { key: format!("body[{at}].line"), rule })?;
            }
        }
        let has_data = |member: &Member| {
            use Source::{Data, DataAsObject, DataUnderEntity, DataWithChanges};
            member.line.is_some()
                || matches!(member.value, Some(Data | DataAsObject | DataUnderEntity | DataWithChanges))
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
        let signature = self.signature.iter().map(|signature| ("signature.header".to_owned(), &signature.header));
        for (key, name) in own.chain(signature) {
            let lower = name.to_ascii_lowercase();
            if lower.is_empty()
                || lower.len() > MAX_NAME_BYTES
                || !lower.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                || names.contains(&lower)
            {
                return broken(key, format!("'{}' is no header name, or is there twice", shown(name)));
            }
            if TAKEN_HEADERS.contains(&lower.as_str()) || (key == "signature.header" && lower == ID_HEADER) {
                return broken(key, format!("'{name}' is Posthorn's own, or the connection's"));
            }
            names.push(lower);
        }
        for (at, header) in self.headers.iter().enumerate() {
            checked(&header.value, HEADER_PARTS, &format!("headers[{at}].value"))?;
            if header.name.eq_ignore_ascii_case(ID_HEADER) && header.value != "{id}" {
                return broken(
                    format!("headers[{at}].value"),
                    "must be {id}: every request has its event's id in this header",
                );
            }
        }
        if self.user_agent.trim().is_empty() {
            return broken("user_agent", "is empty");
        }
        checked(&self.user_agent, HEADER_PARTS, "user_agent").map(|_| ())
    }

    fn check_signature(&self) -> Result<(), Broken> {
        let Some(Signature { signed, prefix, each, separator, .. }) = &self.signature else {
            return match (self.unsigned, self.needs_secret) {
                (true, false) => Ok(()),
                (true, true) => broken("needs_secret", "a format that is unsigned has no use for a secret"),
                (false, _) => broken("signature", "is missing; if its receivers verify none, say unsigned = true"),
            };
        };
        if self.unsigned {
            return broken("unsigned", "it has a signature all the same; drop one of the two");
        }
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
            // Base64's letters, which have those of hex among them.
            if separator.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')) {
                return broken("signature.separator", "could be part of a signature; take a comma or a space");
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

fn check_line(line: &str) -> Result<(), String> {
    if line.len() > MAX_TEMPLATE_BYTES || line.chars().any(char::is_control) {
        return Err(format!("must be one line of at most {MAX_TEMPLATE_BYTES} bytes"));
    }
    if parts(line, LINE_PARTS)?.iter().all(|part| matches!(part, Part::Text(_))) {
        return Err("tells nothing of the event; a fixed text is a text".to_owned());
    }
    Ok(())
}

/// Some of a text, on one line.
pub fn shown(text: &str) -> String {
    text.chars().take(60).map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn checked(template: &str, allowed: &[&'static str], key: &str) -> Result<Vec<Part>, Broken> {
    if template.len() > MAX_TEMPLATE_BYTES || !template.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return broken(key, format!("must be printable ASCII of at most {MAX_TEMPLATE_BYTES} bytes"));
    }
    parts(template, allowed).map_err(|rule| Broken { key: key.to_owned(), rule })
}
