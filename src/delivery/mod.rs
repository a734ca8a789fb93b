//! One HTTP request: the seam where tests put a scripted transport.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::clock::Millis;
use crate::endpoint::Endpoint;

// Pure.
pub mod address;
// One request: where it goes, what happens to it, in which words it fails.
mod call;
mod failure;
mod repeated;
mod request;
mod target;
// One connection, from the outside in.
mod buffers;
mod connect;
mod link;
mod proxy;
pub mod resolver;
mod self_signed;
mod size;
mod tls;
mod unresolved;
mod wire;

pub mod http;

pub use http::HttpTransport;
pub use repeated::without_repeated;
pub use request::MAX_BODY_BYTES;
pub use size::unless_too_large;

/// Sends one request and reports what came of it. Implementations are shared by all sender threads.
pub trait Transport: Send + Sync {
    /// POSTs `body` with `headers` to the endpoint's URL, within the endpoint's timeout, following no redirect.
    fn send(&self, endpoint: &Endpoint, headers: &[(String, String)], body: &str) -> Exchange;

    /// Closes connections that were not used for some seconds. To be called when nothing is due.
    fn close_idle(&self) {}

    /// Breaks off what is being sent, from another thread, and sends nothing any more: this process is ending.
    fn interrupt(&self) {}
}

/// One request and its outcome.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// When it started.
    pub started_at: Millis,
    /// From start to outcome.
    pub duration: Duration,
    /// How long each phase took, as far as it was reached.
    pub timings: Timings,
    /// The answer, or why there is none.
    pub result: Result<Answer, Failure>,
}

/// How long each phase of an exchange took; `None` where it did not take place (a kept connection has no `connect`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timings {
    /// Resolving the name.
    pub dns: Option<Duration>,
    /// Opening the connection.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// Sending the request.
    pub send: Option<Duration>,
    /// From the request's last byte to the answer's first.
    pub wait: Option<Duration>,
    /// Reading the answer.
    pub receive: Option<Duration>,
}

impl Timings {
    /// Milliseconds with three decimals by phase, without the phases that did not take place.
    pub fn to_json(&self) -> Value {
        let Timings { dns, connect, tls, send, wait, receive } = self;
        let phases =
            [("dns", dns), ("connect", connect), ("tls", tls), ("send", send), ("wait", wait), ("receive", receive)];
        let took =
            phases.into_iter().filter_map(|(name, took)| took.map(|took| (name, took.as_micros() as f64 / 1000.0)));
        took.map(|(name, ms)| (name.to_owned(), Value::from(ms))).collect()
    }
}

/// What a receiver answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// At most 64 KiB of the body.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub truncated: bool,
}

impl Answer {
    /// The value of the first header called `name` (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// A sentence that a site owner understands, naming host or address and the remedy where there is one.
    pub message: String,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Failure { kind, message: message.into() }
    }

    /// Whether it was found out before anything was asked of the receiver, so that no attempt is used up.
    pub fn is_before_any_request(&self) -> bool {
        matches!(self.kind, FailureKind::TooLarge | FailureKind::Shortage)
    }

    /// Puts whom it is about before the message.
    fn about(mut self, whom: &str) -> Self {
        self.message = format!("{whom}: {}", self.message);
        self
    }

    /// Adds what to do if only the proxy can look names up.
    fn behind_a_proxy(mut self) -> Self {
        if self.kind == FailureKind::Dns || self.kind == FailureKind::Timeout {
            self.message.push_str(
                ". The name is checked before the proxy is asked for it; if only the proxy can look names up, list it \
                 in allow_private",
            );
        }
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Kinds of failure, by what the owner can do about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The name was not found or could not be resolved.
    Dns,
    /// The address is not public and not allowed.
    Refused,
    /// Nobody listens there, or the network says no.
    Connect,
    /// TLS failed: certificate expired, foreign, for another name, or no TLS at all.
    Tls,
    /// No complete answer within the timeout.
    Timeout,
    /// The connection broke or the answer was no HTTP.
    Protocol,
    /// The endpoint's own settings: an unreadable certificate file, a bad proxy.
    Settings,
    /// No request was made: the body is larger than the endpoint's `max_body_bytes`.
    TooLarge,
    /// No request was made: this server has no descriptor, thread, port or memory left for one.
    Shortage,
}

impl FailureKind {
    /// The kind as stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureKind::Dns => "dns",
            FailureKind::Refused => "refused_address",
            FailureKind::Connect => "connect",
            FailureKind::Tls => "tls",
            FailureKind::Timeout => "timeout",
            FailureKind::Protocol => "protocol",
            FailureKind::Settings => "settings",
            FailureKind::TooLarge => "too_large",
            FailureKind::Shortage => "shortage",
        }
    }
}
