//! What an outcome means for the endpoint: throttling, the circuit breaker, and when the engine gives up on a receiver.

use std::time::Duration;

use super::{Kind, throttle_pause};
use crate::clock::Millis;
use crate::delivery::Exchange;
use crate::endpoint::{Endpoint, Standing};

/// So many failures in a row open the circuit breaker (promises, "Circuit breaker").
pub const BREAKER_FAILURES: u32 = 5;

/// For so long it stays open before one request tries again (promises, "Circuit breaker").
pub const BREAKER_PAUSE: Duration = Duration::from_secs(60);

/// An endpoint is suspended when every attempt has failed for so long, as Svix does (docs.svix.com, "Retry Schedule",
/// "Disabling failing endpoints"), …
pub const FAILING_FOR: Duration = Duration::from_secs(5 * 24 * 60 * 60);

/// … and attempts failed on so many days: two failures a week apart, or a clock that jumped, are no five days of failing.
pub const FAILING_DAYS: u32 = 5;

/// While all goes well, the time of the last success is noted this often, in milliseconds: each note is a row to write.
const SUCCESS_NOTED_EVERY: Millis = 60_000;

const DAY: Millis = 24 * 60 * 60 * 1000;

/// Notes what came of a request to the endpoint. `is_probe`: it was the one that a half-open circuit breaker let through.
///
/// An answer that asks to wait is neither a success nor a failure. Requests that were under way together when the breaker
/// opened do not keep it open for longer, and any success closes it.
pub fn note(standing: &mut Standing, endpoint: &Endpoint, exchange: &Exchange, is_probe: bool, now: Millis) {
    match Kind::of(exchange, now) {
        Kind::Unsent | Kind::NotMade => {}
        Kind::Success => succeeded(standing, now),
        Kind::Throttled(asked) => throttled(standing, asked, now),
        Kind::Gone => {
            failed(standing, endpoint, is_probe, now);
            standing.suspended = super::failure_text(exchange);
        }
        Kind::Failure => {
            failed(standing, endpoint, is_probe, now);
            if standing.suspended.is_none() && has_failed_for_days(standing, now) {
                let last = super::failure_text(exchange).unwrap_or_default();
                standing.suspended = Some(format!(
                    "nothing has arrived there for {} days; the last error was: {last}",
                    FAILING_FOR.as_secs() / (24 * 60 * 60)
                ));
            }
        }
    }
}

fn succeeded(standing: &mut Standing, now: Millis) {
    let was_failing = standing.failures > 0;
    (standing.throttled, standing.open_until) = (0, 0);
    (standing.failures, standing.failing_since, standing.failing_days) = (0, None, 0);
    let noted = standing.last_success_at.is_some_and(|at| (at..at.saturating_add(SUCCESS_NOTED_EVERY)).contains(&now));
    if was_failing || !noted {
        standing.last_success_at = Some(now);
    }
}

fn throttled(standing: &mut Standing, asked: Option<Duration>, now: Millis) {
    // Answers to requests that were under way together are one refusal.
    standing.throttled = standing.throttled.saturating_add(u32::from(standing.paused_until <= now));
    // Waiting for no time at all would be asking over and over.
    let pause = asked.filter(|pause| !pause.is_zero()).unwrap_or_else(|| throttle_pause(standing.throttled));
    standing.paused_until = standing.paused_until.max(now + pause.as_millis() as Millis);
}

fn failed(standing: &mut Standing, endpoint: &Endpoint, is_probe: bool, now: Millis) {
    standing.throttled = 0;
    standing.failures = standing.failures.saturating_add(1);
    standing.failing_since.get_or_insert(now);
    let another_day = standing.last_failure_at.is_some_and(|last| now.div_euclid(DAY) > last.div_euclid(DAY));
    // After a success the days are counted anew, and the last failure was before it.
    if standing.failing_days == 0 || another_day {
        standing.failing_days = standing.failing_days.saturating_add(1);
    }
    standing.last_failure_at = Some(now);
    if !endpoint.circuit_breaker {
        standing.open_until = 0;
    } else if standing.failures >= BREAKER_FAILURES && (is_probe || standing.open_until == 0) {
        standing.open_until = now + BREAKER_PAUSE.as_millis() as Millis;
    }
}

fn has_failed_for_days(standing: &Standing, now: Millis) -> bool {
    standing.failing_days >= FAILING_DAYS
        && standing.failing_since.is_some_and(|since| now.saturating_sub(since) >= FAILING_FOR.as_millis() as Millis)
}
