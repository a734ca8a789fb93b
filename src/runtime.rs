//! A queue in a running process: accepting in the page, and the thread, the lock, fork and shutdown around it.

mod descriptors;
mod engine;
pub mod fork;
mod holding;
pub mod host;
mod lock;
mod log;
mod looking;
pub mod machine;
pub mod place;
mod plan;
mod registry;
mod sending;
mod signal;
mod using;

use std::collections::HashSet;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::{Clock, Millis, SystemClock};
use crate::delivery::http::HttpTransport;
use crate::delivery::{Exchange, Transport, unless_too_large, without_repeated};
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::event::{DEFAULT_MAX_DATA_BYTES, Event, EventId, NewEvent};
use crate::format::{self, AttemptInfo, Rendered};
use crate::store::{EndpointState, Filter, MORE_DESCRIPTORS, Stats, Store, StoreOptions, SyncMode, Waiting};

pub use engine::Stop;
pub use registry::{log_panic, stop_all};
pub use sending::{Sending, sending};

use engine::Engine;
use signal::Waker;
use using::{Quiet, require_known};

/// Sender threads of the one dispatcher, unless set otherwise.
pub const DEFAULT_MAX_CONCURRENCY: usize = 32;

/// A queue that was deleted or replaced is noticed after this long at most: finer would cost a bulk action a system call
/// a row.
const LOOK_IN_PLACE_EVERY: Duration = Duration::from_millis(5);

/// How a process uses a queue: the options of `Queue::open`, or the INI settings of the same names.
#[derive(Clone, Copy, Debug)]
pub struct QueueOptions {
    /// Whether this process may send in the background; without it only `work()` sends.
    pub background: bool,
    /// How accepting treats the disk.
    pub sync: SyncMode,
    /// Sender threads of the dispatcher.
    pub max_concurrency: usize,
    /// What else holds, until somebody says something else.
    pub limits: Limits,
}

/// What a queue takes and keeps; `None` leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// An event's data may be this large, as JSON.
    pub max_data_bytes: Option<usize>,
    /// Accepting is refused past this size of what the queue holds.
    pub max_bytes: Option<u64>,
    /// Accepting is refused while a delivery has been waiting for longer; see [`StoreOptions`].
    pub max_pending_age: Option<Millis>,
    /// How long what was delivered is kept, in milliseconds, whoever sends; see [`StoreOptions`].
    pub keep_delivered: Option<Millis>,
    /// The same of dead and cancelled deliveries.
    pub keep_dead: Option<Millis>,
}

impl Default for QueueOptions {
    fn default() -> Self {
        QueueOptions {
            background: true,
            sync: SyncMode::Normal,
            max_concurrency: DEFAULT_MAX_CONCURRENCY,
            limits: Limits::default(),
        }
    }
}

/// The queue of a directory, as this process uses it.
pub struct Queue {
    directory: PathBuf,
    options: QueueOptions,
    limits: Mutex<Limits>,
    state: Mutex<State>,
}

/// Lock it behind the gate only.
struct State {
    store: Option<Store>,
    waker: Waker,
    engine: Arc<Engine>,
    /// When it was last seen that the store's file is in its place.
    seen_in_place: Instant,
    /// Sites whose endpoints were seen in the queue.
    known: HashSet<String>,
    /// The same of a queue that another has replaced: the new one may not know them yet.
    expected: HashSet<String>,
    /// While the queue cannot be opened.
    closed: Option<Quiet>,
    /// While it accepts nothing.
    refusing: Option<Quiet>,
}

impl Queue {
    /// The queue of `directory`, which is made if it is missing. Starts the background thread, if the options
    /// allow it. One per directory and process: the options of the first call hold, and the limits of whoever names them last,
    /// so that a limit that is raised needs no restart.
    ///
    /// # Errors
    /// [`crate::error::Error::Unavailable`] if the directory or the queue file cannot be made or used.
    pub fn open(directory: &Path, options: QueueOptions) -> Result<Arc<Self>> {
        let queue = registry::open(directory, options)?;
        queue.take_limits(options.limits);
        queue.ensure_running();
        Ok(queue)
    }

    /// Makes sure that the background thread of the queue of `directory` runs, if this process has that queue and may send.
    /// Returns whether it has it. Costs nanoseconds.
    pub fn keep_sending(directory: &Path) -> bool {
        let queue = registry::find(directory);
        queue.iter().for_each(|queue| queue.ensure_running());
        queue.is_some()
    }

    fn make(directory: &Path, options: QueueOptions) -> Result<Self> {
        let engine = new_engine(directory, options)?;
        let state = State {
            store: None,
            waker: Waker::new(directory),
            engine,
            seen_in_place: Instant::now(),
            known: HashSet::new(),
            expected: HashSet::new(),
            closed: None,
            refusing: None,
        };
        let limits = Mutex::new(options.limits);
        Ok(Queue { directory: directory.to_owned(), options, limits, state: Mutex::new(state) })
    }

    fn limits(&self) -> Limits {
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_limits(&self, given: Limits) {
        let before = self.limits();
        let limits = Limits {
            max_data_bytes: given.max_data_bytes.or(before.max_data_bytes),
            max_bytes: given.max_bytes.or(before.max_bytes),
            max_pending_age: given.max_pending_age.or(before.max_pending_age),
            keep_delivered: given.keep_delivered.or(before.keep_delivered),
            keep_dead: given.keep_dead.or(before.keep_dead),
        };
        if limits == before {
            return;
        }
        *self.limits.lock().unwrap_or_else(PoisonError::into_inner) = limits;
        self.lock_behind_gate(|state| {
            state.refusing = None;
            state.engine.max_bytes.store(self.max_bytes(), Ordering::Relaxed);
            let options = self.store_options();
            // What cannot be stored now is when the queue is next opened.
            let _ = state.store.as_mut().map(|store| store.take_limits(options));
        });
    }

    /// The queue's directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes sure that the background thread runs, if it may.
    pub fn ensure_running(&self) {
        if self.options.background {
            let _gate = fork::gate();
            self.lock().engine.ensure_running();
        }
    }

    /// Accepts `events` in one transaction; see [`Store::accept`]. Then the thread is woken.
    pub fn dispatch(&self, events: &[NewEvent]) -> Result<Vec<EventId>> {
        let _gate = fork::gate();
        let mut state = self.lock();
        Quiet::pass(&state.refusing)?;
        let began = Instant::now();
        let accepted = self.write_in(&mut state, |store, expected| {
            if !expected.is_empty() {
                require_known(store, events, expected)?;
            }
            store.accept(events, SystemClock.now())
        });
        state.refusing = accepted.as_ref().err().and_then(|error| Quiet::after(error, began));
        Ok(accepted?.into_iter().map(|accepted| accepted.id).collect())
    }

    /// An event's data may have so many bytes as JSON.
    pub fn max_data_bytes(&self) -> usize {
        self.limits().max_data_bytes.unwrap_or(DEFAULT_MAX_DATA_BYTES)
    }

    /// Replaces a site's endpoints; see [`Store::configure`].
    pub fn configure(&self, endpoints: &[Endpoint], site: &str, revision: Option<i64>) -> Result<bool> {
        let done = self.write(|store| store.configure(site, endpoints, revision, SystemClock.now()))?;
        self.lock_behind_gate(|state| {
            state.known.insert(site.to_owned());
        });
        Ok(done)
    }

    /// The revision of a site's endpoints; see [`Store::revision`].
    pub fn revision(&self, site: &str) -> Result<Option<i64>> {
        let revision = self.read(|store| store.revision(site))?;
        if revision.is_some() {
            self.lock_behind_gate(|state| {
                state.known.insert(site.to_owned());
            });
        }
        Ok(revision)
    }

    /// Pauses or resumes a site; see [`Store::pause`].
    pub fn pause(&self, site: &str, paused: bool) -> Result<()> {
        self.write(|store| store.pause(site, paused))
    }

    /// Whether a site is paused.
    pub fn paused(&self, site: &str) -> Result<bool> {
        self.read(|store| store.paused(site))
    }

    /// Ends an endpoint's suspension and pause, and sends what waits; see [`Store::resume`].
    pub fn resume(&self, site: &str, endpoint: &str) -> Result<bool> {
        self.write(|store| store.resume(site, endpoint, SystemClock.now()))
    }

    /// A site's endpoints, with what the engine knows of them.
    pub fn endpoints(&self, site: &str) -> Result<Vec<EndpointState>> {
        self.read(|store| store.endpoint_states(site, SystemClock.now()))
    }

    /// What the queue holds, of one site or of all; and which process sends, if one does. Waits up to a second for one that
    /// does not answer.
    pub fn stats(&self, site: Option<&str>) -> Result<(Stats, Option<Sending>)> {
        let stats = self.read(|store| store.stats(site))?;
        Ok((stats, sending(&self.directory)?))
    }

    /// Past this size on disk the queue accepts nothing, in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.limits().max_bytes.unwrap_or(StoreOptions::default().max_bytes)
    }

    /// Makes settled deliveries pending again; see [`Store::replay`].
    pub fn replay(&self, filter: &Filter) -> Result<usize> {
        self.write(|store| store.replay(filter, SystemClock.now()))
    }

    /// Ends deliveries that wait; see [`Store::cancel`].
    pub fn cancel(&self, filter: &Filter) -> Result<usize> {
        self.write(|store| store.cancel(filter, SystemClock.now()))
    }

    /// What waits, endpoint by endpoint, of all sites; see [`Store::waiting`].
    pub fn waiting(&self) -> Result<Vec<Waiting>> {
        self.read(|store| store.waiting(SystemClock.now()))
    }

    /// Makes every retry that waits due at once; see [`Store::hurry`].
    pub fn hurry(&self) -> Result<usize> {
        self.write(|store| store.hurry(SystemClock.now()))
    }

    /// Takes the queue as this machine's, at the owner's word: it was moved, and no other machine uses it.
    pub fn adopt(&self) -> Result<()> {
        machine::Machine::here(&self.directory).keep(&self.directory)
    }

    /// Sends what is due in this process for `duration`; whoever else sends hands over. Returns how many
    /// deliveries were settled.
    pub fn work(&self, duration: Duration) -> u64 {
        let engine = {
            let _gate = fork::gate();
            self.lock().engine.clone()
        };
        engine.work(duration)
    }

    /// Writes a line to the queue's log.
    pub fn log(&self, message: &str) {
        log::Log::new(&self.directory).write(message);
    }

    fn stop(&self, how: Stop, patience: Duration) -> bool {
        let engine = {
            let _gate = fork::gate();
            self.lock().engine.clone()
        };
        engine.stop(how, patience)
    }

    fn read<T>(&self, mut act: impl FnMut(&mut Store) -> Result<T>) -> Result<T> {
        let _gate = fork::gate();
        self.using(&mut self.lock(), false, |store, _| act(store))
    }

    fn write<T>(&self, mut act: impl FnMut(&mut Store) -> Result<T>) -> Result<T> {
        let _gate = fork::gate();
        self.write_in(&mut self.lock(), |store, _| act(store))
    }

    fn write_in<T>(
        &self,
        state: &mut State,
        act: impl FnMut(&mut Store, &mut HashSet<String>) -> Result<T>,
    ) -> Result<T> {
        let done = self.using(state, true, act)?;
        if self.options.background {
            state.engine.ensure_running();
        }
        if !state.engine.call() {
            state.waker.wake();
        }
        Ok(done)
    }

    fn lock_behind_gate<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let _gate = fork::gate();
        act(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In a forked child: closes what was inherited; the next use opens anew. The thread did not come along.
    fn abandon(&self) -> Vec<RawFd> {
        let Ok(mut state) = self.state.try_lock() else { return Vec::new() };
        drop(state.store.take());
        let descriptors = state.engine.abandon();
        // Nobody else is left to hold it.
        let limits = self.limits.try_lock().map_or(self.options.limits, |limits| *limits);
        if let Ok(engine) = new_engine(&self.directory, QueueOptions { limits, ..self.options }) {
            // Its locks may be held by threads that are gone, so it is not dropped.
            std::mem::forget(std::mem::replace(&mut state.engine, engine));
        }
        descriptors
    }
}

fn new_engine(directory: &Path, options: QueueOptions) -> Result<Arc<Engine>> {
    Engine::new(directory.to_owned(), options).map_err(|error| {
        Error::unavailable(format!("the system gives no event descriptor: {error}; {MORE_DESCRIPTORS}"))
    })
}

/// An event that is in no queue: for a test or a preview.
pub fn unstored_event(new: NewEvent) -> Event {
    Event::unstored(new, &SystemClock)
}

/// The request for an event that is in no queue, as `endpoint` would receive it; the owner's own headers masked.
pub fn preview(endpoint: &Endpoint, event: &Event, now: Millis) -> Rendered {
    let rendered = format::render(endpoint, event, &test_attempt(event, now));
    Rendered { headers: rendered.loggable_headers(endpoint), body: rendered.body }
}

/// Sends an event that is in no queue and returns what was sent, the owner's own headers masked, in the caller's thread. The page that calls this waits for the
/// receiver: only a test button should.
pub fn send_now(endpoint: &Endpoint, event: &Event) -> (Rendered, Exchange) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let now = clock.now();
    let rendered = format::render(endpoint, event, &test_attempt(event, now));
    let exchange = unless_too_large(endpoint, &rendered.body, now, || {
        transport(clock).send(endpoint, &rendered.headers, &rendered.body)
    });
    let shown = Rendered { headers: rendered.loggable_headers(endpoint), body: rendered.body };
    (shown, without_repeated(exchange, &endpoint.headers))
}

/// The transport, whose lookup threads receive no signal.
fn transport(clock: Arc<dyn Clock>) -> Arc<dyn Transport> {
    Arc::new(HttpTransport::new(clock).with_spawn(Arc::new(|run| host::spawn("posthorn-lookup", run))))
}

fn test_attempt(event: &Event, now: Millis) -> AttemptInfo {
    AttemptInfo { delivery: event.id.delivery(0), attempt: 1, now, test: true }
}
