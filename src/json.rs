//! JSON exactly as JavaScript prints it: `JSON.stringify(JSON.parse(text)) === text`.

use serde_json::Value;

/// Prints `value` as `JSON.stringify` would: see `formats.md`, "Bodies survive a JavaScript round trip".
pub fn to_js_string(value: &Value) -> String {
    let _ = value;
    todo!()
}

/// What a value is, in words for an error message: "a string", "a list", "an object", …
pub fn kind(value: &Value) -> &'static str {
    let _ = value;
    todo!()
}
