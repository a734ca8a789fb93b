//! What a receiver repeats of the request: echo services and error pages print its headers, and the owner's own may hold a
//! password.

use std::borrow::Cow;

use super::Exchange;

/// Shorter values are words such as `staging`, which an answer may have by itself.
const MIN_BYTES: usize = 8;

/// No longer than what it stands for, so that an answer grows over no limit.
const MASK: &str = "********";

/// Hides the values of `headers`, the owner's own, in the answer: as they are, without the `Bearer` before them, and as JSON and
/// HTML write them.
#[must_use]
pub fn without_repeated(mut exchange: Exchange, headers: &[(String, String)]) -> Exchange {
    if let (Ok(answer), false) = (&mut exchange.result, headers.is_empty()) {
        let hidden = written_forms(headers);
        for (_, value) in &mut answer.headers {
            *value = masked(value, &hidden).into_owned();
        }
        answer.body = replaced(&answer.body, &hidden);
    }
    exchange
}

/// The longest first: of two values one may contain the other.
fn written_forms(headers: &[(String, String)]) -> Vec<String> {
    let mut forms = Vec::new();
    for (_, value) in headers {
        let words = [Some(value.as_str()), value.split_whitespace().last()];
        for text in words.into_iter().flatten().filter(|text| text.len() >= MIN_BYTES) {
            let json = text.replace('\\', "\\\\").replace('"', "\\\"");
            let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
            forms.extend([text.to_owned(), json.replace('/', "\\/"), json, html]);
        }
    }
    forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    forms.dedup();
    forms
}

/// `body` need not be text. A value is ASCII, so it lies within a piece that is.
fn replaced(body: &[u8], hidden: &[String]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for chunk in body.utf8_chunks() {
        out.extend_from_slice(masked(chunk.valid(), hidden).as_bytes());
        out.extend_from_slice(chunk.invalid());
    }
    out
}

fn masked<'a>(text: &'a str, hidden: &[String]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for form in hidden {
        if text.contains(form.as_str()) {
            text = text.replace(form, MASK).into();
        }
    }
    text
}
