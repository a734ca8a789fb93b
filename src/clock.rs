//! Time as an argument: rules never ask for the time, they are given it.

use std::sync::atomic::{AtomicI64, Ordering};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Millis;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        jiff::Timestamp::now().as_millisecond()
    }
}

/// A clock that stands still until it is moved: for tests.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: Millis) -> Self {
        ManualClock(AtomicI64::new(now))
    }

    /// Moves the clock by `by` milliseconds, backwards when negative.
    pub fn advance(&self, by: Millis) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        self.0.load(Ordering::SeqCst)
    }
}

/// ISO 8601 in UTC with milliseconds: `2026-04-17T12:34:56.789Z`, as the PHP API shows times.
pub fn iso_millis(at: Millis) -> String {
    format!("{:.3}", timestamp(at))
}

/// ISO 8601 in UTC with whole seconds: `2026-04-17T12:34:56Z`, as bodies carry times.
pub fn iso_seconds(at: Millis) -> String {
    format!("{:.0}", timestamp(at))
}

/// Reads an ISO 8601 date and time with an offset or `Z`. `None` when it is not one.
pub fn parse_iso(text: &str) -> Option<Millis> {
    text.parse::<jiff::Timestamp>().ok().map(|at| at.as_millisecond())
}

fn timestamp(at: Millis) -> jiff::Timestamp {
    // Times outside years −9999 to 9999 cannot be written; they come from a broken clock only.
    jiff::Timestamp::from_millisecond(at.clamp(-377_705_023_201_000, 253_402_207_200_999))
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}
