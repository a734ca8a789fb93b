//! The owner's own headers.

use serde_json::Value;

use crate::error::{Error, Result, shown};
use crate::format::Format;
use crate::json;

const MAX_HEADERS: usize = 50;
/// Common web servers refuse a header of more than 8 KiB.
const MAX_VALUE_BYTES: usize = 4096;
/// And a request whose headers have more than 16 KiB together (Node); Posthorn's own need one or two.
const MAX_TOTAL_BYTES: usize = 12 * 1024;
const MAX_NAME_BYTES: usize = 100;

/// Headers that describe the request itself; with another value it would be another request.
const OWN: &[&str] = &["content-type", "content-length", "content-encoding", "host", "user-agent"];

/// Headers that belong to one connection and not to the message (RFC 9110, 7.6.1).
const OF_THE_CONNECTION: &[&str] = &[
    "connection",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "expect",
];

/// Reads `headers`: an array from name to value.
pub(super) fn read(value: Option<&Value>, format: &Format) -> Result<Vec<(String, String)>> {
    let map = match value {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) if list.is_empty() => return Ok(Vec::new()),
        Some(Value::Object(map)) => map,
        Some(other) => {
            let got = json::kind(other);
            return Err(Error::invalid(
                "headers",
                format!("expected an array from a header's name to its value, got {got}"),
            ));
        }
    };
    if map.len() > MAX_HEADERS {
        return Err(Error::invalid(
            "headers",
            format!("there are {}, the limit is {MAX_HEADERS}; send fewer", map.len()),
        ));
    }
    let mut headers: Vec<(String, String)> = Vec::with_capacity(map.len());
    for (name, value) in map {
        let key = format!("headers.{}", shown(name));
        check_name(name, format).map_err(|rule| Error::invalid(&key, rule))?;
        if headers.iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
            return Err(Error::invalid(key, "it is there twice; header names do not depend on upper and lower case"));
        }
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => return Err(Error::invalid(key, format!("expected a string, got {}", json::kind(other)))),
        };
        check_value(&value).map_err(|rule| Error::invalid(&key, rule))?;
        headers.push((name.clone(), value));
    }
    let total: usize = headers.iter().map(|(name, value)| name.len() + value.len() + ": \r\n".len()).sum();
    if total > MAX_TOTAL_BYTES {
        return Err(Error::invalid(
            "headers",
            format!("they have {total} bytes together, the limit is {MAX_TOTAL_BYTES}; receivers refuse more"),
        ));
    }
    Ok(headers)
}

fn check_name(name: &str, format: &Format) -> std::result::Result<(), String> {
    // A token of RFC 9110, 5.6.2.
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let lower = name.to_ascii_lowercase();
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err("it is no header name; use letters, digits and -".to_owned());
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(format!("its name has {} bytes, the limit is {MAX_NAME_BYTES}", name.len()));
    }
    if OWN.contains(&lower.as_str()) || lower.starts_with("webhook-") || format.writes_header(name) {
        return Err("Posthorn sets this header itself; choose another name".to_owned());
    }
    if OF_THE_CONNECTION.contains(&lower.as_str()) {
        return Err("this header belongs to the connection, which Posthorn manages; remove it".to_owned());
    }
    Ok(())
}

/// The error shows nothing of the value, which may be a token.
fn check_value(value: &str) -> std::result::Result<(), String> {
    if value.len() > MAX_VALUE_BYTES {
        return Err(format!("its value has {} bytes, the limit is {MAX_VALUE_BYTES}", value.len()));
    }
    if value.contains(['\n', '\r']) {
        return Err("its value contains a line break; write it as one line".to_owned());
    }
    if !value.bytes().all(|b| (0x20..0x7f).contains(&b) || b == b'\t') {
        return Err("its value may hold printable ASCII only; encode the rest, for example as %C3%A9".to_owned());
    }
    if value.trim() != value {
        return Err("its value begins or ends with a space, which is not sent; remove it".to_owned());
    }
    Ok(())
}
