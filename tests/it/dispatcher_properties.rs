//! What holds whatever happens: random endpoints, answers, clocks, kills and settings.

use std::collections::{BTreeMap, HashMap, HashSet};

use posthorn::clock::Millis;
use posthorn::store::{State, Store};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Value, json};

use crate::rig::{DAY, HOUR, MINUTE, OK, Queue, Reply, SECOND, Sending, endpoint, event};

#[derive(Clone, Debug)]
enum Step {
    /// Accepts events about these records; 0 is no record.
    Accept(Vec<u8>),
    /// Answers some of what is in flight, from this one on.
    Answer(usize, usize, Reply),
    /// Lets time pass.
    Wait(Millis),
    /// Somebody sets the clock.
    Jump(Millis),
    /// The process that sends is killed, and another begins.
    Kill,
    /// The owner saves the same settings again.
    Save,
    /// The owner resumes an endpoint.
    Resume(usize),
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        6 => Just(OK),
        4 => Just(Reply::Status(500)),
        2 => Just(Reply::TimesOut),
        1 => Just(Reply::Refuses),
        1 => Just(Reply::Status(429)),
        1 => Just(Reply::RetryAfter(503, "20")),
        1 => Just(Reply::RetryAfter(429, "7200")),
        1 => Just(Reply::Status(410)),
        1 => Just(Reply::Status(302)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(0u8..5, 1..6).prop_map(Step::Accept),
        8 => (0usize..40, 1usize..20, reply()).prop_map(|(from, count, reply)| Step::Answer(from, count, reply)),
        4 => prop_oneof![0..SECOND, SECOND..MINUTE, MINUTE..HOUR].prop_map(Step::Wait),
        1 => prop_oneof![Just(HOUR), Just(-HOUR), Just(DAY), Just(-DAY)].prop_map(Step::Jump),
        1 => Just(Step::Kill),
        1 => Just(Step::Save),
        1 => (0usize..4).prop_map(Step::Resume),
    ]
}

fn settings() -> impl Strategy<Value = Value> {
    let schedule = prop::collection::vec(0u32..700, 0..4);
    let concurrency = prop::option::of(1u32..4);
    let rate = prop::option::of(1u32..20);
    (schedule, any::<bool>(), any::<bool>(), concurrency, rate, any::<bool>()).prop_map(
        |(schedule, ordered, breaker, max_concurrency, rate, jitter)| {
            json!({
                "schedule": schedule, "ordered": ordered, "circuit_breaker": breaker, "max_concurrency": max_concurrency,
                "rate_per_second": rate, "schedule_jitter": if jitter { 0.5 } else { 0.0 },
            })
        },
    )
}

/// A queue with its receivers, and what was seen of them.
struct World {
    queue: Queue,
    sending: Sending,
    /// The pages' store.
    store: Store,
    endpoints: Value,
    concurrency: usize,
    accepted: i64,
    /// By endpoint and record: the latest event whose first request was made.
    latest: BTreeMap<(String, String), i64>,
    /// Events that an endpoint has been sent.
    started: HashSet<(String, i64)>,
}

impl World {
    fn new(settings: &[Value], concurrency: usize) -> Self {
        let list: Vec<Value> =
            settings.iter().enumerate().map(|(n, settings)| endpoint(&format!("e{n}"), settings.clone())).collect();
        let endpoints = Value::from(list);
        let queue = Queue::with(endpoints.clone());
        let (sending, store) = (queue.send_with(concurrency), queue.store());
        let (latest, started) = (BTreeMap::new(), HashSet::new());
        World { queue, sending, store, endpoints, concurrency, accepted: 0, latest, started }
    }

    fn turn(&mut self) -> posthorn::dispatcher::Turn {
        let before = self.sending.in_flight.len();
        let turn = self.sending.turn();
        for index in before..self.sending.in_flight.len() {
            self.check_start(index);
        }
        assert!(self.sending.in_flight.len() <= self.concurrency);
        turn
    }

    fn check_start(&mut self, index: usize) {
        let job = &self.sending.in_flight[index];
        let (endpoint, context, seq) = (&job.endpoint, &job.due.event.context, job.due.event.seq);
        assert!(job.due.attempts as usize <= endpoint.schedule.len(), "more attempts than the schedule has");
        let first = self.started.insert((endpoint.id.clone(), seq));
        if context.record.is_empty() {
            return;
        }
        let same = |other: &&posthorn::dispatcher::sender::Job| {
            other.lane == job.lane && other.due.event.context.record == context.record
        };
        assert_eq!(self.sending.in_flight.iter().filter(same).count(), 1, "two in flight about {}", context.record);
        let latest = self.latest.entry((endpoint.id.clone(), context.record.clone())).or_default();
        if first {
            assert!(seq > *latest, "the first attempt of {seq} comes after that of {latest}");
        }
        // Not even what is repeated after a kill.
        assert!(!endpoint.ordered || seq >= *latest, "{latest} has overtaken {seq}");
        *latest = seq.max(*latest);
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Accept(records) => {
                let events: Vec<_> = records
                    .iter()
                    .map(|n| if *n == 0 { String::new() } else { format!("contact:{n}") })
                    .map(|record| event("contact.updated", "", &record))
                    .collect();
                self.store.accept(&events, self.queue.now()).unwrap();
                self.accepted += events.len() as i64;
            }
            Step::Answer(from, count, reply) => {
                for _ in 0..*count {
                    if self.sending.in_flight.is_empty() {
                        break;
                    }
                    let job = self.sending.in_flight.remove(from % self.sending.in_flight.len());
                    self.sending.finish(job, reply.clone());
                }
            }
            Step::Wait(time) => self.queue.clock.advance(*time),
            Step::Jump(by) => self.queue.clock.advance(*by),
            Step::Kill => self.sending = self.queue.send_with(self.concurrency),
            Step::Save => self.queue.configure("", self.endpoints.clone()),
            Step::Resume(n) => {
                self.store.resume("", &format!("e{n}"), self.queue.now()).unwrap();
            }
        }
        self.turn();
        let stats = self.store.stats(None).unwrap();
        let all = self.accepted * self.endpoints.as_array().unwrap().len() as i64;
        assert_eq!(stats.pending + stats.delivered + stats.dead + stats.cancelled, all);
    }

    /// Lets every receiver answer until nothing waits; the owner resumes what is suspended.
    fn finish(&mut self, last: &[Reply]) {
        for _ in 0..5_000 {
            let turn = self.turn();
            for job in std::mem::take(&mut self.sending.in_flight) {
                let n: usize = job.endpoint.id[1..].parse().unwrap();
                self.sending.finish(job, last[n].clone());
            }
            for state in self.store.endpoint_states("", self.queue.now()).unwrap() {
                if state.suspended.is_some() {
                    self.store.resume("", &state.id, self.queue.now()).unwrap();
                }
            }
            if self.store.stats(None).unwrap().pending == 0 {
                return;
            }
            // Asleep for longer than it would have been, unless there is something to do.
            let next = turn.next.unwrap_or(0) - self.queue.now();
            self.queue.clock.advance(if next > SECOND { 2 * MINUTE } else { next.max(1) });
        }
        panic!("something waits for ever: {:?}", self.queue.deliveries());
    }

    fn check_end(&mut self) {
        let schedules: HashMap<String, usize> = self
            .endpoints
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["id"].as_str().unwrap().to_owned(), one["schedule"].as_array().unwrap().len()))
            .collect();
        let rows = self.queue.deliveries();
        let count = |state: State| rows.iter().filter(|row| row.state == state).count() as i64;
        let stats = self.store.stats(None).unwrap();
        let counted = (count(State::Pending), count(State::Delivered), count(State::Dead), count(State::Cancelled));
        assert_eq!((stats.pending, stats.delivered, stats.dead, stats.cancelled), counted);
        assert_eq!((counted.0, counted.3), (0, 0));
        for row in rows {
            assert!(row.attempts as usize <= schedules[&row.endpoint] + 1, "{row:?}");
            assert!(row.state == State::Dead || row.attempts > 0, "{row:?}");
        }
    }
}

/// So many cases take some seconds; PROPTEST_CASES asks for more. A failure is printed with what it takes, and not written
/// into the project.
fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases },
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        max_shrink_iters: 200,
        ..default
    }
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn whatever_happens_everything_ends_in_order_and_is_counted(
        settings in prop::collection::vec(settings(), 1..5),
        concurrency in 1usize..20,
        steps in prop::collection::vec(step(), 1..60),
        last in prop::collection::vec(prop_oneof![3 => Just(OK), 1 => Just(Reply::Status(500)), 1 => Just(Reply::TimesOut)], 4),
    ) {
        let mut world = World::new(&settings, concurrency);
        for step in &steps {
            world.take(step);
        }
        world.finish(&last);
        world.check_end();
    }

    #[test]
    fn whoever_hangs_or_fails_a_receiver_that_answers_gets_everything_at_once(
        others in prop::collection::vec(prop_oneof![Just(Reply::Hangs), Just(Reply::Status(500)), Just(Reply::Refuses),
            Just(Reply::Status(429)), Just(Reply::Status(410))], 0..40),
        concurrency in 4usize..33,
        count in 1usize..120,
        was_called in any::<bool>(),
    ) {
        let list = |names: &[String]| Value::from(names.iter().map(|name| endpoint(name, json!({}))).collect::<Vec<_>>());
        let mut names = vec!["well".to_owned()];
        let mut queue = Queue::with(list(&names));
        let mut sending = queue.send_with(concurrency);
        queue.accept(&["contact:0"]);
        sending.run(|_| OK);
        if !was_called {
            // Another process takes over, and knows it from the queue only.
            sending = queue.send_with(concurrency);
        }
        names.extend((0..others.len()).map(|n| format!("o{n}")));
        queue.configure("", list(&names));
        queue.accept_many(count);
        let begin = queue.now();
        sending.sent.clear();
        sending.run(|job| match job.endpoint.id.strip_prefix('o') {
            Some(n) => others[n.parse::<usize>().unwrap()].clone(),
            None => OK,
        });
        let arrived: Vec<Millis> =
            sending.sent.iter().filter(|sent| sent.endpoint == "well").map(|sent| sent.at - begin).collect();
        prop_assert_eq!(arrived.len(), count);
        prop_assert!(arrived.iter().all(|after| *after <= 50), "{:?}", arrived);
    }
}
