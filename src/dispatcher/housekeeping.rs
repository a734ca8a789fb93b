//! Between deliveries: what is too old dies, what has lost its endpoint is cancelled, what is long settled is forgotten.

use std::time::Duration;

use super::Dispatcher;
use crate::clock::Millis;
use crate::error::Result;
use crate::store::Retention;

/// How often ages and retention are looked at if nothing is known to become too old before, in milliseconds.
const HOUSEKEEPING_EVERY: Millis = 30_000;

/// A backlog that dies event by event is not looked at for each, but with this pause, in milliseconds.
const HOUSEKEEPING_PAUSE: Millis = 250;

/// How often all that is old is gone through for what can be forgotten, in milliseconds: dead letters are kept for
/// months, and there may be many.
const PRUNE_EVERY: Millis = 60 * 60 * 1000;

/// Where little time is kept, a tenth of it, but not more often than this.
const PRUNE_EVERY_AT_MOST: Millis = 1_000;

/// After each step of that the queue is left to the pages, in milliseconds: a step keeps them from writing.
const PRUNE_PAUSE: Millis = 5;

/// Rows that housekeeping changes in one step.
const HOUSEKEEPING_STEP: u32 = 500;

impl Dispatcher {
    /// Ends what is too old or has lost its endpoint. Returns whether there is more of it.
    pub(super) fn keep_house(&mut self, now: Millis) -> Result<bool> {
        let (mut more, mut lanes_changed) = (false, false);
        let mut next = now + HOUSEKEEPING_EVERY;
        for lane in self.lanes.values() {
            let (key, max_age, open) = (lane.row.key, lane.max_age(), lane.open(now));
            if lane.row.removed {
                if lane.in_flight == 0 {
                    more |= is_full(self.store.cancel_removed(key, now, HOUSEKEEPING_STEP)?);
                }
                continue;
            }
            if !open && lane.in_flight > 0 {
                next = next.min(now + 4 * HOUSEKEEPING_PAUSE);
                continue;
            }
            // Of an open lane only what is not due: the rest may be in memory, and is found too old when its turn comes.
            let due_from = if open { now + 1 } else { 0 };
            let (before, reason) = (now - max_age + 1, too_old(lane.endpoint.max_age));
            let ended = self.store.expire(key, due_from, before, &reason, now, HOUSEKEEPING_STEP)?;
            more |= is_full(ended);
            // Later ones of an ordered record may have waited for what has just died.
            lanes_changed |= ended > 0 && open && lane.endpoint.ordered;
            if let Some(created_at) = self.store.earliest_waiting(key, due_from, HOUSEKEEPING_STEP)? {
                next = next.min(created_at + max_age);
            }
        }
        if lanes_changed {
            // Lanes are read again.
            self.version = 0;
        }
        self.last_housekeeping = now;
        self.next_housekeeping = if more { now } else { next.max(now + HOUSEKEEPING_PAUSE) };
        Ok(more || lanes_changed)
    }

    /// Forgets some of what is long settled, if it is time to; of what was delivered all, the oldest first, while the queue
    /// is nearly full: a log must not keep anybody from accepting.
    pub(super) fn forget_old(&mut self, now: Millis) -> Result<()> {
        if self.makes_room || now >= self.next_size_look {
            self.next_size_look = now + PRUNE_EVERY_AT_MOST;
            let makes_room = self.store.is_nearly_full()?;
            if makes_room != self.makes_room {
                (self.makes_room, self.pruned, self.next_prune) = (makes_room, 0, now);
            }
        }
        if now >= self.next_prune {
            let retention = match self.makes_room {
                true => Retention { delivered: 0, ..self.retention },
                false => self.retention,
            };
            (self.pruned, self.next_prune) = match self.store.prune(self.pruned, now, retention)? {
                Some(last) => (last, now + PRUNE_PAUSE),
                None => (0, now + (retention.shortest() / 10).clamp(PRUNE_EVERY_AT_MOST, PRUNE_EVERY)),
            };
        }
        Ok(())
    }

    /// When [`Self::forget_old`] has something to do, seen from `now`.
    pub(super) fn next_prune(&self, now: Millis) -> Millis {
        self.next_prune.max(now + PRUNE_PAUSE)
    }

    /// Keeps house at `at` at the latest, because something becomes too old then.
    pub(super) fn keep_house_by(&mut self, at: Millis) {
        let earliest = self.last_housekeeping + HOUSEKEEPING_PAUSE;
        self.next_housekeeping = self.next_housekeeping.min(at.max(earliest));
    }
}

/// Whether a step ended as many as it may, so that there may be more.
fn is_full(ended: usize) -> bool {
    ended >= HOUSEKEEPING_STEP as usize
}

/// Why a delivery died of age.
pub(super) fn too_old(max_age: Duration) -> String {
    let (amount, unit) = match max_age.as_secs() {
        seconds @ 0..60 => (seconds, "second"),
        seconds @ 60..3600 => (seconds / 60, "minute"),
        seconds => (seconds / 3600, "hour"),
    };
    let plural = if amount == 1 { "" } else { "s" };
    format!("not delivered within {amount} {unit}{plural} of its event")
}
