//! A secret that cannot be printed.

use std::fmt;

use crate::clock::Millis;

/// A signing secret. Its `Debug` shows nothing of it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    until: Option<Millis>,
}

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Secret { text: secret.into(), until: None }
    }

    /// The same secret, which signs nothing from `until` on.
    pub fn ending(self, until: Millis) -> Self {
        Secret { until: Some(until), ..self }
    }

    /// From when on it signs nothing, if it has an end.
    pub fn until(&self) -> Option<Millis> {
        self.until
    }

    /// Whether it signs what is sent at `now`.
    pub fn lives_at(&self, now: Millis) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// The secret itself, for signing and for the queue's own copy.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
