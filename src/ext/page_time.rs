//! The page is not charged for our threads' processor time.
//!
//! One would assume that PHP's time limit counts the page's time. Without thread safety it is `ITIMER_PROF`,
//! which counts the processor time of the whole process: a page that sleeps is killed while a thread of ours
//! works. So the time that our threads have used is added to what is left on the timer.

use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use libc::{CLOCK_PROCESS_CPUTIME_ID, ITIMER_PROF, clockid_t, itimerval, timespec, timeval};

/// Given back in portions of several of the kernel's ticks, so that what it rounds does not add up.
const WORTH_GIVING_NS: u64 = 30_000_000;

/// Between reading and writing the timer it may run down by this much without anybody having set it.
const TICK_US: i64 = 20_000;

static PAGE_CLOCK: AtomicI32 = AtomicI32::new(0);
static OTHERS_NS: AtomicU64 = AtomicU64::new(0);

/// Notes the page's thread, and what the others have used before this request. Call it in the page's thread.
pub(super) fn request_started() {
    let mut clock: clockid_t = 0;
    // SAFETY: the calling thread is alive, and `clock` is ours.
    if unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock) } == 0 {
        PAGE_CLOCK.store(clock, Ordering::Relaxed);
        OTHERS_NS.store(others_ns(clock), Ordering::Relaxed);
    }
}

/// Gives back what our threads have used since the last call. Call it in one thread of ours only.
pub(super) fn give_back() {
    let clock = PAGE_CLOCK.load(Ordering::Relaxed);
    if clock == 0 {
        return;
    }
    let now = others_ns(clock);
    let used = now.saturating_sub(OTHERS_NS.load(Ordering::Relaxed));
    if used >= WORTH_GIVING_NS {
        OTHERS_NS.store(now, Ordering::Relaxed);
        add_to_timer((used / 1000) as i64);
    }
}

fn others_ns(page: clockid_t) -> u64 {
    ns(CLOCK_PROCESS_CPUTIME_ID).saturating_sub(ns(page))
}

fn ns(clock: clockid_t) -> u64 {
    let mut time = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is ours. A clock that is gone leaves it zero.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Adds to what is left on the timer. `setitimer` tells what it replaced: if that is not what was expected, the
/// page has set its limit in between, and what it has set is what counts.
fn add_to_timer(us: i64) {
    let mut seen = timer(0, 0);
    // SAFETY: reads into memory of ours.
    unsafe { libc::getitimer(ITIMER_PROF, &mut seen) };
    let mut expected = micros(&seen.it_value);
    if expected == 0 {
        return;
    }
    let tick = tick_us();
    let mut next = expected + us;
    loop {
        let mut replaced = timer(0, 0);
        // SAFETY: reads and writes memory of ours.
        unsafe { libc::setitimer(ITIMER_PROF, &timer(next, tick), &mut replaced) };
        let replaced = micros(&replaced.it_value);
        if (expected - TICK_US..=expected).contains(&replaced) {
            return;
        }
        // Zero is a limit too: the page has taken it away.
        expected = next;
        next = if replaced == 0 { 0 } else { replaced + us };
    }
}

/// A timer that has `us` left once it is set. Linux adds a tick to whatever a processor timer is set to
/// (kernel/time/itimer.c), which would never let a busy page's limit run out.
fn timer(us: i64, tick: i64) -> itimerval {
    let us = if us > 0 { (us - tick).max(1) } else { 0 };
    itimerval {
        it_interval: timeval { tv_sec: 0, tv_usec: 0 },
        it_value: timeval { tv_sec: us / 1_000_000, tv_usec: us % 1_000_000 },
    }
}

/// The kernel's tick: what its coarse clock counts in.
fn tick_us() -> i64 {
    let mut resolution = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes into memory of ours.
    unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC_COARSE, &mut resolution) };
    resolution.tv_nsec / 1000
}

fn micros(value: &timeval) -> i64 {
    value.tv_sec * 1_000_000 + value.tv_usec
}
