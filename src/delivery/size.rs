//! Bodies that a receiver does not take.

use std::time::Duration;

use super::{Exchange, Failure, FailureKind, Timings};
use crate::clock::Millis;
use crate::endpoint::Endpoint;

/// Makes the request by `send`, unless `body` is larger than the endpoint's `max_body_bytes`: then none is made, as it would
/// be refused however often it is tried.
pub fn unless_too_large(
    endpoint: &Endpoint,
    body: &str,
    started_at: Millis,
    send: impl FnOnce() -> Exchange,
) -> Exchange {
    let limit = match endpoint.max_body_bytes {
        Some(limit) if body.len() as u64 > limit => limit,
        _ => return send(),
    };
    let message = format!(
        "not sent: the event has {} bytes, and this receiver takes {limit} at most (max_body_bytes); send less in it",
        body.len()
    );
    Exchange {
        started_at,
        duration: Duration::ZERO,
        timings: Timings::default(),
        result: Err(Failure::new(FailureKind::TooLarge, message)),
    }
}
