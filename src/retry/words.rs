//! What a failed attempt is called in `last_error`, in words that a site owner understands.

use url::Url;

use crate::clock::Millis;
use crate::delivery::{Answer, Exchange};

/// `last_error` is one line of a table: this many characters of it are kept.
pub const MAX_FAILURE_TEXT_CHARS: usize = 500;

/// A difference of clocks below this is the network's and the whole seconds of `Date`; the shortest replay window of a
/// known receiver is 300 s.
const MIN_CLOCK_DIFFERENCE_S: u128 = 30;

/// How much of an answer is searched for a word about the signature.
const SEARCHED_BODY_BYTES: usize = 2048;

/// What an exchange that was not answered with 2xx is stored and shown as (`last_error`): one sentence, at most
/// [`MAX_FAILURE_TEXT_CHARS`] characters, without control characters. `None` for 2xx.
pub fn failure_text(exchange: &Exchange) -> Option<String> {
    let text = match &exchange.result {
        Ok(answer) if (200..300).contains(&answer.status) => return None,
        Ok(answer) => answer_text(answer, exchange.started_at),
        Err(failure) => failure.message.clone(),
    };
    Some(plain(&text, MAX_FAILURE_TEXT_CHARS))
}

fn answer_text(answer: &Answer, now: Millis) -> String {
    let status = match reason(answer.status) {
        Some(reason) => format!("{} {reason}", answer.status),
        None => answer.status.to_string(),
    };
    match (answer.status, answer.header("location")) {
        (300..=399, Some(location)) => {
            let location = without_credentials(location);
            // The owner types this address: a shortened one would be worse than none.
            if location.chars().count() <= MAX_FAILURE_TEXT_CHARS / 2 {
                format!(
                    "the receiver answered {status} and redirects to {location}; if you trust that address, enter it instead"
                )
            } else {
                format!(
                    "the receiver answered {status} and redirects to an address too long to show here; redirects are not followed"
                )
            }
        }
        (300..=399, None) => {
            format!("the receiver answered {status} without saying where to; redirects are not followed")
        }
        (400 | 401 | 403, _) if blames_signature(answer) => {
            format!(
                "the receiver answered {status}: it says the signature is wrong; compare the secret on both sides{}",
                clock(answer, now)
            )
        }
        (401 | 403, _) => {
            format!(
                "the receiver answered {status}: it refused the request; compare the secret on both sides{}",
                clock(answer, now)
            )
        }
        (404, _) => {
            format!("the receiver answered {status}: there is nothing at this address; check the path of the URL")
        }
        (405, _) => {
            format!("the receiver answered {status}: it takes no POST at this address; check the path of the URL")
        }
        (410, _) => format!("the receiver answered {status}: it wants no more webhooks at this address"),
        (413, _) => format!("the receiver answered {status}: the event is larger than it takes"),
        (429, _) => format!("the receiver answered {status}: it asks to be sent less at a time"),
        _ => format!("the receiver answered {status}"),
    }
}

/// Whether the answer's text speaks of the signature, as receivers do that refuse one.
fn blames_signature(answer: &Answer) -> bool {
    let start = &answer.body[..answer.body.len().min(SEARCHED_BODY_BYTES)];
    String::from_utf8_lossy(start).to_lowercase().contains("signature")
}

/// By how much the receiver's clock, seen in its `Date`, differs from ours: signatures with a time in them fail then.
/// Nothing where the difference is too small to matter.
fn clock(answer: &Answer, now: Millis) -> String {
    let Some(theirs) = answer.header("date").and_then(super::date::http_date) else { return String::new() };
    // In i128 nothing overflows, whatever the receiver claims.
    let seconds = (i128::from(theirs) - i128::from(now)) / 1000;
    if seconds.unsigned_abs() < MIN_CLOCK_DIFFERENCE_S {
        return String::new();
    }
    let (amount, unit) = match seconds.unsigned_abs() {
        seconds @ 0..=119 => (seconds, "seconds"),
        seconds @ 120..=7_199 => (seconds / 60, "minutes"),
        seconds @ 7_200..=172_799 => (seconds / 3600, "hours"),
        seconds => (seconds / 86_400, "days"),
    };
    let side = if seconds > 0 { "ahead of" } else { "behind" };
    format!("; its clock is {amount} {unit} {side} this server's, set the one that is wrong")
}

/// The names of the statuses (RFC 9110, section 15, and RFC 6585) that receivers answer with.
fn reason(status: u16) -> Option<&'static str> {
    Some(match status {
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        418 => "I'm a Teapot",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        425 => "Too Early",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        _ => return None,
    })
}

/// `text` without control characters, cut after `max_chars` characters.
fn plain(text: &str, max_chars: usize) -> String {
    let mut chars = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut plain: String = chars.by_ref().take(max_chars).collect();
    if chars.next().is_some() {
        plain.pop();
        plain.push('…');
    }
    plain
}

/// An address without the user name and password that it may carry: whoever may read a log need not know them.
fn without_credentials(address: &str) -> String {
    match Url::parse(address) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.into()
        }
        _ => address.to_owned(),
    }
}
