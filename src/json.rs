//! JSON exactly as JavaScript prints it: `JSON.stringify(JSON.parse(text)) === text`.

mod members;
mod without;

use serde_json::{Map, Number, Value};

pub use members::{members, name};
pub use without::without;

/// JavaScript's `Number.MAX_SAFE_INTEGER`, 2^53 − 1 (ECMA-262, 21.1.2.6): beyond it a receiver that parses a number
/// reads another one, so larger integers go out as strings.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The largest array index, 2^32 − 2 (ECMA-262, 6.1.7). Keys up to it are listed first and ascending, whatever the order
/// in which they were written.
const MAX_ARRAY_INDEX: u64 = u32::MAX as u64 - 1;

/// Enough for the usual record without growing; 1 KiB is the payload that the benchmarks use.
const INITIAL_CAPACITY_BYTES: usize = 1024;

/// Prints `value` as `JSON.stringify` would: no spaces, no escaped slash, no `\u` for what can be printed,
/// ECMAScript's numbers, integer-like keys first and ascending. An integer beyond ±(2^53−1) becomes a string.
///
/// It recurses once per level; whoever builds a value from foreign data bounds its depth.
pub fn to_js_string(value: &Value) -> String {
    let mut out = String::with_capacity(INITIAL_CAPACITY_BYTES);
    write_value(&mut out, value);
    out
}

/// Appends `value` to `out`, as [`to_js_string`] prints it.
pub fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_str(out, text),
        Value::Array(list) => {
            out.push('[');
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => write_object(out, map),
    }
}

/// Reads what [`to_js_string`] printed, so that it is printed the same again. `None` if it is no JSON, or deeper than the 128
/// levels that serde_json reads: our threads have small stacks.
pub fn read(printed: &str) -> Option<Value> {
    let mut value = serde_json::from_str(printed).ok()?;
    whole_floats(&mut value);
    Some(value)
}

/// The same of an object, without what is too deep in its fields; anything else is read as an empty one.
pub fn read_object(printed: &str) -> Map<String, Value> {
    match read(printed) {
        Some(Value::Object(map)) => map,
        Some(_) => Map::new(),
        None => read_members(printed, 1),
    }
}

fn read_members(printed: &str, levels: usize) -> Map<String, Value> {
    members(printed)
        .filter_map(|(key, text)| {
            let value = match read(text) {
                None if levels > 0 && text.starts_with('{') => Some(Value::Object(read_members(text, levels - 1))),
                value => value,
            };
            Some((name(key)?, value?))
        })
        .collect()
}

/// A float that is a whole number is printed without a point, and would come back as an integer; one past 2^53 would then
/// be printed as a string.
fn whole_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let is_safe = number.as_i64().is_some_and(|n| n.unsigned_abs() <= MAX_SAFE_INTEGER);
            if let (false, Some(float)) = (is_safe || number.is_f64(), number.as_f64().and_then(Number::from_f64)) {
                *number = float;
            }
        }
        Value::Array(list) => list.iter_mut().for_each(whole_floats),
        Value::Object(map) => map.values_mut().for_each(whole_floats),
        _ => {}
    }
}

/// Appends `text` as a JSON string, quoted and escaped as JavaScript does it.
pub fn write_str(out: &mut String, text: &str) {
    out.push('"');
    let mut printed = 0;
    let mut at = 0;
    while at < text.len() {
        // Most text needs no escape, and a processor looks at a whole chunk at once.
        if text.as_bytes()[at..].first_chunk().is_some_and(stands_for_itself) {
            at += CHUNK_BYTES;
            continue;
        }
        let end = text.len().min(at + CHUNK_BYTES);
        while at < end {
            let byte = text.as_bytes()[at];
            let escape = ESCAPES[byte as usize];
            if escape != 0 {
                // What needs escaping is ASCII, so both sides of `at` are character boundaries.
                out.push_str(&text[printed..at]);
                out.push('\\');
                out.push(escape as char);
                if escape == b'u' {
                    out.push_str(if byte < 0x10 { "000" } else { "001" });
                    out.push(HEX[(byte & 0x0f) as usize] as char);
                }
                printed = at + 1;
            }
            at += 1;
        }
    }
    out.push_str(&text[printed..]);
    out.push('"');
}

/// Bytes that are looked at together.
const CHUNK_BYTES: usize = 16;

fn stands_for_itself(chunk: &[u8; CHUNK_BYTES]) -> bool {
    // Without a branch a byte, so that the compiler makes vectors of it.
    !chunk.iter().fold(false, |found, byte| found | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\'))
}

/// What a value is, in words that a PHP developer uses: "a string", "a list", "an array with named keys", …
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::Number(number) if number.is_f64() => "a float",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(list) if list.is_empty() => "an empty array",
        Value::Array(_) => "a list",
        Value::Object(_) => "an array with named keys",
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// For each byte the character after the backslash, `u` for `\u00xx`, 0 for a byte that stands for itself. DEL, U+2028 and
/// U+2029 stand for themselves (ECMA-262, 25.5.2.2 QuoteJSONString).
static ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = b'u';
        control += 1;
    }
    table[0x08] = b'b';
    table[0x0c] = b'f';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

fn write_number(out: &mut String, number: &Number) {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(n), _, _) => write_integer(out, n),
        (None, Some(n), _) => write_digits_as_string(out, itoa::Buffer::new().format(n)),
        // Finite: serde_json refuses to hold anything else.
        (None, None, Some(n)) => write_float(out, n),
        (None, None, None) => out.push_str("null"),
    }
}

/// Appends an integer, as [`to_js_string`] prints it.
pub fn write_integer(out: &mut String, number: i64) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number);
    if number.unsigned_abs() <= MAX_SAFE_INTEGER { out.push_str(digits) } else { write_digits_as_string(out, digits) }
}

/// Appends a float; null if it is not finite, and 0 for −0, as JavaScript does it.
pub fn write_float(out: &mut String, number: f64) {
    if number.is_finite() {
        out.push_str(ryu_js::Buffer::new().format_finite(number));
    } else {
        out.push_str("null");
    }
}

fn write_digits_as_string(out: &mut String, digits: &str) {
    out.push('"');
    out.push_str(digits);
    out.push('"');
}

fn write_object(out: &mut String, map: &Map<String, Value>) {
    out.push('{');
    let mut first = true;
    if map.keys().any(|key| array_index(key).is_some()) {
        let mut indexed: Vec<_> = map.iter().filter_map(|(key, value)| Some((array_index(key)?, key, value))).collect();
        indexed.sort_unstable_by_key(|(index, ..)| *index);
        for (_, key, value) in indexed {
            write_entry(out, &mut first, key, value);
        }
        for (key, value) in map.iter().filter(|(key, _)| array_index(key).is_none()) {
            write_entry(out, &mut first, key, value);
        }
    } else {
        for (key, value) in map {
            write_entry(out, &mut first, key, value);
        }
    }
    out.push('}');
}

fn write_entry(out: &mut String, first: &mut bool, key: &str, value: &Value) {
    if !std::mem::take(first) {
        out.push(',');
    }
    write_str(out, key);
    out.push(':');
    write_value(out, value);
}

/// Whether JavaScript moves an entry with this key to the front of its object.
pub fn is_array_index(key: &str) -> bool {
    array_index(key).is_some()
}

/// The array index that `key` spells in its canonical form: `0`, `10`, but neither `01` nor `4294967295`.
fn array_index(key: &str) -> Option<u64> {
    let digits = key.as_bytes();
    match digits {
        [b'0'] => Some(0),
        // Ten digits are the most that an index has.
        [b'1'..=b'9', rest @ ..] if rest.len() < 10 && rest.iter().all(u8::is_ascii_digit) => {
            key.parse().ok().filter(|index| *index <= MAX_ARRAY_INDEX)
        }
        _ => None,
    }
}
