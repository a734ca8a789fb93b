//! Pure policy: what an outcome means for a delivery.

mod words;

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;

use crate::clock::Millis;
use crate::delivery::{Answer, Exchange};
use crate::endpoint::Endpoint;

pub use words::{MAX_FAILURE_TEXT_CHARS, failure_text};

/// The longest pause a receiver can ask for: 24 h (promises, "Throttling"). A receiver that asks for more is more likely
/// mistaken than serious, and `max_age` still bounds the delivery.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The first pause of a lane that is throttled without being told for how long.
pub const FIRST_THROTTLE_PAUSE: Duration = Duration::from_secs(1);

/// The longest of those pauses: 5 min, the default delay of a retry.
pub const MAX_THROTTLE_PAUSE: Duration = Duration::from_secs(5 * 60);

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
        Duration::from_millis(http_date(text)?.saturating_sub(now).max(0) as u64)
    };
    Some(asked.min(MAX_RETRY_AFTER))
}

/// Reads an HTTP date (RFC 9110, 5.6.7). The obsolete forms of RFC 850 and asctime are not read: no receiver that matters
/// sends them. A weekday that does not fit its date is the receiver's slip and changes nothing.
fn http_date(text: &str) -> Option<Millis> {
    DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok().map(|at| at.as_millisecond())
}
