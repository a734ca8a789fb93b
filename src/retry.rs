//! Pure policy: what an outcome means for a delivery.

mod date;
mod standing;
mod words;

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::clock::Millis;
use crate::delivery::{Answer, Exchange, FailureKind};
use crate::endpoint::Endpoint;
use crate::event::DeliveryId;

pub use standing::{BREAKER_FAILURES, BREAKER_PAUSE, FAILING_DAYS, FAILING_FOR, note};
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
    /// No request was made, because this server had nothing left for one: no attempt is used up, and one is made soon.
    NotMade,
}

/// What an exchange says, whoever it is about.
enum Kind {
    /// 2xx.
    Success,
    /// The receiver asked to wait: 429, or 503 with a Retry-After. With what it asked for, if that can be read.
    Throttled(Option<Duration>),
    /// 410.
    Gone,
    /// Everything else that was answered, or not.
    Failure,
    /// No request was made, and none will be: the body is larger than the receiver takes.
    Unsent,
    /// No request was made, because of something that this server is short of.
    NotMade,
}

impl Kind {
    fn of(exchange: &Exchange, now: Millis) -> Self {
        match &exchange.result {
            Ok(answer) if (200..300).contains(&answer.status) => Kind::Success,
            Ok(answer) if answer.status == 429 => Kind::Throttled(retry_after(answer, now)),
            Ok(answer) if answer.status == 503 && answer.header("retry-after").is_some() => {
                Kind::Throttled(retry_after(answer, now))
            }
            Ok(answer) if answer.status == 410 => Kind::Gone,
            Err(failure) if failure.kind == FailureKind::TooLarge => Kind::Unsent,
            Err(failure) if failure.kind == FailureKind::Shortage => Kind::NotMade,
            _ => Kind::Failure,
        }
    }
}

/// Decides. `attempt` is the number of the attempt that has just ended (1, 2, …), `accepted_at` the event's
/// acceptance (of a replayed delivery, both since the replay), `now` the settlement.
///
/// A redirect is a failure like any other (promises, "Attempt"; Standard Webhooks asks the same): whoever answers at the
/// new address is not whom the owner chose. So are 502 and 504, which Standard Webhooks would throttle on: a gateway whose
/// server is away says nothing about how much it takes.
pub fn decide(endpoint: &Endpoint, exchange: &Exchange, attempt: u32, accepted_at: Millis, now: Millis) -> Verdict {
    let too_old = now.saturating_sub(accepted_at) > endpoint.max_age.as_millis().try_into().unwrap_or(Millis::MAX);
    match Kind::of(exchange, now) {
        Kind::Success => Verdict::Delivered,
        Kind::Throttled(_) | Kind::NotMade if too_old => Verdict::Dead,
        Kind::NotMade => Verdict::NotMade,
        Kind::Throttled(pause) => Verdict::Throttled { pause },
        Kind::Gone => Verdict::Gone,
        Kind::Unsent => Verdict::Dead,
        Kind::Failure => match endpoint.schedule.get(attempt.saturating_sub(1) as usize) {
            Some(_) if too_old => Verdict::Dead,
            Some(after) => Verdict::Again { after: *after },
            None => Verdict::Dead,
        },
    }
}

/// A delay of the endpoint's schedule after `attempt` of `delivery`, longer by up to its `schedule_jitter`, never shorter:
/// deliveries that failed together do not come back together. The same delivery and attempt give the same delay.
pub fn spread(endpoint: &Endpoint, after: Duration, delivery: DeliveryId, attempt: u32) -> Duration {
    if endpoint.schedule_jitter == 0.0 {
        return after;
    }
    let digest = Sha256::new().chain_update(delivery.as_bytes()).chain_update(attempt.to_be_bytes()).finalize();
    let share = f64::from(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])) / f64::from(u32::MAX);
    after.mul_f64(1.0 + endpoint.schedule_jitter * share)
}

/// The pause of a lane that was throttled `times` times in a row without being told for how long: 1 s doubling to 5 min.
pub fn throttle_pause(times: u32) -> Duration {
    let doublings = times.saturating_sub(1).min(16);
    (FIRST_THROTTLE_PAUSE * (1 << doublings)).min(MAX_THROTTLE_PAUSE)
}

/// What the answer's `Retry-After` asks for, at most [`MAX_RETRY_AFTER`]: seconds, or a date (RFC 9110, 10.2.3). `None`
/// when it has none that can be read.
pub fn retry_after(answer: &Answer, now: Millis) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    let asked = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a u64 holds is more than the cap.
        text.parse().map_or(Duration::MAX, Duration::from_secs)
    } else {
        Duration::from_millis(date::http_date(text)?.saturating_sub(now).max(0) as u64)
    };
    Some(asked.min(MAX_RETRY_AFTER))
}
