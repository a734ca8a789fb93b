//! One endpoint's lane: what it holds in memory, and what it may start.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::clock::Millis;
use crate::delivery::{Exchange, FailureKind};
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::event::DeliveryId;
use crate::store::{self, Due, Store};

/// Deliveries read in one go.
const READ: u32 = 256;

/// What an `ordered` endpoint holds back is read and passed over; in one turn only so much of it, for the sake of the
/// other lanes.
const READS_PER_TURN: u32 = 4;

/// Deliveries of records that are busy do not count as a supply, up to this many in memory.
const MAX_READY: usize = 1024;

/// Requests in flight to a receiver that has not answered yet. Every success allows one more, so a receiver
/// that answers is at full speed within milliseconds and one that hangs never holds more.
const FIRST_WINDOW: usize = 2;

/// What a lane has in memory and in flight.
pub(super) struct Lane {
    pub row: store::Lane,
    pub endpoint: Arc<Endpoint>,
    /// First attempts, in the order of acceptance.
    ready: VecDeque<Due>,
    /// Further attempts that are due.
    again: VecDeque<Due>,
    /// First attempts after this event have not been read yet.
    cursor: i64,
    exhausted: bool,
    /// When further attempts have to be looked for.
    next_again: Option<Millis>,
    /// Deliveries in memory as further attempts, in flight or not yet settled; when in flight, since when.
    held: HashMap<DeliveryId, Option<Millis>>,
    busy_records: HashSet<String>,
    /// Of an `ordered` endpoint: the events of each record whose delivery waits for another attempt.
    awaiting: HashMap<String, BTreeSet<i64>>,
    /// Of an `ordered` endpoint: the events of each record that were sent and whose outcome is not stored. Until it is, a
    /// kill would have them sent again, after later ones.
    unstored: HashMap<String, BTreeSet<i64>>,
    /// Records of which later first attempts were passed over because of `awaiting`.
    passed_over: HashSet<String>,
    /// How often this turn may still read.
    reads_left: u32,
    pub in_flight: usize,
    window: usize,
    /// The last attempt timed out.
    pub timed_out: bool,
    /// The last attempt was answered, here or before this process sent.
    pub answers: bool,
    /// The request that a half-open circuit breaker has let through.
    probe: Option<DeliveryId>,
    /// This server had nothing left to make a request with; until then it makes none there.
    rests_until: Millis,
    tokens: f64,
    tokens_at: Millis,
    prefer_again: bool,
}

impl Lane {
    pub fn new(row: store::Lane) -> Self {
        let endpoint = Arc::new(row.endpoint.clone());
        let answers = row.standing.failures == 0 && row.standing.last_success_at.is_some();
        Lane {
            row,
            endpoint,
            ready: VecDeque::new(),
            again: VecDeque::new(),
            cursor: 0,
            exhausted: false,
            next_again: Some(0),
            held: HashMap::new(),
            busy_records: HashSet::new(),
            awaiting: HashMap::new(),
            unstored: HashMap::new(),
            passed_over: HashSet::new(),
            reads_left: READS_PER_TURN,
            in_flight: 0,
            window: FIRST_WINDOW,
            timed_out: false,
            answers,
            probe: None,
            rests_until: 0,
            tokens: 1.0,
            tokens_at: 0,
            prefer_again: false,
        }
    }

    /// Takes over changed settings; what is in flight stays known, all else is read again.
    pub fn reconfigure(&mut self, row: store::Lane, store: &Store) -> Result<()> {
        if row.endpoint.url != self.endpoint.url {
            // The new receiver is one that nobody knows.
            (self.answers, self.timed_out, self.window, self.probe) = (false, false, FIRST_WINDOW, None);
        }
        self.endpoint = Arc::new(row.endpoint.clone());
        self.row = row;
        self.again.drain(..).for_each(|due| {
            self.held.remove(&due.id);
        });
        self.ready.clear();
        self.rewind(0);
        self.next_again = Some(0);
        self.load_awaiting(store)
    }

    /// A turn begins.
    pub fn begin_turn(&mut self) {
        self.reads_left = READS_PER_TURN;
    }

    /// Whether it had to leave reading to the next turn.
    pub fn is_behind(&self) -> bool {
        self.reads_left == 0 && !self.exhausted
    }

    /// Reads which records of an `ordered` endpoint wait.
    pub fn load_awaiting(&mut self, store: &Store) -> Result<()> {
        let stored = if self.endpoint.ordered { store.records_awaiting_retry(self.row.key)? } else { Vec::new() };
        self.awaiting.clear();
        for (record, seq) in stored {
            self.awaiting.entry(record).or_default().insert(seq);
        }
        Ok(())
    }

    /// Something new may wait.
    pub fn look_again(&mut self) {
        self.exhausted = false;
    }

    /// Reads first attempts again from those after `to`, or from the earliest that is in memory.
    fn rewind(&mut self, to: i64) {
        let to = self.ready.front().map_or(to, |first| to.min(first.event.seq - 1));
        self.ready.clear();
        self.cursor = self.cursor.min(to);
        self.exhausted = false;
    }

    /// Whether it may send as far as the owner and the engine are concerned, now or after a pause.
    pub fn may_send(&self) -> bool {
        let row = &self.row;
        row.endpoint.enabled && !row.removed && !row.site_paused && row.standing.suspended.is_none()
    }

    /// Whether anything may be sent at `now` at all.
    pub fn open(&self, now: Millis) -> bool {
        self.may_send() && self.closed_until() <= now
    }

    /// Until when nothing is sent: the receiver asked for it, the circuit breaker is open, or this server is short of
    /// something.
    fn closed_until(&self) -> Millis {
        let standing = &self.row.standing;
        let closed = if self.endpoint.circuit_breaker { standing.closed_until() } else { standing.paused_until };
        closed.max(self.rests_until)
    }

    /// Whether the circuit breaker, which is not open, lets only one request through.
    fn is_half_open(&self) -> bool {
        self.endpoint.circuit_breaker && self.row.standing.open_until > 0
    }

    /// The clock was set back by `by` milliseconds.
    pub fn set_back(&mut self, by: Millis) {
        self.tokens_at -= by;
        self.rests_until -= by;
        self.held.values_mut().flatten().for_each(|started| *started -= by);
    }

    /// How old a delivery may become, in milliseconds.
    pub fn max_age(&self) -> Millis {
        self.endpoint.max_age.as_millis() as Millis
    }

    /// When an open lane's next further attempt is due, or a closed one's pause ends.
    pub fn next_time(&self, now: Millis) -> Option<Millis> {
        if self.closed_until() > now && self.row.standing.suspended.is_none() {
            return Some(self.closed_until());
        }
        if !self.open(now) {
            return None;
        }
        // Without a token nobody has looked whether something waits.
        let may_wait = !(self.ready.is_empty() && self.again.is_empty() && self.exhausted)
            || self.next_again.is_some_and(|at| at <= now);
        let waits_for_rate = self.endpoint.rate_per_second.is_some() && may_wait;
        let next_token = waits_for_rate.then(|| {
            let rate = self.endpoint.rate_per_second.unwrap_or(1.0);
            self.tokens_at + ((1.0 - self.tokens).max(0.0) / rate * 1000.0).ceil() as Millis
        });
        // What was due before and did not start waits for a token or for an outcome, which wakes us.
        [self.next_again, next_token].into_iter().flatten().filter(|at| *at > now).min()
    }

    /// Whether a request has been in flight since before `since`.
    pub fn in_flight_since(&self, since: Millis) -> bool {
        self.held.values().flatten().any(|started| *started <= since)
    }

    /// Takes the next delivery that may start at `now`, if there is one, of the events up to `last`: what came after these
    /// settings were read may have come after others.
    pub fn take(&mut self, store: &Store, last: i64, now: Millis) -> Result<Option<Due>> {
        let probing = self.is_half_open() && self.probe.is_some();
        if !self.open(now) || probing || self.in_flight >= self.limit() || !self.has_token(now) {
            return Ok(None);
        }
        self.refill(store, last, now)?;
        self.prefer_again = !self.prefer_again;
        let from_again = self.again.iter().position(|due| !self.busy_records.contains(due.record()));
        let from_ready = self.ready.iter().position(|due| !self.is_blocked(due));
        let due = match (from_again, from_ready) {
            (Some(index), other) if self.prefer_again || other.is_none() => self.again.remove(index),
            (_, Some(index)) => self.ready.remove(index),
            _ => None,
        };
        Ok(due)
    }

    fn limit(&self) -> usize {
        self.endpoint.max_concurrency.map_or(usize::MAX, |limit| limit as usize).min(self.window)
    }

    fn is_blocked(&self, due: &Due) -> bool {
        let record = due.record();
        self.busy_records.contains(record)
            || is_before(&self.awaiting, record, due.event.seq)
            || is_before(&self.unstored, record, due.event.seq)
    }

    fn refill(&mut self, store: &Store, last: i64, now: Millis) -> Result<()> {
        if self.again.is_empty() && self.next_again.is_some_and(|at| at <= now) {
            let due = store.due_again(self.row.key, now, READ + self.held.len() as u32)?;
            let new: Vec<Due> = due.into_iter().filter(|due| !self.held.contains_key(&due.id)).collect();
            self.next_again = if new.is_empty() { store.next_due_after(self.row.key, now)? } else { Some(now) };
            self.held.extend(new.iter().map(|due| (due.id, None)));
            self.again.extend(new);
        }
        while !self.exhausted
            && self.reads_left > 0
            && self.ready.len() < MAX_READY
            && !self.ready.iter().any(|due| !self.is_blocked(due))
        {
            self.reads_left -= 1;
            let due = store.due_first(self.row.key, (self.cursor, last), READ)?;
            let Some(furthest) = due.last() else {
                self.exhausted = true;
                break;
            };
            self.cursor = furthest.event.seq;
            for due in due {
                if self.held.contains_key(&due.id) {
                    continue;
                }
                if is_before(&self.awaiting, due.record(), due.event.seq) {
                    // Read again when the record is free.
                    self.passed_over.insert(due.event.context.record);
                } else {
                    self.ready.push_back(due);
                }
            }
        }
        Ok(())
    }

    fn has_token(&mut self, now: Millis) -> bool {
        let Some(rate) = self.endpoint.rate_per_second else { return true };
        // A hundredth of a second's worth at once: finer than that the clock cannot tell.
        let most = (rate / 100.0).max(1.0);
        self.tokens = (self.tokens + (now - self.tokens_at).max(0) as f64 / 1000.0 * rate).min(most);
        self.tokens_at = now;
        self.tokens >= 1.0
    }

    /// Notes that `due` is in flight.
    pub fn started(&mut self, due: &Due, now: Millis) {
        if self.endpoint.rate_per_second.is_some() {
            self.tokens -= 1.0;
        }
        if self.is_half_open() {
            self.probe = Some(due.id);
        }
        self.held.insert(due.id, Some(now));
        self.in_flight += 1;
        let record = due.record();
        if !record.is_empty() {
            self.busy_records.insert(record.to_owned());
            if self.endpoint.ordered {
                self.unstored.entry(record.to_owned()).or_default().insert(due.event.seq);
            }
        }
    }

    /// Notes that the request for `due` has ended. Returns whether it was the one that a half-open circuit breaker let
    /// through.
    pub fn ended(&mut self, due: &Due, exchange: &Exchange, max_window: usize) -> bool {
        self.held.insert(due.id, None);
        self.in_flight -= 1;
        self.busy_records.remove(due.record());
        match &exchange.result {
            Ok(_) => {
                (self.answers, self.timed_out) = (true, false);
                self.window = (self.window + 1).min(max_window);
            }
            Err(failure) if failure.is_before_any_request() => {}
            Err(failure) => {
                (self.answers, self.timed_out) = (false, failure.kind == FailureKind::Timeout);
                self.window = FIRST_WINDOW;
            }
        }
        self.probe.take_if(|probe| *probe == due.id).is_some()
    }

    /// Starts nothing before `until`.
    pub fn rest(&mut self, until: Millis) {
        self.rests_until = until;
    }

    /// Puts back a delivery whose request used up no attempt.
    pub fn put_back(&mut self, due: Due) {
        if due.due_at == 0 && due.event.seq > self.cursor {
            // It is about to be read again.
            return;
        }
        let queue = if due.due_at > 0 { &mut self.again } else { &mut self.ready };
        let index = queue.partition_point(|other| other.event.seq < due.event.seq);
        queue.insert(index, due);
    }

    /// Notes that `due` has failed for now, so that later deliveries of an ordered record wait.
    pub fn awaits_retry(&mut self, due: &Due) {
        if self.endpoint.ordered && !due.record().is_empty() {
            self.awaiting.entry(due.record().to_owned()).or_default().insert(due.event.seq);
        }
    }

    /// Notes that the outcome for `due` is stored, and when it is tried again.
    pub fn settled(&mut self, due: &Due, again_at: Option<Millis>) {
        self.held.remove(&due.id);
        remove(&mut self.unstored, due);
        if let Some(at) = again_at {
            self.next_again = Some(self.next_again.map_or(at, |next| next.min(at)));
            return;
        }
        if remove(&mut self.awaiting, due) && self.passed_over.remove(due.record()) {
            self.rewind(due.event.seq);
        }
    }
}

/// Whether one of these events of `record` comes before `seq`.
fn is_before(events: &HashMap<String, BTreeSet<i64>>, record: &str, seq: i64) -> bool {
    events.get(record).and_then(BTreeSet::first).is_some_and(|first| *first < seq)
}

/// Takes the event of `due` out. Returns whether its record was there.
fn remove(events: &mut HashMap<String, BTreeSet<i64>>, due: &Due) -> bool {
    let Some(of_record) = events.get_mut(due.record()) else { return false };
    of_record.remove(&due.event.seq);
    if of_record.is_empty() {
        events.remove(due.record());
    }
    true
}
