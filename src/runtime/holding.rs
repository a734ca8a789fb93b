//! Holding the lock: running the dispatcher until another process should.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::engine::Engine;
use super::lock::Lock;
use super::plan::Plan;
use super::signal::Station;
use super::{LOOK_IN_PLACE_EVERY, Limits, fork, host, machine, transport};
use crate::clock::{Clock, SystemClock};
use crate::delivery::Transport;
use crate::dispatcher::jobs::{self, JobReceiver};
use crate::dispatcher::sender::{Outcome, send_all};
use crate::dispatcher::{Dispatcher, Mode, Turn};
use crate::error::{Error, Result};
use crate::store::{FILE as QUEUE_FILE, Files, Identity, Patience, Salvage, Store, StoreOptions};

/// The dispatcher's page cache. Large enough for the upper pages of every index of a large queue.
const CACHE_KIB: u32 = 8 * 1024;

/// The longest sleep: a timer is only the fallback for a wake-up that was lost.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// While its process serves a request, the thread looks this often for processor time to give back.
const GIVE_BACK_EVERY: Duration = Duration::from_millis(10);

/// While pages fire events the thread leaves the queue to them for four times as long as it has just used it …
const PAGES_SHARE: u32 = 4;

/// … but never so long that outcomes wait longer for settlement than promised.
const LONGEST_LEAVE: Duration = Duration::from_millis(8);

/// So many new events since the last look, a few milliseconds before, are a burst: no CRM that does any work of its own
/// writes its rows that fast.
const BURST: usize = 32;

/// So many calls since then say that the burst goes on. No more than ten wait in a socket by default.
const BURST_CALLS: usize = 8;

/// A burst that is over sooner, as a bulk action is, has the queue for itself; what it brings is sent after it.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Two syncs lie at least so far apart: a disk that is always syncing slows the pages' own writes.
const SYNC_PAUSE: Duration = Duration::from_millis(5);

/// The same in a burst, which is the pages' own.
const BURST_SYNC_PAUSE: Duration = Duration::from_millis(20);

/// A disk that fails for so long is not waited for with what is open: it may be mounted anew when it is mended. Outcomes
/// that could not be stored by then are lost, and their requests made again.
const DISK_PATIENCE: Duration = Duration::from_secs(10);

/// About what a lane's rows and a settlement take. The C library gives free memory at a heap's end back to the system, and
/// asks for it anew with the next rows, unless it has seen a block of half the size come and go (mallopt(3), on
/// M_TRIM_THRESHOLD).
const WORKING_SET_BYTES: usize = 1024 * 1024;

/// That the queue was moved is said again after this long, if nobody has said that it was.
const SAID_AGAIN: Duration = Duration::from_secs(24 * 3600);

/// A shortage is said again after this long.
const SHORTAGE_SAID_AGAIN: Duration = Duration::from_secs(60);

/// Why holding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Another process wants the queue, or this one may no longer send.
    HandedOver,
    /// The process ends.
    Stopped,
}

/// Sends until another process should.
///
/// # Errors
/// If the queue cannot be opened, or the sockets cannot be made. Failures of the store while sending are
/// logged, and tried again.
pub(super) fn hold(engine: &Arc<Engine>, lock: Lock) -> Result<Ended> {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(WORKING_SET_BYTES / 2)));
    let mut station = Station::open(&engine.directory, &engine.descriptors)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (jobs, job_queue) = jobs::queue();
    let (outcomes, outcome_queue) = unbounded();
    if let Some(other) = machine::arrive(&engine.directory) {
        engine.log.write_if_news(&machine::arrival_words(&other), SAID_AGAIN);
    }
    salvage(engine, &mut station)?;
    let (sync_wanted, opened) = {
        let _gate = fork::gate();
        let store = open_store(engine)?;
        let opened = store.files();
        let most = engine.options.max_concurrency;
        let made = Dispatcher::new(store, clock.clone(), most, jobs, outcome_queue.clone());
        let dispatcher = made.inspect_err(|error| set_aside_if_damaged(engine, opened.file, error))?;
        let log_file = dispatcher.open_log_for_sync()?;
        *engine.dispatcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(dispatcher);
        (start_syncing(log_file), opened)
    };
    let mut senders = Senders { engine, clock, transport: None, jobs: job_queue, outcomes, outcome_queue, started: 0 };
    let holding = Holding::begin(engine);
    let ended = send(engine, &lock, opened, &mut station, &mut senders, &sync_wanted);
    drop(holding);
    // Ends the senders, and closes the store before the lock is free.
    engine.forget_dispatcher();
    drop(station);
    drop(lock);
    Ok(ended)
}

/// While it lives, pages of this process need wake nobody else. It ends before the lock is free, also in a panic: see
/// [`Engine::call`].
struct Holding<'a>(&'a Engine);

impl<'a> Holding<'a> {
    fn begin(engine: &'a Engine) -> Self {
        engine.holding.store(true, Ordering::SeqCst);
        Holding(engine)
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.0.holding.store(false, Ordering::SeqCst);
    }
}

fn send(
    engine: &Arc<Engine>,
    lock: &Lock,
    opened: Files,
    station: &mut Station,
    senders: &mut Senders,
    sync_wanted: &Sender<()>,
) -> Ended {
    let mut plan = Plan::new();
    let mut failing_since: Option<Instant> = None;
    let (mut looked, mut synced) = (Instant::now(), Instant::now());
    let mut missing_since: Option<Instant> = None;
    let mut burst_since: Option<Instant> = None;
    loop {
        if looked.elapsed() >= LOOK_IN_PLACE_EVERY {
            looked = Instant::now();
            let found = Files::in_place(&engine.directory.join(QUEUE_FILE));
            let lock_is_in_place = lock.is_in_place(&engine.directory);
            let is_there = found.file.is_some() && lock_is_in_place == Some(true);
            missing_since = if is_there { None } else { missing_since.or(Some(looked)) };
            // Whoever deletes a queue deletes file by file: nothing is made in its place at once.
            let is_gone = missing_since.is_some_and(|since| since.elapsed() >= LONGEST_SLEEP)
                // Somebody has made another lock, and may send by it.
                || lock_is_in_place == Some(false);
            if is_gone || (found.file.is_some() && found != opened) {
                let _gate = fork::gate();
                let left = engine.dispatcher.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(error) = left.and_then(|dispatcher| dispatcher.rescue_log()) {
                    set_aside_if_damaged(engine, opened.file, &error);
                    return Ended::HandedOver;
                }
                engine.log.write("the queue was deleted or replaced; sending what is in its place");
                return Ended::HandedOver;
            }
        }
        let calls = station.read() + engine.calls.swap(0, Ordering::SeqCst);
        // Asked before the turn: what was accepted before the order to stop is then in the turn.
        let stopping = engine.stopping();
        let waits = calls >= BURST_CALLS && burst_since.is_some_and(|since| since.elapsed() < LONGEST_WAIT);
        let mode = match plan.mode(engine, station, stopping) {
            Mode::Run if waits => Mode::Finish,
            Mode::Run if burst_since.is_some() => Mode::Trickle,
            mode => mode,
        };
        let began = Instant::now();
        let turn = take_turn(engine, mode);
        let took = began.elapsed();
        let (in_flight, idle, turn) = match turn {
            Ok(done) => {
                failing_since = None;
                done
            }
            Err(error) if error.is_damage() => {
                // What is in flight is sent again from the new queue, under the same number.
                engine.forget_dispatcher();
                let _gate = fork::gate();
                set_aside_if_damaged(engine, opened.file, &error);
                return Ended::HandedOver;
            }
            Err(error) => {
                if failing_since.is_none() {
                    engine.log.write(&format!("sending is interrupted: {error}"));
                }
                if failing_since.get_or_insert_with(Instant::now).elapsed() >= DISK_PATIENCE && error.is_of_disk() {
                    return Ended::HandedOver;
                }
                (1, false, Turn::default())
            }
        };
        engine.settled.fetch_add(turn.settled as u64, Ordering::SeqCst);
        // In a burst nothing is looked for, and is to be on disk all the same.
        if turn.found > 0 || (calls > 0 && synced.elapsed() >= BURST_SYNC_PAUSE) {
            synced = Instant::now();
            let _ = sync_wanted.try_send(());
        }
        senders.start(in_flight);
        if let Some(ended) = plan.ended(engine, station, stopping, idle, &turn) {
            if let (Ended::Stopped, Some(transport)) = (ended, &senders.transport) {
                // What is cut off is sent again under the same number.
                transport.interrupt();
            }
            return ended;
        }
        if !waits {
            let burst = turn.caught_up && turn.found >= BURST;
            burst_since = burst.then(|| burst_since.unwrap_or_else(Instant::now));
        }
        if burst_since.is_some() && stopping.is_none() {
            std::thread::sleep(LONGEST_LEAVE);
        } else if turn.caught_up && mode == Mode::Run {
            // Not a wait for the bell: every outcome rings it.
            std::thread::sleep((took * PAGES_SHARE).min(LONGEST_LEAVE));
        } else if !(turn.more && mode == Mode::Run) {
            if let (true, Some(transport)) = (idle, &senders.transport) {
                transport.close_idle();
            }
            sleep(engine, station, senders, &turn, mode);
        }
        host::give_time_back();
    }
}

fn store_options(engine: &Engine) -> StoreOptions {
    let Limits { keep_delivered, keep_dead, .. } = engine.options.limits;
    let (max_bytes, patience) = (engine.max_bytes.load(Ordering::Relaxed), Patience::Dispatcher);
    StoreOptions { cache_kib: CACHE_KIB, max_bytes, keep_delivered, keep_dead, patience, ..StoreOptions::default() }
}

fn open_store(engine: &Engine) -> Result<Store> {
    let mut store = Store::open(&engine.directory, store_options(engine))?;
    if let Some(news) = store.take_news() {
        engine.log.write(&news);
    }
    Ok(store)
}

/// Sets the queue file aside if it is damaged; the next dispatcher begins with a new one.
fn set_aside_if_damaged(engine: &Engine, opened: Identity, error: &Error) {
    if !error.is_damage() {
        return;
    }
    match Store::replace(&engine.directory, store_options(engine), opened, error) {
        Ok(mut store) => engine.log.write(&store.take_news().unwrap_or_else(|| error.to_string())),
        Err(failure) => engine.log.write(&format!("{error}; {failure}")),
    }
}

/// Takes over what waits in queue files that were set aside. Goes on with it the next time if this process ends.
fn salvage(engine: &Engine, station: &mut Station) -> Result<()> {
    if !Salvage::is_needed(&engine.directory) {
        return Ok(());
    }
    // By then everybody who had the old file open has noticed that it is gone, on a busy machine too.
    std::thread::sleep(LOOK_IN_PLACE_EVERY * 20);
    let unread = {
        let _gate = fork::gate();
        Salvage::open_all(&engine.directory)
    };
    for mut salvage in unread {
        let mut more = true;
        while more && engine.stopping().is_none() {
            // Nothing stays open between two steps: a forked child could not close it.
            {
                let _gate = fork::gate();
                more = open_store(engine)?.salvage(&mut salvage)?;
            }
            // Whoever asks for a sign of life gets one.
            station.read();
        }
        if !more {
            engine.log.write(&salvage.summary());
        }
    }
    Ok(())
}

fn take_turn(engine: &Engine, mode: Mode) -> Result<(usize, bool, Turn)> {
    let _gate = fork::gate();
    let mut dispatcher = engine.dispatcher.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(dispatcher) = dispatcher.as_mut() else { return Ok((0, true, Turn::default())) };
    dispatcher.set_max_bytes(engine.max_bytes.load(Ordering::Relaxed));
    let turn = dispatcher.turn(mode)?;
    if let Some(shortage) = dispatcher.take_shortage() {
        engine.log.write_if_news(&shortage, SHORTAGE_SAID_AGAIN);
    }
    Ok((dispatcher.in_flight(), dispatcher.is_idle(), turn))
}

fn sleep(engine: &Engine, station: &Station, senders: &Senders, turn: &Turn, mode: Mode) {
    let until_next =
        turn.next.map_or(LONGEST_SLEEP, |at| Duration::from_millis((at - SystemClock.now()).max(0) as u64));
    let mut longest = if mode == Mode::Run { LONGEST_SLEEP } else { GIVE_BACK_EVERY };
    if host::in_request() && senders.started > 0 {
        longest = GIVE_BACK_EVERY;
    }
    engine.sleeping.store(true, Ordering::SeqCst);
    // An outcome or a call that came before this line rang for nobody.
    if senders.outcome_queue.is_empty() && engine.calls.load(Ordering::SeqCst) == 0 {
        let descriptors: Vec<BorrowedFd> = station.descriptors().collect();
        engine.wait(&descriptors, until_next.min(longest));
    }
    engine.sleeping.store(false, Ordering::SeqCst);
}

/// Sender threads, started as they are needed; they end when the dispatcher is dropped.
struct Senders<'a> {
    engine: &'a Arc<Engine>,
    clock: Arc<dyn Clock>,
    transport: Option<Arc<dyn Transport>>,
    jobs: JobReceiver,
    outcomes: Sender<Outcome>,
    outcome_queue: Receiver<Outcome>,
    started: usize,
}

impl Senders<'_> {
    fn start(&mut self, in_flight: usize) {
        while self.started < in_flight.min(self.engine.options.max_concurrency) && !self.jobs.is_empty() {
            let transport = self.transport.get_or_insert_with(|| transport(self.clock.clone())).clone();
            let (jobs, outcomes, clock) = (self.jobs.clone(), self.outcomes.clone(), self.clock.clone());
            let engine = self.engine.clone();
            let run = move || send_all(&jobs, &outcomes, &*transport, &*clock, || engine.report());
            if let Err(error) = host::spawn("posthorn-send", Box::new(run)) {
                if self.started == 0 {
                    self.engine.log.write(&format!("cannot start a sender thread: {error}"));
                }
                return;
            }
            self.started += 1;
        }
    }
}

/// Syncs the write-ahead log whenever it is told to, apart from every commit. Ends with the sender.
fn start_syncing(log_file: OwnedFd) -> Sender<()> {
    let (wanted, queue) = bounded::<()>(1);
    let sync = move || {
        while queue.recv().is_ok() {
            let _ = rustix::fs::fdatasync(log_file.as_fd());
            std::thread::sleep(SYNC_PAUSE);
        }
    };
    // Without the thread a power cut may lose a little more; nothing else depends on it.
    let _ = host::spawn("posthorn-sync", Box::new(sync));
    wanted
}
