//! `<` and `>` as JavaScript has them (ECMA-262, 7.2.12 IsLessThan): two texts by their UTF-16 units, all else as numbers.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::json;

/// How `a` compares with `b`; `None` where JavaScript has every comparison false, because one is no number.
pub(super) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (primitive(a), primitive(b)) {
        (Primitive::Text(a), Primitive::Text(b)) => Some(a.encode_utf16().cmp(b.encode_utf16())),
        (a, b) => a.number().partial_cmp(&b.number()),
    }
}

enum Primitive<'a> {
    Text(Cow<'a, str>),
    Number(f64),
}

impl Primitive<'_> {
    fn number(&self) -> f64 {
        match self {
            Primitive::Text(text) => number(text),
            Primitive::Number(number) => *number,
        }
    }
}

/// ToPrimitive: what is no text and no list or object is a number in any comparison.
fn primitive(value: &Value) -> Primitive<'_> {
    match value {
        Value::Null => Primitive::Number(0.0),
        Value::Bool(on) => Primitive::Number(f64::from(u8::from(*on))),
        Value::Number(number) => Primitive::Number(float(number)),
        Value::String(text) => Primitive::Text(Cow::Borrowed(text)),
        list_or_object => Primitive::Text(text(list_or_object)),
    }
}

fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

/// ToString; of a list `join(",")`, in which null is empty.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => "null".into(),
        Value::Bool(on) => on.to_string().into(),
        Value::Number(number) => {
            let mut text = String::new();
            json::write_float(&mut text, float(number));
            text.into()
        }
        Value::String(text) => text.into(),
        Value::Array(list) => {
            let items: Vec<Cow<str>> =
                list.iter().map(|item| if item.is_null() { "".into() } else { text(item) }).collect();
            items.join(",").into()
        }
        Value::Object(_) => "[object Object]".into(),
    }
}

/// StringToNumber (ECMA-262, 7.1.4.1).
fn number(text: &str) -> f64 {
    // Rust counts U+0085 as white space and JavaScript does not; with U+FEFF it is the other way round.
    let text = text.trim_matches(|c: char| (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}');
    match text.as_bytes() {
        [] => 0.0,
        [b'0', b'x' | b'X', digits @ ..] => whole(digits, 4),
        [b'0', b'o' | b'O', digits @ ..] => whole(digits, 3),
        [b'0', b'b' | b'B', digits @ ..] => whole(digits, 1),
        // Rust reads `inf` and `nan` too.
        bytes if bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) => {
            text.parse().unwrap_or(f64::NAN)
        }
        _ => match text {
            "Infinity" | "+Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            _ => f64::NAN,
        },
    }
}

/// The integer of digits that have `bits` bits each, rounded to the nearest double once.
fn whole(digits: &[u8], bits: u32) -> f64 {
    let (mut value, mut dropped_bits) = (0u128, 0i32);
    if digits.is_empty() {
        return f64::NAN;
    }
    for digit in digits {
        let Some(digit) = (*digit as char).to_digit(1 << bits) else { return f64::NAN };
        if value >> (128 - 2 * bits) == 0 {
            value = value << bits | u128::from(digit);
        } else {
            // Below the precision of a double; of what follows it only matters whether it is zero.
            value |= u128::from(digit != 0);
            dropped_bits = dropped_bits.saturating_add(bits as i32);
        }
    }
    if value == 0 { 0.0 } else { value as f64 * 2f64.powi(dropped_bits) }
}
