//! The keys of an endpoint's array, each read as the type it must have.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::{Error, Result, shown};
use crate::json;

/// The array of an endpoint. A key that is null counts as missing.
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The fields of `value`, which has no other keys than `known`.
    pub(super) fn of(value: &'a Value, known: &[&str]) -> Result<Self> {
        let map = match value {
            Value::Object(map) => map,
            Value::Array(list) if list.is_empty() => {
                return Err(Error::invalid("url", "it is missing; an endpoint needs at least a url"));
            }
            other => {
                return Err(Error::invalid(
                    "",
                    format!("expected an array with named keys, got {}", json::kind(other)),
                ));
            }
        };
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Error::invalid(
                shown(key),
                format!("an endpoint has no such key; its keys are {}", known.join(", ")),
            )),
            None => Ok(Fields(map)),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn required(&self, key: &str, what: &str) -> Result<&'a Value> {
        self.get(key).ok_or_else(|| Error::invalid(key, format!("it is missing; give {what}")))
    }

    /// A text of one line; an integer, such as WordPress gives for a site, counts as its digits.
    pub(super) fn text(&self, key: &str, max_bytes: usize) -> Result<Option<String>> {
        match self.prose(key, max_bytes)? {
            Some(text) if text.chars().any(char::is_control) => Err(Error::invalid(
                key,
                format!("'{}' contains a line break or control character; remove it", shown(&text)),
            )),
            text => Ok(text),
        }
    }

    /// A text that may have several lines.
    pub(super) fn prose(&self, key: &str, max_bytes: usize) -> Result<Option<String>> {
        let text = match self.get(key) {
            None => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) if !number.is_f64() => number.to_string(),
            Some(other) => return Err(Error::invalid(key, format!("expected a string, got {}", json::kind(other)))),
        };
        if text.len() > max_bytes {
            return Err(Error::invalid(
                key,
                format!("it has {} bytes, the limit is {max_bytes}; shorten it", text.len()),
            ));
        }
        Ok(Some(text))
    }

    pub(super) fn switch(&self, key: &str, default: bool) -> Result<bool> {
        match self.get(key) {
            None => Ok(default),
            Some(Value::Bool(on)) => Ok(*on),
            Some(other) => Err(Error::invalid(key, format!("expected true or false, got {}", json::kind(other)))),
        }
    }

    /// From 1 to `max`, which fits into 32 bits.
    pub(super) fn integer(&self, key: &str, max: u64) -> Result<Option<u32>> {
        Ok(self.whole(key, (1, max))?.map(|n| n as u32))
    }

    /// An integer within `range`.
    pub(super) fn whole(&self, key: &str, (min, max): (u64, u64)) -> Result<Option<u64>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Number(number)) if !number.is_f64() => match number.as_u64() {
                Some(n) if (min..=max).contains(&n) => Ok(Some(n)),
                _ => Err(Error::invalid(key, format!("{number} is out of range; it must be {min} to {max}"))),
            },
            Some(other) => {
                Err(Error::invalid(key, format!("expected an integer from {min} to {max}, got {}", json::kind(other))))
            }
        }
    }

    /// Seconds, whole or not, within `range`.
    pub(super) fn seconds(&self, key: &str, range: (f64, f64)) -> Result<Option<Duration>> {
        self.get(key).map(|value| seconds(key, value, range)).transpose()
    }

    /// A list, each element read by `read`, which is given its key: `schedule[2]`.
    pub(super) fn list<T>(
        &self,
        key: &str,
        max: usize,
        read: impl Fn(&str, &Value) -> Result<T>,
    ) -> Result<Option<Vec<T>>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Array(list)) if list.len() > max => {
                Err(Error::invalid(key, format!("it has {} elements, the limit is {max}; shorten it", list.len())))
            }
            Some(Value::Array(list)) => list
                .iter()
                .enumerate()
                .map(|(at, value)| read(&format!("{key}[{at}]"), value))
                .collect::<Result<_>>()
                .map(Some),
            Some(other) => Err(Error::invalid(key, format!("expected a list, got {}", json::kind(other)))),
        }
    }
}

/// A number of seconds within `range`.
pub(super) fn seconds(key: &str, value: &Value, (min, max): (f64, f64)) -> Result<Duration> {
    match value.as_f64() {
        Some(seconds) if (min..=max).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        Some(seconds) => {
            Err(Error::invalid(key, format!("{seconds} is out of range; it must be {min} to {max} seconds")))
        }
        None => Err(Error::invalid(key, format!("expected a number of seconds, got {}", json::kind(value)))),
    }
}

/// `duration` in seconds, as an integer where it is one.
pub(super) fn seconds_json(duration: Duration) -> Value {
    if duration.subsec_nanos() == 0 { duration.as_secs().into() } else { duration.as_secs_f64().into() }
}
