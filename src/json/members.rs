//! The fields of printed JSON, without reading their values, which may be deeper than a small stack allows.

use super::without::{end_of_text, end_of_value};

/// The fields of the object `text`, which [`super::to_js_string`] printed: name and value of each as they are printed. None of
/// what is no object.
pub fn members(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let bytes = text.as_bytes();
    let mut at = 1;
    std::iter::from_fn(move || {
        if bytes.first() != Some(&b'{') || bytes.get(at) != Some(&b'"') {
            return None;
        }
        let colon = end_of_text(bytes, at);
        let end = end_of_value(bytes, colon + 1);
        let member = (text.get(at..colon)?, text.get(colon + 1..end)?);
        // Behind the comma.
        at = end + 1;
        Some(member)
    })
}

/// The name that was printed as `printed`.
pub fn name(printed: &str) -> Option<String> {
    serde_json::from_str(printed).ok()
}
