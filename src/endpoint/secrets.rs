//! Secrets: one, or several while they are rotated.

use serde_json::{Value, json};

use crate::clock::{iso_millis, parse_iso};
use crate::error::{Error, Result};
use crate::format::{self, Format, SecretForm};
use crate::json;
use crate::secret::Secret;

/// Bytes of a secret: HMAC hashes keys longer than 64 bytes anyway (RFC 2104), and a header's worth is generous.
const MAX_SECRET_BYTES: usize = 1024;

/// Live secrets during a rotation.
const MAX_SECRETS: usize = 5;

/// Reads the key `secret`.
pub(super) fn read(value: Option<&Value>, format: &Format) -> Result<Vec<Secret>> {
    match value {
        None => Ok(Vec::new()),
        // What a settings form sends when nothing was typed.
        Some(Value::String(secret)) if secret.is_empty() => Ok(Vec::new()),
        Some(value @ Value::String(_)) => Ok(vec![secret("secret", value, format)?]),
        Some(Value::Array(list)) if list.len() > MAX_SECRETS => Err(Error::invalid(
            "secret",
            format!(
                "it lists {} secrets, the limit is {MAX_SECRETS}; drop those that no receiver uses any more",
                list.len()
            ),
        )),
        Some(Value::Array(list)) => {
            let secrets = list
                .iter()
                .enumerate()
                .map(|(at, value)| entry(&format!("secret[{at}]"), value, format))
                .collect::<Result<Vec<_>>>()?;
            if !secrets.is_empty() && secrets.iter().all(|secret| secret.until().is_some()) {
                return Err(Error::invalid(
                    "secret",
                    "each has an end, after which requests would go out unsigned; leave until out of the newest",
                ));
            }
            Ok(secrets)
        }
        Some(other) => {
            Err(Error::invalid("secret", format!("expected a string or a list of secrets, got {}", json::kind(other))))
        }
    }
}

/// An element of the list: a secret, or one with the time from which on it signs nothing.
fn entry(key: &str, value: &Value, format: &Format) -> Result<Secret> {
    let Value::Object(map) = value else { return secret(key, value, format) };
    if map.keys().any(|name| name != "secret" && name != "until") {
        // The key may be the secret, so it is not shown.
        return Err(Error::invalid(key, "it has another key than secret and until; remove it"));
    }
    let given = map.get("secret").unwrap_or(&Value::Null);
    let secret = secret(&format!("{key}.secret"), given, format)?;
    match map.get("until") {
        None | Some(Value::Null) => Ok(secret),
        Some(until) => until.as_str().and_then(parse_iso).map(|until| secret.ending(until)).ok_or_else(|| {
            Error::invalid(
                format!("{key}.until"),
                "it is no ISO 8601 time with an offset, such as 2026-04-17T12:34:56Z",
            )
        }),
    }
}

/// As [`read`] reads it again, **exposed**.
pub(super) fn stored(secret: &Secret) -> Value {
    match secret.until() {
        None => secret.expose().into(),
        Some(until) => json!({"secret": secret.expose(), "until": iso_millis(until)}),
    }
}

/// No error of a secret shows anything of it.
fn secret(key: &str, value: &Value, format: &Format) -> Result<Secret> {
    let Value::String(text) = value else {
        return Err(Error::invalid(key, format!("expected a string, got {}", json::kind(value))));
    };
    let rule = if text.is_empty() {
        "it is empty; leave it out to send unsigned".to_owned()
    } else if format.unsigned {
        format!("the format {} signs nothing, because its receivers verify nothing; leave the secret out", format.name)
    } else if text.contains(['\n', '\r']) {
        "it contains a line break; paste the secret as one line".to_owned()
    } else if text.chars().any(char::is_control) {
        "it contains a control character; type it anew".to_owned()
    } else if text.len() > MAX_SECRET_BYTES {
        format!("it has {} bytes, the limit is {MAX_SECRET_BYTES}; 32 random characters are plenty", text.len())
    } else if format.secret_form == SecretForm::Whsec && format::whsec_key(text).is_none() {
        format!(
            "the format {} needs a secret made of whsec_ and the key in base64; the receiver shows it in this form",
            format.name
        )
    } else {
        return Ok(Secret::new(text.as_str()));
    };
    Err(Error::invalid(key, rule))
}
