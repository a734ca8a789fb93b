//! What the engine knows of an endpoint's receiver, beside what its owner set.

use crate::clock::Millis;

/// An endpoint's standing: stored with the outcomes it follows from, so it survives hand-overs and changed settings. It
/// begins anew when the URL changes or the owner resumes. The rules are in [`crate::retry`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Why nothing is sent there until the URL changes or the owner resumes.
    pub suspended: Option<String>,
    /// The receiver asked to wait until then; 0 or past: it does not.
    pub paused_until: Millis,
    /// How often in a row it asked.
    pub throttled: u32,
    /// Attempts in a row that failed.
    pub failures: u32,
    /// When the first of them ended.
    pub failing_since: Option<Millis>,
    /// On how many days (UTC) one of them ended.
    pub failing_days: u32,
    /// When an attempt failed last, also before it succeeded.
    pub last_failure_at: Option<Millis>,
    /// When an attempt succeeded last; up to a minute older while all do.
    pub last_success_at: Option<Millis>,
    /// 0: the circuit breaker is closed. Else it opened, and from then on one request at a time tries the receiver.
    pub open_until: Millis,
}

/// A circuit breaker's position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circuit {
    /// Everything is sent.
    Closed,
    /// Nothing is sent.
    Open,
    /// One request is made to see whether the receiver is back.
    HalfOpen,
}

impl Circuit {
    /// As the API names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Circuit::Closed => "closed",
            Circuit::Open => "open",
            Circuit::HalfOpen => "half_open",
        }
    }
}

impl Standing {
    /// The circuit breaker's position at `now`.
    pub fn circuit(&self, now: Millis) -> Circuit {
        match self.open_until {
            0 => Circuit::Closed,
            until if until > now => Circuit::Open,
            _ => Circuit::HalfOpen,
        }
    }

    /// Until when nothing is sent, whoever asked for it; past if something may be.
    pub fn closed_until(&self) -> Millis {
        self.paused_until.max(self.open_until)
    }

    /// Nothing that lasts a while outlasts a clock that was set back by `by` milliseconds.
    pub fn set_back(&mut self, by: Millis) {
        self.paused_until = self.paused_until.saturating_sub(by);
        if self.open_until > 0 {
            self.open_until = self.open_until.saturating_sub(by).max(1);
        }
    }
}
