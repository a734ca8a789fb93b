//! Pure policy: what an outcome means for a delivery.

use std::time::Duration;

use crate::clock::Millis;
use crate::delivery::Exchange;
use crate::endpoint::Endpoint;

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
pub fn decide(endpoint: &Endpoint, exchange: &Exchange, attempt: u32, accepted_at: Millis, now: Millis) -> Verdict {
    let _ = (endpoint, exchange, attempt, accepted_at, now);
    todo!()
}

/// The pause of a lane that was throttled `times` times in a row without being told for how long: 1 s doubling to 5 min.
pub fn throttle_pause(times: u32) -> Duration {
    let _ = times;
    todo!()
}
