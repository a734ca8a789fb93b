//! How a request looks on the wire.

use crate::clock::Millis;
use crate::endpoint::Endpoint;
use crate::event::{DeliveryId, Event};

/// What of a request belongs to the attempt and not to the event.
#[derive(Clone, Copy, Debug)]
pub struct AttemptInfo {
    /// The delivery's id.
    pub delivery: DeliveryId,
    /// 1, 2, …
    pub attempt: u32,
    /// The time that is signed.
    pub now: Millis,
    /// Whether it is a test.
    pub test: bool,
}

/// A request, ready to be sent by POST to the endpoint's URL.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// Name and value, in the order they are sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Renders and signs the request for `event` to `endpoint`, in the endpoint's format.
pub fn render(endpoint: &Endpoint, event: &Event, attempt: &AttemptInfo) -> Rendered {
    let _ = (endpoint, event, attempt);
    todo!()
}

/// The body alone: it depends only on the event and the format.
pub fn body(format: &str, event: &Event) -> String {
    let _ = (format, event);
    todo!()
}
