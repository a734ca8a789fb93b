//! Pure policy: what an outcome means for a delivery.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;

use crate::clock::Millis;
use crate::delivery::{Answer, Exchange};
use crate::endpoint::Endpoint;

/// The longest pause a receiver can ask for: 24 h (promises, "Throttling"). A receiver that asks for more is more likely
/// mistaken than serious, and `max_age` still bounds the delivery.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The first pause of a lane that is throttled without being told for how long.
pub const FIRST_THROTTLE_PAUSE: Duration = Duration::from_secs(1);

/// The longest of those pauses: 5 min, the default delay of a retry.
pub const MAX_THROTTLE_PAUSE: Duration = Duration::from_secs(5 * 60);

/// `last_error` is one line of a table: this many characters of it are kept.
pub const MAX_FAILURE_TEXT_CHARS: usize = 500;

/// What becomes of a delivery after an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// 2xx.
    Delivered,
    /// Failed; the next attempt is due after this delay from settlement.
    Again {
        /// The delay.
        after: Duration,
    },
    /// Failed, and the schedule is used up or the delivery too old.
    Dead,
    /// The receiver asked to wait (429, or 503 with Retry-After): no attempt is used up. The lane pauses, for the
    /// time given, or by the lane's own doubling pause.
    Throttled {
        /// What Retry-After asked for, at most 24 h.
        pause: Option<Duration>,
    },
    /// 410: the endpoint is suspended; the delivery follows its schedule when it is resumed.
    Gone,
}

/// Decides. `attempt` is the number of the attempt that has just ended (1, 2, …), `accepted_at` the event's
/// acceptance, `now` the settlement.
///
/// A redirect is a failure like any other (promises, "Attempt"; Standard Webhooks asks the same): whoever answers at the
/// new address is not whom the owner chose. Delays have no jitter: every format's documentation gives exact ones, and
/// the lanes already spread what is due at once.
pub fn decide(endpoint: &Endpoint, exchange: &Exchange, attempt: u32, accepted_at: Millis, now: Millis) -> Verdict {
    let too_old = now.saturating_sub(accepted_at) > endpoint.max_age.as_millis().try_into().unwrap_or(Millis::MAX);
    match &exchange.result {
        Ok(answer) if (200..300).contains(&answer.status) => Verdict::Delivered,
        Ok(answer) if is_throttled(answer, now) && too_old => Verdict::Dead,
        Ok(answer) if is_throttled(answer, now) => Verdict::Throttled { pause: retry_after(answer, now) },
        Ok(answer) if answer.status == 410 => Verdict::Gone,
        _ => match endpoint.schedule.get(attempt.saturating_sub(1) as usize) {
            Some(_) if too_old => Verdict::Dead,
            Some(after) => Verdict::Again { after: *after },
            None => Verdict::Dead,
        },
    }
}

/// The pause of a lane that was throttled `times` times in a row without being told for how long: 1 s doubling to 5 min.
pub fn throttle_pause(times: u32) -> Duration {
    let doublings = times.saturating_sub(1).min(16);
    (FIRST_THROTTLE_PAUSE * (1 << doublings)).min(MAX_THROTTLE_PAUSE)
}

/// What an exchange that was not answered with 2xx is stored and shown as (`last_error`): one sentence, at most
/// [`MAX_FAILURE_TEXT_CHARS`] characters, without control characters. `None` for 2xx.
pub fn failure_text(exchange: &Exchange) -> Option<String> {
    let text = match &exchange.result {
        Ok(answer) if (200..300).contains(&answer.status) => return None,
        Ok(answer) => answer_text(answer),
        Err(failure) => failure.message.clone(),
    };
    Some(plain(&text, MAX_FAILURE_TEXT_CHARS))
}

fn answer_text(answer: &Answer) -> String {
    let status = match reason(answer.status) {
        Some(reason) => format!("{} {reason}", answer.status),
        None => answer.status.to_string(),
    };
    match (answer.status, answer.header("location")) {
        (300..=399, Some(location)) => {
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
        (401 | 403, _) => {
            format!("the receiver answered {status}: it refused the request; compare the secret on both sides")
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

fn is_throttled(answer: &Answer, now: Millis) -> bool {
    answer.status == 429 || answer.status == 503 && retry_after(answer, now).is_some()
}

/// What the answer's `Retry-After` asks for, at most [`MAX_RETRY_AFTER`]: seconds, or a date (RFC 9110, 10.2.3). `None`
/// when it has none that can be read.
pub fn retry_after(answer: &Answer, now: Millis) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    let asked = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a u64 holds is more than the cap.
        text.parse().map_or(Duration::MAX, Duration::from_secs)
    } else {
        // The obsolete date forms of RFC 850 and asctime are not read: no receiver that matters sends them. A weekday
        // that does not fit its date is the receiver's slip and changes nothing.
        let at = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?.as_millisecond();
        Duration::from_millis(at.saturating_sub(now).max(0) as u64)
    };
    Some(asked.min(MAX_RETRY_AFTER))
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
