//! A real queue in a directory of its own, a clock that is moved by hand, and receivers that follow a script.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::{Sender, unbounded};
use posthorn::clock::{Clock, ManualClock, Millis};
use posthorn::delivery::{Answer, Exchange, Failure, FailureKind, Timings, Transport};
use posthorn::dispatcher::jobs::{self, JobReceiver};
use posthorn::dispatcher::sender::{Job, Outcome, attempt};
use posthorn::dispatcher::{Dispatcher, Mode, Turn};
use posthorn::endpoint::Endpoint;
use posthorn::error::Result;
use posthorn::event::NewEvent;
use posthorn::store::{Accepted, DeliveryRow, Filter, State, Stats, Store, StoreOptions};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// 2026-04-17T12:34:56.789Z
pub const START: Millis = 1_776_429_296_789;
pub const SECOND: Millis = 1000;
pub const MINUTE: Millis = 60 * SECOND;
pub const HOUR: Millis = 60 * MINUTE;
pub const DAY: Millis = 24 * HOUR;

/// What a receiver does with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Answers.
    Status(u16),
    /// Answers with `Retry-After`.
    RetryAfter(u16, &'static str),
    /// Does not answer in time.
    TimesOut,
    /// Refuses the connection.
    Refuses,
    /// Is not asked: this server is short of something.
    NotAsked,
    /// Has not answered yet.
    Hangs,
}

pub const OK: Reply = Reply::Status(200);

/// A request as it reached a receiver.
#[derive(Clone, Debug)]
pub struct Sent {
    pub endpoint: String,
    pub record: String,
    pub at: Millis,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Sent {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

/// A queue's directory and its clock.
pub struct Queue {
    directory: TempDir,
    pub clock: Arc<ManualClock>,
    revision: i64,
}

impl Queue {
    pub fn new() -> Self {
        Queue { directory: TempDir::new().unwrap(), clock: Arc::new(ManualClock::at(START)), revision: 0 }
    }

    /// A queue whose one site has these endpoints.
    pub fn with(endpoints: Value) -> Self {
        let mut queue = Self::new();
        queue.configure("", endpoints);
        queue
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Another process's store.
    pub fn store(&self) -> Store {
        self.store_with(StoreOptions::default())
    }

    pub fn store_with(&self, options: StoreOptions) -> Store {
        Store::open(self.directory(), options).unwrap()
    }

    /// The queue file, past the store: to break it on purpose.
    pub fn raw(&self) -> Connection {
        Connection::open(self.directory().join("queue.db")).unwrap()
    }

    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Saves a site's endpoints, as its owner does.
    pub fn configure(&mut self, site: &str, endpoints: Value) {
        self.revision += 1;
        let now = self.clock.now();
        assert!(self.store().configure(site, &self::endpoints(endpoints), Some(self.revision), now).unwrap());
    }

    /// Accepts one event for each record, in one transaction.
    pub fn accept(&self, records: &[&str]) -> Vec<Accepted> {
        self.accept_at("", records)
    }

    pub fn accept_at(&self, site: &str, records: &[&str]) -> Vec<Accepted> {
        let events: Vec<NewEvent> = records.iter().map(|record| event("contact.updated", site, record)).collect();
        self.store().accept(&events, self.now()).unwrap()
    }

    /// Accepts `count` events about as many records.
    pub fn accept_many(&self, count: usize) {
        let mut store = self.store();
        for from in (0..count).step_by(5000) {
            let events: Vec<NewEvent> = (from..count.min(from + 5000))
                .map(|number| event("contact.updated", "", &format!("contact:{number}")))
                .collect();
            store.accept(&events, self.now()).unwrap();
        }
    }

    pub fn deliveries(&self) -> Vec<DeliveryRow> {
        self.store().deliveries(&Filter { limit: Some(1000), ..Filter::default() }).unwrap()
    }

    /// The delivery about a record, if there is one only.
    pub fn delivery(&self, record: &str) -> DeliveryRow {
        let filter = Filter { record: Some(record.to_owned()), ..Filter::default() };
        let mut found = self.store().deliveries(&filter).unwrap();
        assert_eq!(found.len(), 1, "{record}: {found:?}");
        found.remove(0)
    }

    pub fn state(&self, record: &str) -> State {
        self.delivery(record).state
    }

    pub fn stats(&self) -> Stats {
        self.store().stats(None).unwrap()
    }

    /// The numbers, statuses and times of the requests logged for a record's delivery.
    pub fn log(&self, record: &str) -> Vec<(u32, Option<u16>)> {
        let (_, attempts) = self.store().attempts(self.delivery(record).id).unwrap().unwrap();
        attempts.into_iter().map(|attempt| (attempt.n, attempt.status)).collect()
    }

    /// A process that starts to send.
    pub fn send(&self) -> Sending {
        self.send_with(32)
    }

    pub fn send_with(&self, max_concurrency: usize) -> Sending {
        self.send_from(self.store(), max_concurrency)
    }

    pub fn send_from(&self, store: Store, max_concurrency: usize) -> Sending {
        let (jobs, job_queue) = jobs::queue();
        let (outcomes, outcome_queue) = unbounded();
        let dispatcher = Dispatcher::new(store, self.clock.clone(), max_concurrency, jobs, outcome_queue).unwrap();
        Sending {
            dispatcher,
            jobs: job_queue,
            outcomes,
            clock: self.clock.clone(),
            in_flight: Vec::new(),
            sent: Vec::new(),
        }
    }
}

/// A dispatcher and the receivers' side of what it sends. Dropping it is a kill.
pub struct Sending {
    pub dispatcher: Dispatcher,
    jobs: JobReceiver,
    outcomes: Sender<Outcome>,
    clock: Arc<ManualClock>,
    /// Requests that are not answered yet.
    pub in_flight: Vec<Job>,
    /// Requests that were answered, in order.
    pub sent: Vec<Sent>,
}

impl Sending {
    pub fn turn(&mut self) -> Turn {
        self.try_turn().unwrap()
    }

    pub fn try_turn(&mut self) -> Result<Turn> {
        self.turn_as(Mode::Run)
    }

    pub fn turn_as(&mut self, mode: Mode) -> Result<Turn> {
        let turn = self.dispatcher.turn(mode);
        self.in_flight.extend(self.jobs.try_iter());
        turn
    }

    /// Ends a request; the dispatcher hears of it at its next turn.
    pub fn finish(&mut self, job: Job, reply: Reply) {
        let script = Script { reply, clock: self.clock.clone(), sent: Mutex::new(None) };
        let record = job.due.event.context.record.clone();
        let outcome = attempt(job, &script, &*self.clock);
        if let Some(sent) = script.sent.into_inner().unwrap() {
            self.sent.push(Sent { record, ..sent });
        }
        self.outcomes.send(outcome).unwrap();
    }

    /// Ends the requests about `record`.
    pub fn finish_record(&mut self, record: &str, reply: Reply) {
        let found = self.in_flight.extract_if(.., |job| job.due.event.context.record == record).collect::<Vec<_>>();
        assert!(!found.is_empty(), "nothing about {record} is in flight");
        for job in found {
            self.finish(job, reply.clone());
        }
    }

    /// Lets the dispatcher work until nothing more happens without the clock, but for the ten milliseconds that an
    /// outcome may wait for company.
    pub fn run(&mut self, mut reply: impl FnMut(&Job) -> Reply) {
        let mut hanging = Vec::new();
        let mut lingered = false;
        for _ in 0..1_000_000 {
            let turn = self.turn();
            let mut ended = false;
            for job in std::mem::take(&mut self.in_flight) {
                match reply(&job) {
                    Reply::Hangs => hanging.push(job),
                    reply => {
                        self.finish(job, reply);
                        ended = true;
                    }
                }
            }
            if !ended && !turn.more {
                if lingered || hanging.is_empty() {
                    self.in_flight = hanging;
                    return;
                }
                lingered = true;
                self.clock.advance(10);
            } else if ended {
                lingered = false;
            }
        }
        panic!("the dispatcher never comes to rest");
    }

    /// Turns in which all that is old is gone through, however little of it a loaded machine does in one of them.
    pub fn forget(&mut self) {
        for _ in 0..100 {
            self.clock.advance(10);
            self.turn();
        }
    }

    /// The records whose requests were answered, in order.
    pub fn records(&self) -> Vec<&str> {
        self.sent.iter().map(|sent| sent.record.as_str()).collect()
    }

    /// The records whose requests are in flight.
    pub fn flying(&self) -> Vec<String> {
        self.in_flight.iter().map(|job| job.due.event.context.record.clone()).collect()
    }

    /// How many requests to `endpoint` are in flight.
    pub fn flying_to(&self, endpoint: &str) -> usize {
        self.in_flight.iter().filter(|job| job.endpoint.id == endpoint).count()
    }
}

struct Script {
    reply: Reply,
    clock: Arc<ManualClock>,
    sent: Mutex<Option<Sent>>,
}

impl Transport for Script {
    fn send(&self, endpoint: &Endpoint, headers: &[(String, String)], body: &str) -> Exchange {
        let at = self.clock.now();
        *self.sent.lock().unwrap() = Some(Sent {
            endpoint: endpoint.id.clone(),
            record: String::new(),
            at,
            headers: headers.to_vec(),
            body: body.to_owned(),
        });
        let answer = |status, headers| Answer { status, headers, body: b"ok".to_vec(), truncated: false };
        let result = match &self.reply {
            Reply::Status(status) => Ok(answer(*status, Vec::new())),
            Reply::RetryAfter(status, after) => {
                Ok(answer(*status, vec![("retry-after".to_owned(), (*after).to_owned())]))
            }
            Reply::NotAsked => Err(Failure::new(FailureKind::Shortage, "no more file descriptors")),
            Reply::Refuses => Err(Failure::new(FailureKind::Connect, "connection refused")),
            Reply::TimesOut | Reply::Hangs => Err(Failure::new(FailureKind::Timeout, "no answer within 15 s")),
        };
        Exchange { started_at: at, duration: Duration::from_millis(3), timings: Timings::default(), result }
    }
}

/// An endpoint by its id and further keys.
pub fn endpoint(id: &str, more: Value) -> Value {
    let mut config = json!({"id": id, "url": format!("https://{id}.example/in")});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

pub fn endpoints(list: Value) -> Vec<Endpoint> {
    list.as_array().unwrap().iter().map(|one| Endpoint::from_json(one).unwrap()).collect()
}

pub fn event(name: &str, site: &str, record: &str) -> NewEvent {
    let data = json!({"id": 7, "name": "Zoë", "of": record});
    let context = json!({"record": record, "site": site});
    NewEvent::new(name, &data, &context, 1 << 20).unwrap()
}
