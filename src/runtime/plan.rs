//! When the holder of the lock hands over, and when it stops.

use std::time::{Duration, Instant};

use super::engine::{Engine, Stop};
use super::holding::Ended;
use super::host;
use super::signal::Station;
use crate::clock::{Clock, SystemClock};
use crate::dispatcher::{Mode, Turn};

/// Giving the queue to a process that serves no request is tried for so long …
const HAND_OVER_PATIENCE: Duration = Duration::from_millis(100);

/// … and again after this.
const HAND_OVER_PAUSE: Duration = Duration::from_secs(1);

/// A process that ends starts nothing more when less than this is left.
const LAST_REQUESTS: Duration = Duration::from_millis(1000);

/// When to hand over, and when to stop.
pub(super) struct Plan {
    requests: u64,
    /// Trying to hand over, until then.
    trying_until: Option<Instant>,
    not_before: Instant,
}

impl Plan {
    /// For a process that begins to hold the lock.
    pub fn new() -> Self {
        Plan { requests: host::requests(), trying_until: None, not_before: Instant::now() }
    }

    /// What the next turn may start.
    pub fn mode(&mut self, engine: &Engine, station: &Station, stopping: Option<(Stop, Instant)>) -> Mode {
        if let Some((how, deadline)) = stopping {
            let left = deadline.saturating_duration_since(Instant::now());
            return if how == Stop::FinishDue && !station.has_stand_by() && left > LAST_REQUESTS {
                Mode::Run
            } else {
                Mode::Finish
            };
        }
        if self.must_leave(engine, station) {
            return Mode::HandOver;
        }
        let now = Instant::now();
        if self.trying_until.is_some_and(|until| now >= until) {
            self.trying_until = None;
            self.not_before = now + HAND_OVER_PAUSE;
        }
        let requests = host::requests();
        if host::in_request() && station.has_stand_by() && !engine.is_asked_to_work() {
            if requests != self.requests && self.trying_until.is_none() && now >= self.not_before {
                self.requests = requests;
                self.trying_until = Some(now + HAND_OVER_PATIENCE);
            }
        } else {
            self.trying_until = None;
        }
        if self.trying_until.is_some() { Mode::HandOver } else { Mode::Run }
    }

    /// Another process was asked to work, or this one may not send any more.
    fn must_leave(&self, engine: &Engine, station: &Station) -> bool {
        (station.wanted && !engine.is_asked_to_work()) || !engine.may_send()
    }

    /// Whether holding ends after `turn`, and how. `idle`: nothing is in flight, and every outcome is stored.
    pub fn ended(
        &self,
        engine: &Engine,
        station: &Station,
        stopping: Option<(Stop, Instant)>,
        idle: bool,
        turn: &Turn,
    ) -> Option<Ended> {
        if let Some((how, deadline)) = stopping {
            let nothing_due = how == Stop::Finish || station.has_stand_by() || !is_due(turn);
            let over = Instant::now() >= deadline;
            return ((idle && nothing_due) || over).then_some(Ended::Stopped);
        }
        let leaving = self.must_leave(engine, station) || self.trying_until.is_some();
        (leaving && idle).then_some(Ended::HandedOver)
    }
}

fn is_due(turn: &Turn) -> bool {
    turn.more || turn.next.is_some_and(|at| at <= SystemClock.now())
}
