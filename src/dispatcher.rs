//! Lanes: what is due is sent and settled.
//!
//! The dispatcher owns no thread. Whoever runs it calls [`Dispatcher::turn`] whenever something may have
//! happened, and lets sender threads work off its jobs (see [`sender`]).

mod housekeeping;
pub mod jobs;
mod lane;
pub mod sender;
mod starting;

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::retry::{self, Verdict};
use crate::store::{Change, Due, LaneChange, Retention, Settlement, Store};
use jobs::JobSender;
use lane::Lane;
use sender::{Job, Outcome};

/// Outcomes settled in one transaction at most; also the most that a kill can cause to be repeated beside
/// what is in flight (promises.md, "Sent at least once").
const SETTLING_BATCH: usize = 64;

/// An outcome waits this long for others to be settled with, in milliseconds; half of what is promised,
/// because the transaction takes its time too.
const SETTLING_LINGER: Millis = 10;

/// No lane pauses for longer, because its receiver asked for it or because its circuit breaker is open.
const LONGEST_PAUSES: (Millis, Millis) =
    (retry::MAX_RETRY_AFTER.as_millis() as Millis, retry::BREAKER_PAUSE.as_millis() as Millis);

/// A lane for which this server had nothing left to make a request with is left alone for so long, in milliseconds.
const SHORTAGE_REST: Millis = 1_000;

/// After the store has failed, how long until it is tried again, in milliseconds.
const STORE_RETRY: Millis = 1_000;

/// How long what is due but may not start yet is left alone, in milliseconds.
const BLOCKED_PAUSE: Millis = 20;

/// What a turn may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whatever is due.
    Run,
    /// A few of what is due: pages fire events so fast that every processor's time is theirs.
    Trickle,
    /// Only what does not delay giving the queue to another process: lanes with a slow request in flight
    /// start nothing, and once no request is slow nobody does.
    HandOver,
    /// Nothing.
    Finish,
}

/// What a turn came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// When the next turn is needed even if nothing happens.
    pub next: Option<Millis>,
    /// Deliveries settled: delivered, dead, or waiting for another attempt.
    pub settled: usize,
    /// How many new events were found, which are to be synced to disk.
    pub found: usize,
    /// Whether those were all: pages are firing events just now, and no backlog waits.
    pub caught_up: bool,
    /// Whether there is more to do at once.
    pub more: bool,
}

/// Sends what is due, as long as its owner holds the queue's lock.
pub struct Dispatcher {
    store: Store,
    clock: Arc<dyn Clock>,
    max_concurrency: usize,
    jobs: JobSender,
    outcomes: Receiver<Outcome>,
    lanes: BTreeMap<i64, Lane>,
    version: i64,
    expanded: i64,
    in_flight: usize,
    unsettled: Vec<(i64, Due, Settlement)>,
    unsettled_since: Millis,
    lane_changes: BTreeMap<i64, LaneChange>,
    last_lane: i64,
    last_turn: Millis,
    /// By how much the clock was set back, until that is dealt with.
    set_back_by: Millis,
    last_housekeeping: Millis,
    next_housekeeping: Millis,
    pruned: i64,
    next_prune: Millis,
    /// The queue is nearly full: what was delivered is forgotten before its time.
    makes_room: bool,
    next_size_look: Millis,
    store_failed_until: Millis,
    shortage: Option<String>,
    retention: Retention,
}

impl Dispatcher {
    /// A dispatcher over `store`, which hands at most `max_concurrency` jobs at a time to `jobs` and takes
    /// their outcomes from `outcomes`.
    pub fn new(
        mut store: Store,
        clock: Arc<dyn Clock>,
        max_concurrency: usize,
        jobs: JobSender,
        outcomes: Receiver<Outcome>,
    ) -> Result<Self> {
        let now = clock.now();
        store.pull_back(now, 0, LONGEST_PAUSES)?;
        Ok(Dispatcher {
            store,
            clock,
            max_concurrency,
            jobs,
            outcomes,
            lanes: BTreeMap::new(),
            version: 0,
            expanded: 0,
            in_flight: 0,
            unsettled: Vec::new(),
            unsettled_since: 0,
            lane_changes: BTreeMap::new(),
            last_lane: 0,
            last_turn: now,
            set_back_by: 0,
            last_housekeeping: 0,
            next_housekeeping: now,
            pruned: 0,
            next_prune: now,
            makes_room: false,
            next_size_look: now,
            store_failed_until: 0,
            shortage: None,
            retention: Retention::default(),
        })
    }

    /// What the queue may hold, in bytes, from now on.
    pub(crate) fn set_max_bytes(&mut self, max_bytes: u64) {
        self.store.set_max_bytes(max_bytes);
    }

    /// Requests in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether nothing is in flight and every outcome is stored.
    pub fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.unsettled.is_empty()
    }

    /// What this server was short of, so that no request could be made, since this was asked last.
    pub fn take_shortage(&mut self) -> Option<String> {
        self.shortage.take()
    }

    /// In a forked child, where the threads that shared the rest are gone: closes the store and leaves the
    /// rest alone, because a lock in it may be held for ever.
    pub fn abandon(self) {
        let Dispatcher { store, jobs, outcomes, lanes, .. } = self;
        drop(store);
        std::mem::forget((jobs, outcomes, lanes));
    }

    /// Ends because the queue's files are not in their place; see [`Store::rescue_log`].
    pub(crate) fn rescue_log(self) -> Option<Error> {
        self.store.rescue_log()
    }

    /// A descriptor of the write-ahead log, to sync what was accepted.
    pub fn open_log_for_sync(&self) -> Result<OwnedFd> {
        self.store.open_log_for_sync()
    }

    /// Takes in what has ended, starts what may start, settles what is due to be settled.
    ///
    /// # Errors
    /// If the store fails. Nothing is forgotten: outcomes stay in memory and are settled by a later turn, and
    /// until then nothing more is started than they leave room for.
    pub fn turn(&mut self, mode: Mode) -> Result<Turn> {
        let now = self.clock.now();
        let mut turn = Turn::default();
        self.set_back_by += (self.last_turn - now).max(0);
        self.collect(now);
        if now < self.store_failed_until && now >= self.last_turn {
            turn.next = Some(self.store_failed_until);
            return Ok(turn);
        }
        let done = self.store.move_log_if_room_is_short().and_then(|()| self.work(mode, now, &mut turn));
        self.store.note_end(&done);
        if done.is_err() {
            self.store_failed_until = now + STORE_RETRY;
        }
        self.last_turn = now;
        done.map(|()| turn)
    }

    fn work(&mut self, mode: Mode, now: Millis, turn: &mut Turn) -> Result<()> {
        if self.set_back_by > 0 {
            // Nothing may wait longer than its own delay, no lane longer than it was asked to.
            let by = std::mem::take(&mut self.set_back_by);
            if let Err(error) = self.store.pull_back(now, by, LONGEST_PAUSES) {
                self.set_back_by = by;
                return Err(error);
            }
            self.lane_changes.values_mut().for_each(|change| change.standing.set_back(by));
            self.lanes.values_mut().for_each(|lane| lane.set_back(by));
            (self.last_housekeeping, self.next_housekeeping) = (0, now);
            (self.next_prune, self.next_size_look) = (now, now);
            self.version = 0;
        }
        if mode != Mode::Finish {
            let progress = self.store.expand()?;
            if progress.version != self.version {
                self.reload_lanes()?;
                self.version = progress.version;
            }
            if progress.expanded != self.expanded {
                let before = std::mem::replace(&mut self.expanded, progress.expanded);
                self.lanes.values_mut().for_each(Lane::look_again);
                turn.found = (progress.expanded - before) as usize;
                turn.caught_up = !progress.more;
                // What waits in a closed lane is not looked at when its turn comes.
                if let Some(age) = self.lanes.values().filter(|lane| !lane.open(now)).map(Lane::max_age).min() {
                    self.keep_house_by(now + age);
                }
            }
            turn.more |= progress.more;
            self.start(mode, now)?;
            turn.more |= self.lanes.values().any(Lane::is_behind);
        }
        if self.is_time_to_settle(now) {
            turn.settled = self.settle(now)?;
            self.store.checkpoint()?;
            turn.more |= mode != Mode::Finish;
        }
        if now >= self.next_housekeeping && mode == Mode::Run && self.unsettled.is_empty() {
            turn.more |= self.keep_house(now)?;
        }
        if mode == Mode::Run {
            self.forget_old(now)?;
            self.store.checkpoint()?;
        }
        turn.next = self.next_time(now);
        Ok(())
    }

    fn next_time(&self, now: Millis) -> Option<Millis> {
        let settling = (!self.unsettled.is_empty()).then_some(self.unsettled_since + SETTLING_LINGER);
        let lanes = self.lanes.values().filter_map(|lane| lane.next_time(now)).min();
        let next =
            [settling, lanes, Some(self.next_housekeeping), Some(self.next_prune(now))].into_iter().flatten().min();
        // What is due and did not start waits for an outcome, which wakes us.
        next.map(|next| if next <= now && self.in_flight > 0 { now + BLOCKED_PAUSE } else { next })
    }

    /// Takes in outcomes, as many as one settlement can hold.
    fn collect(&mut self, now: Millis) {
        while self.unsettled.len() < SETTLING_BATCH {
            let Ok(outcome) = self.outcomes.try_recv() else { return };
            self.in_flight -= 1;
            self.judge(outcome, now);
        }
    }

    /// Decides what an outcome means, for its delivery and its lane.
    fn judge(&mut self, outcome: Outcome, now: Millis) {
        let Outcome { job: Job { lane: key, endpoint, due }, headers, exchange } = outcome;
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        let is_probe = lane.ended(&due, &exchange, self.max_concurrency);
        let attempt = due.attempts + 1;
        let verdict = retry::decide(&endpoint, &exchange, due.tries() + 1, due.waits_since(), now);
        let error = retry::failure_text(&exchange);
        let again = |after| {
            let delay = retry::spread(&endpoint, after, due.id, attempt).as_millis() as Millis;
            Change::Again { delay }
        };
        let change = match verdict {
            Verdict::Delivered => Change::Delivered,
            Verdict::Again { after } => again(after),
            Verdict::Dead => Change::Dead,
            Verdict::Throttled { .. } | Verdict::NotMade => Change::Unchanged,
            Verdict::Gone => endpoint.schedule.get(due.tries() as usize).map_or(Change::Dead, |after| again(*after)),
        };
        if verdict == Verdict::NotMade {
            lane.rest(now + SHORTAGE_REST);
            self.shortage.clone_from(&error);
        }
        // Asked before the owner named another receiver, it says nothing about that one.
        if endpoint.url == lane.endpoint.url {
            let mut standing = lane.row.standing.clone();
            retry::note(&mut standing, &endpoint, &exchange, is_probe, now);
            if standing != lane.row.standing {
                lane.row.standing = standing.clone();
                let closed = !lane.open(now);
                self.lane_changes.insert(key, LaneChange { key, epoch: lane.row.epoch, standing });
                if closed {
                    // Nothing has its turn in a lane that has closed.
                    self.keep_house_by(now);
                }
            }
        }
        // An attempt is a request; where none was made, none is used up.
        let was_sent = !matches!(&exchange.result, Err(failure) if failure.is_before_any_request());
        let settlement = Settlement {
            delivery: due.id,
            site: due.event.context.site.clone(),
            attempts: due.attempts,
            change,
            error,
            request: was_sent.then_some((exchange, headers)),
        };
        self.remember(key, due, settlement, now);
    }

    fn remember(&mut self, lane: i64, due: Due, settlement: Settlement, now: Millis) {
        if self.unsettled.is_empty() {
            self.unsettled_since = now;
        }
        self.unsettled.push((lane, due, settlement));
    }

    fn is_time_to_settle(&self, now: Millis) -> bool {
        !self.unsettled.is_empty()
            && (self.in_flight == 0
                || self.unsettled.len() >= SETTLING_BATCH
                || now - self.unsettled_since >= SETTLING_LINGER
                || now < self.unsettled_since)
    }

    fn settle(&mut self, now: Millis) -> Result<usize> {
        let settlements: Vec<&Settlement> = self.unsettled.iter().map(|(_, _, settlement)| settlement).collect();
        let lane_changes: Vec<LaneChange> = self.lane_changes.values().cloned().collect();
        let settled = self.store.settle(&settlements, &lane_changes, now)?;
        self.lane_changes.clear();
        let mut too_old_at = None;
        for (key, due, settlement) in std::mem::take(&mut self.unsettled) {
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            match settlement.change {
                Change::Unchanged => {
                    lane.settled(&due, Some(due.due_at));
                    lane.put_back(due);
                }
                Change::Again { delay } => {
                    too_old_at = [too_old_at, Some(due.waits_since() + lane.max_age())].into_iter().flatten().min();
                    lane.awaits_retry(&due);
                    lane.settled(&due, Some(now + delay));
                }
                Change::Delivered | Change::Dead => lane.settled(&due, None),
            }
        }
        if let Some(at) = too_old_at {
            self.keep_house_by(at);
        }
        Ok(settled)
    }

    fn reload_lanes(&mut self) -> Result<()> {
        let retention = self.store.retention()?;
        if retention != self.retention {
            (self.retention, self.pruned, self.next_prune) = (retention, 0, self.clock.now());
        }
        for mut row in self.store.lanes()? {
            // What is not stored yet holds all the same, unless the owner has said something since.
            if let Some(change) = self.lane_changes.get(&row.key).filter(|change| change.epoch == row.epoch) {
                row.standing.clone_from(&change.standing);
            }
            match self.lanes.get_mut(&row.key) {
                Some(lane) => lane.reconfigure(row, &self.store)?,
                None => {
                    let mut lane = Lane::new(row);
                    lane.load_awaiting(&self.store)?;
                    self.lanes.insert(lane.row.key, lane);
                }
            }
        }
        // What was removed is cancelled by housekeeping, which also looks at ages that were changed.
        self.next_housekeeping = self.next_housekeeping.min(self.clock.now());
        Ok(())
    }
}
