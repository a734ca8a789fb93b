//! Signatures: HMAC-SHA256 (RFC 2104) over what the format's recipe says.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD as BASE64, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Format, Part, SecretForm};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// 256 bits, the output of the hash: a longer key adds nothing (RFC 2104, section 3), and Standard Webhooks asks for 24
/// to 64 bytes.
const GENERATED_KEY_BYTES: usize = 32;

/// Keys are pasted by hand, and some tools leave the padding off.
const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Format {
    /// Name and value of the signature header for a request with this `body`. `secrets` has the newest first; with
    /// none that lives at that time, or in a format that is not signed, there is no signature.
    pub fn sign(&self, secrets: &[Secret], event_id: &str, unix_seconds: i64, body: &str) -> Option<(&str, String)> {
        let recipe = self.recipe.as_ref()?;
        let most = if recipe.separator.is_some() { secrets.len() } else { 1 };
        let live = secrets.iter().filter(|secret| secret.lives_at(unix_seconds * 1000));
        let mut value = String::new();
        for (at, secret) in live.take(most).enumerate() {
            if at == 0 {
                append(&mut value, &recipe.prefix, unix_seconds, &[]);
            } else {
                value.push_str(recipe.separator.as_deref().unwrap_or_default());
            }
            let mac = self.mac(secret, &recipe.signed, event_id, unix_seconds, body);
            append(&mut value, &recipe.each, unix_seconds, &mac);
        }
        (!value.is_empty()).then_some((recipe.header.as_str(), value))
    }

    fn mac(&self, secret: &Secret, signed: &[Part], event_id: &str, unix_seconds: i64, body: &str) -> [u8; 32] {
        let decoded = match self.secret_form {
            SecretForm::Text => None,
            SecretForm::Whsec => whsec_key(secret.expose()),
        };
        let key = decoded.as_deref().unwrap_or(secret.expose().as_bytes());
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("HMAC takes a key of any length") };
        for part in signed {
            match part {
                Part::Text(text) => mac.update(text.as_bytes()),
                Part::EventId => mac.update(event_id.as_bytes()),
                Part::UnixSeconds => mac.update(unix_seconds.to_string().as_bytes()),
                Part::Body => mac.update(body.as_bytes()),
                // A definition that was checked has none of these into what is signed.
                _ => {}
            }
        }
        mac.finalize().into_bytes().into()
    }
}

fn append(value: &mut String, parts: &[Part], unix_seconds: i64, mac: &[u8]) {
    for part in parts {
        match part {
            Part::Text(text) => value.push_str(text),
            Part::Hex => {
                for byte in mac {
                    let _ = write!(value, "{byte:02x}");
                }
            }
            Part::Base64 => BASE64.encode_string(mac, value),
            Part::UnixSeconds => {
                let _ = write!(value, "{unix_seconds}");
            }
            // A definition that was checked has none of these into a signature's value.
            _ => {}
        }
    }
}

/// The key in a secret of the form `whsec_` and base64. `None` for any other text.
pub(crate) fn whsec_key(secret: &str) -> Option<Vec<u8>> {
    LENIENT_BASE64.decode(secret.strip_prefix("whsec_")?).ok().filter(|key| !key.is_empty())
}

/// A new random secret of 256 bits, in the form that `format` wants.
///
/// # Errors
/// [`Error::Unavailable`] if the system has no randomness to give.
pub fn generate_secret(format: &Format) -> Result<Secret> {
    let mut key = [0; GENERATED_KEY_BYTES];
    getrandom::fill(&mut key)
        .map_err(|error| Error::unavailable(format!("the system gives no random numbers: {error}; try again")))?;
    Ok(Secret::new(match format.secret_form {
        SecretForm::Text => URL_SAFE_NO_PAD.encode(key),
        SecretForm::Whsec => format!("whsec_{}", BASE64.encode(key)),
    }))
}
