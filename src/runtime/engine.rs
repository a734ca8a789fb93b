//! The background thread of one queue in one process: it stands by, or it holds the lock and sends.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use super::descriptors::Descriptors;
use super::holding::{self, Ended};
use super::lock::Lock;
use super::log::Log;
use super::signal::{Heard, StandBy};
use super::{QueueOptions, fork, host, sending};
use crate::dispatcher::Dispatcher;
use crate::error::Error;
use crate::store::StoreOptions;

/// A stand-by tries the lock this often even if it hears nothing: for shared directories without sockets.
const STAND_BY_TIMER: Duration = Duration::from_secs(5);

/// The same while the holder has no socket yet, or none that can be reached.
const NO_STATION_TIMER: Duration = Duration::from_millis(50);

/// A process that serves a request leaves a free lock to an idle one for so long.
const BUSY_DELAY: Duration = Duration::from_millis(5);

/// After handing over, the lock is left to others for so long.
const HANDED_OVER_DELAY: Duration = Duration::from_millis(100);

/// After an error or a panic the thread starts over, not at once.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// A dispatcher that owes an answer for so long is not busy, it is frozen.
const FROZEN_AFTER: Duration = Duration::from_secs(3);

/// The same trouble is logged again after this long.
const LOG_AGAIN: Duration = Duration::from_secs(60);

/// `work()` is called again and again; between two calls the lock is kept for so long.
const WORK_LINGER: Duration = Duration::from_millis(250);

/// Pages go first where processors are scarce.
const NICENESS: i32 = 5;

/// What to do when the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Let requests in flight end; start none.
    Finish,
    /// Send what is due first, unless another process can.
    FinishDue,
}

/// What the thread and its owner share.
pub(super) struct Engine {
    pub directory: PathBuf,
    pub options: QueueOptions,
    /// What the queue may hold, in bytes, as was said last.
    pub max_bytes: AtomicU64,
    pub log: Log,
    /// Wakes the thread, whatever it waits for.
    pub bell: OwnedFd,
    /// Whether the thread sleeps, so that a sender need not ring for nothing.
    pub sleeping: AtomicBool,
    /// Whether this process holds the lock and sends.
    pub holding: AtomicBool,
    /// How often this process's own pages have called since the thread last looked.
    pub calls: AtomicUsize,
    /// Deliveries settled by this process.
    pub settled: AtomicU64,
    /// Here while the lock is held, so that a forked child can close its store. Lock it behind the gate only.
    pub dispatcher: Mutex<Option<Dispatcher>>,
    /// What a forked child closes.
    pub descriptors: Arc<Descriptors>,
    orders: Mutex<Orders>,
    changed: Condvar,
    running: AtomicBool,
}

#[derive(Default)]
struct Orders {
    stop: Option<(Stop, Instant)>,
    work_until: Option<Instant>,
    exited: bool,
}

impl Engine {
    pub fn new(directory: PathBuf, options: QueueOptions) -> std::io::Result<Arc<Self>> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let log = Log::new(&directory);
        Ok(Arc::new(Engine {
            directory,
            options,
            max_bytes: AtomicU64::new(options.limits.max_bytes.unwrap_or(StoreOptions::default().max_bytes)),
            log,
            bell,
            sleeping: AtomicBool::new(false),
            holding: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
            settled: AtomicU64::new(0),
            dispatcher: Mutex::new(None),
            descriptors: Arc::default(),
            orders: Mutex::new(Orders::default()),
            changed: Condvar::new(),
            running: AtomicBool::new(false),
        }))
    }

    /// Makes sure that the thread runs: a load of one atomic when it does.
    pub fn ensure_running(self: &Arc<Self>) {
        if self.running.load(Ordering::Relaxed) || self.running.swap(true, Ordering::SeqCst) {
            return;
        }
        self.lock_orders().exited = false;
        let engine = self.clone();
        if let Err(error) = host::spawn("posthorn", Box::new(move || engine.run())) {
            // The next request tries again; WP-Cron and other processes send meanwhile.
            self.log.write(&format!("cannot start the background thread: {error}"));
            self.running.store(false, Ordering::SeqCst);
        }
    }

    /// Wakes the thread.
    pub fn ring(&self) {
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }

    /// Called by the page when it has accepted something. Returns whether this process sends; if not, somebody else is to
    /// be woken. If it does, the lock was held after the acceptance, so whoever takes it next finds what was accepted.
    pub fn call(&self) -> bool {
        let holding = self.holding.load(Ordering::SeqCst);
        if holding {
            self.calls.fetch_add(1, Ordering::SeqCst);
            self.report();
        }
        holding
    }

    /// Wakes the thread if it sleeps: an attempt has ended, or there is something new.
    pub fn report(&self) {
        if self.sleeping.swap(false, Ordering::SeqCst) {
            self.ring();
        }
    }

    /// Sends in this process until `seconds` have passed or the process ends; returns what was settled.
    pub fn work(self: &Arc<Self>, duration: Duration) -> u64 {
        let before = self.settled.load(Ordering::SeqCst);
        let until = Instant::now() + duration;
        self.lock_orders().work_until = Some(until + WORK_LINGER);
        self.ensure_running();
        self.ring();
        let mut orders = self.lock_orders();
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            orders = self.changed.wait_timeout(orders, left).unwrap_or_else(PoisonError::into_inner).0;
            if orders.stop.is_some() {
                break;
            }
        }
        drop(orders);
        self.settled.load(Ordering::SeqCst) - before
    }

    /// Stops the thread and waits for it, until `deadline` at the most. Returns whether it has ended: one that
    /// has not goes on with its last request until the process is gone.
    pub fn stop(&self, how: Stop, patience: Duration) -> bool {
        if !self.running.load(Ordering::SeqCst) {
            return true;
        }
        let deadline = Instant::now() + patience;
        let mut orders = self.lock_orders();
        orders.stop = Some((how, deadline));
        self.ring();
        while !orders.exited {
            let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
                break;
            };
            orders = self.changed.wait_timeout(orders, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let exited = orders.exited;
        if exited {
            // Apache starts modules again in the same process after a reload.
            orders.stop = None;
        }
        exited
    }

    /// The order to stop, with its deadline.
    pub fn stopping(&self) -> Option<(Stop, Instant)> {
        self.lock_orders().stop
    }

    /// Whether the owner of this process asked it to send.
    pub fn is_asked_to_work(&self) -> bool {
        self.lock_orders().work_until.is_some_and(|until| Instant::now() < until)
    }

    /// Whether this process may send.
    pub fn may_send(&self) -> bool {
        self.options.background || self.is_asked_to_work()
    }

    fn lock_orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(self: Arc<Self>) {
        // Threads started from here on inherit it.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS);
        // A panic is a defect of ours; it must neither end sending nor PHP.
        while catch_unwind(AssertUnwindSafe(|| self.stand_by_and_send())).is_err() {
            self.log.write("the background thread starts over");
            self.forget_dispatcher();
            self.rest(RESTART_DELAY);
        }
        self.lock_orders().exited = true;
        self.running.store(false, Ordering::SeqCst);
        self.changed.notify_all();
    }

    fn stand_by_and_send(self: &Arc<Self>) {
        let mut last: Option<(Instant, String)> = None;
        let mut complain = |error: Error| {
            let message = format!("cannot send: {error}");
            if last.as_ref().is_none_or(|(at, other)| *other != message || at.elapsed() >= LOG_AGAIN) {
                self.log.write(&message);
                last = Some((Instant::now(), message));
            }
        };
        let mut connection = None;
        loop {
            let stopping = self.stopping().map(|(how, _)| how);
            if stopping == Some(Stop::Finish) {
                return;
            }
            if !self.may_send() {
                connection = None;
                self.wait(&[], STAND_BY_TIMER);
                continue;
            }
            match Lock::try_take(&self.directory, &self.descriptors) {
                Ok(Some(lock)) => {
                    connection = None;
                    match holding::hold(self, lock) {
                        Ok(Ended::HandedOver) if self.stopping().is_none() => self.rest(HANDED_OVER_DELAY),
                        Ok(_) => {}
                        Err(error) => {
                            complain(error);
                            self.rest(RESTART_DELAY);
                        }
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    complain(error);
                    self.rest(RESTART_DELAY);
                }
            }
            if self.stopping().is_some() {
                // Another process holds the lock and sends.
                return;
            }
            connection = self.stand_by(connection);
        }
    }

    /// Waits until the dispatcher is gone, or this process is asked to work or to stop. Returns the connection to the
    /// dispatcher, for the next time.
    fn stand_by(&self, connection: Option<StandBy>) -> Option<StandBy> {
        let connected = connection.or_else(|| StandBy::connect(&self.directory, &self.descriptors));
        let Some(mut connection) = connected else {
            self.rest(NO_STATION_TIMER);
            return None;
        };
        let asked_to_work = self.is_asked_to_work();
        if asked_to_work {
            connection.ask_for_work();
        }
        if !connection.told_frozen && connection.ask_for_answer() >= FROZEN_AFTER {
            // It keeps the lock, so all that can be done is to say so.
            connection.told_frozen = true;
            self.log.write_if_news(&sending::frozen_words(&self.directory), LOG_AGAIN);
        }
        let until = Instant::now() + if asked_to_work { NO_STATION_TIMER } else { STAND_BY_TIMER };
        let mut heard = Heard::Silence;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            self.wait(&[connection.descriptor()], left);
            heard = connection.read();
            // A wait that it has not ended was ended by the bell.
            if heard != Heard::Answer || self.stopping().is_some() || self.is_asked_to_work() != asked_to_work {
                break;
            }
            if std::mem::take(&mut connection.told_frozen) {
                self.log.write_if_news("the dispatcher answers again", LOG_AGAIN);
            }
        }
        if host::in_request() && !self.is_asked_to_work() {
            self.rest(BUSY_DELAY);
        }
        (heard != Heard::Gone).then_some(connection)
    }

    /// Waits for the bell; nothing else ends it early but an order to stop.
    fn rest(&self, duration: Duration) {
        let until = Instant::now() + duration;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            if self.stopping().is_some() || self.is_asked_to_work() {
                return;
            }
            self.wait(&[], left);
        }
    }

    /// Waits for the bell or one of `others` to be readable.
    pub fn wait(&self, others: &[BorrowedFd], duration: Duration) {
        let bell = self.bell.as_fd();
        let mut descriptors: Vec<PollFd> = others
            .iter()
            .chain([&bell])
            .map(|descriptor| PollFd::from_borrowed_fd(*descriptor, PollFlags::IN))
            .collect();
        let timeout = Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: duration.subsec_nanos() as i64 };
        let _ = poll(&mut descriptors, Some(&timeout));
        let mut buffer = [0u8; 8];
        let _ = rustix::io::read(&self.bell, &mut buffer[..]);
    }

    /// Drops the dispatcher, and with it the store.
    pub fn forget_dispatcher(&self) {
        let _gate = fork::gate();
        *self.dispatcher.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Closes the store that a forked child has inherited; returns the descriptors that it closes too.
    pub fn abandon(&self) -> Vec<RawFd> {
        self.holding.store(false, Ordering::SeqCst);
        // Behind the gate nobody holds these.
        if let Ok(mut dispatcher) = self.dispatcher.try_lock()
            && let Some(dispatcher) = dispatcher.take()
        {
            dispatcher.abandon();
        }
        let mut descriptors = self.descriptors.in_child();
        descriptors.push(self.bell.as_raw_fd());
        descriptors
    }
}
