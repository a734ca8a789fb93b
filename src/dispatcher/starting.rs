//! Which delivery goes next: every lane in turn, none more than its share.

use super::housekeeping::too_old;
use super::lane::Lane;
use super::sender::Job;
use super::{Dispatcher, Mode, SETTLING_BATCH};
use crate::clock::Millis;
use crate::error::Result;
use crate::store::{Change, Due, Settlement};

/// Requests started in a turn while pages fire events in a burst: some hundred a second, so nobody waits for the end of
/// an import.
const TRICKLE: usize = 4;

/// A request in flight for longer delays a hand-over, so its lane starts no more until it has ended.
const SLOW_REQUEST: Millis = 500;

impl Dispatcher {
    /// Starts what may start, one delivery a lane in turn, so that none waits for another's backlog.
    pub(super) fn start(&mut self, mode: Mode, now: Millis) -> Result<()> {
        let slow_since = now - SLOW_REQUEST;
        let handing_over = mode == Mode::HandOver;
        if handing_over && !self.lanes.values().any(|lane| lane.in_flight_since(slow_since)) {
            return Ok(());
        }
        let mut order: Vec<i64> = self.lanes.keys().copied().collect();
        let turn_of = self.lanes.range(..=self.last_lane).count() % order.len().max(1);
        order.rotate_left(turn_of);
        // A lane that holds more than half cannot give it back when its receiver begins to hang: so it never does while
        // there is another that may have something to send.
        let alone = self.lanes.values().filter(|lane| lane.may_send()).count() < 2;
        let share = if alone { self.max_concurrency } else { self.max_concurrency.div_ceil(2) };
        self.lanes.values_mut().for_each(Lane::begin_turn);
        let most = match mode {
            Mode::Trickle => self.max_concurrency.min(self.in_flight + TRICKLE),
            _ => self.max_concurrency,
        };
        loop {
            let mut started = false;
            let mut index = 0;
            while index < order.len() && self.in_flight < most && self.unsettled.len() < SETTLING_BATCH {
                let key = order[index];
                let Some(lane) = self.lanes.get(&key) else { break };
                let held_back = lane.in_flight >= share
                    || (handing_over && lane.in_flight_since(slow_since))
                    || (lane.timed_out && self.holding(|lane| lane.timed_out) >= self.quarters(1))
                    || (!alone && self.is_unproven_too_many(lane));
                let Some(lane) = self.lanes.get_mut(&key) else { break };
                let taken = if held_back { None } else { lane.take(&self.store, self.expanded, now)? };
                let Some(due) = taken else {
                    order.remove(index);
                    continue;
                };
                if due.waits_since() + lane.max_age() <= now {
                    self.let_die(key, due, now);
                } else {
                    self.send(key, due, now);
                }
                started = true;
                index += 1;
            }
            if !started {
                return Ok(());
            }
        }
    }

    /// Receivers that have not answered, or not lately, may all hang: together they leave a quarter of the senders to the
    /// others, and the first request of each comes before the second of any.
    fn is_unproven_too_many(&self, lane: &Lane) -> bool {
        let most = self.quarters(if lane.in_flight == 0 { 3 } else { 1 });
        !lane.answers && self.holding(|lane| !lane.answers) >= most
    }

    /// How many senders the lanes hold of which this is true.
    fn holding(&self, which: impl Fn(&Lane) -> bool) -> usize {
        self.lanes.values().filter(|lane| which(lane)).map(|lane| lane.in_flight).sum()
    }

    /// So many quarters of the senders.
    fn quarters(&self, quarters: usize) -> usize {
        (self.max_concurrency * quarters / 4).max(1)
    }

    fn send(&mut self, key: i64, due: Due, now: Millis) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        lane.started(&due, now);
        self.in_flight += 1;
        self.last_lane = key;
        let job = Job { lane: key, endpoint: lane.endpoint.clone(), due };
        self.jobs.send(job);
    }

    fn let_die(&mut self, key: i64, due: Due, now: Millis) {
        let Some(lane) = self.lanes.get(&key) else { return };
        let settlement = Settlement {
            delivery: due.id,
            site: due.event.context.site.clone(),
            attempts: due.attempts,
            change: Change::Dead,
            error: Some(too_old(lane.endpoint.max_age)),
            request: None,
        };
        self.remember(key, due, settlement, now);
    }
}
