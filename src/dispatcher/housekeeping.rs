//! Between deliveries: what is too old dies, what has lost its endpoint is cancelled, what is long settled is forgotten.

use std::time::Duration;

use super::Dispatcher;
use crate::clock::Millis;
use crate::error::Result;

/// How often ages and retention are looked at, in milliseconds.
const HOUSEKEEPING_EVERY: Millis = 30_000;

/// How often all that is old is gone through for what can be forgotten, in milliseconds: dead letters are kept for
/// months, and there may be many.
const PRUNE_EVERY: Millis = 60 * 60 * 1000;

/// Rows that housekeeping changes in one step.
const HOUSEKEEPING_STEP: u32 = 500;

impl Dispatcher {
    /// Ends what is too old or has lost its endpoint, and forgets what is long settled. Returns whether there
    /// is more of it.
    pub(super) fn keep_house(&mut self, now: Millis) -> Result<bool> {
        let mut more = false;
        for lane in self.lanes.values() {
            let (key, max_age, open) = (lane.row.key, lane.endpoint.max_age, lane.open(now));
            let ended = if open || lane.in_flight == 0 && !lane.row.removed {
                // Of an open lane only what is not due: the rest may be in memory, and is found too old when its turn comes.
                let due_from = if open { now + 1 } else { 0 };
                let before = now - max_age.as_millis() as Millis;
                self.store.expire(key, due_from, before, &too_old(max_age), now, HOUSEKEEPING_STEP)?
            } else if lane.in_flight == 0 {
                self.store.cancel_waiting(key, "the endpoint was removed", now, HOUSEKEEPING_STEP)?
            } else {
                0
            };
            if open && ended > 0 {
                // Later ones of an ordered record may have waited for what has just died: lanes are read again.
                self.version = 0;
                more = true;
            }
            more |= ended >= HOUSEKEEPING_STEP as usize;
        }
        if now >= self.next_prune {
            match self.store.prune(self.pruned, now, self.retention)? {
                Some(last) => (self.pruned, more) = (last, true),
                None => (self.pruned, self.next_prune) = (0, now + PRUNE_EVERY),
            }
        }
        if !more {
            self.next_housekeeping = now + HOUSEKEEPING_EVERY;
        }
        Ok(more)
    }
}

/// Why a delivery died of age.
pub(super) fn too_old(max_age: Duration) -> String {
    format!("not delivered within {} hours of its event", max_age.as_secs() / 3600)
}
