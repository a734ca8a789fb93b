//! How long another writer is waited for: a process that is frozen while it writes keeps the lock, and nobody can take it
//! from it.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::wait_for_writer;

/// Who waits. None of our own transactions takes a tenth of what the dispatcher waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patience {
    /// A person waits for the page: two seconds, and then the event is refused.
    Page,
    /// Nobody waits for a command: ten seconds.
    #[default]
    Command,
    /// It can as well be done the next time: a hundredth of a second.
    Chance,
    /// The dispatcher tries again by itself: one second, or a tenth while somebody is in a [`Hurry`].
    Dispatcher,
}

impl Patience {
    /// As SQLite's busy handler.
    pub(super) fn handler(self) -> fn(i32) -> bool {
        match self {
            Patience::Page => |tries| wait(tries, Duration::from_secs(2)),
            Patience::Command => |tries| wait(tries, Duration::from_secs(10)),
            Patience::Chance => |tries| wait(tries, Duration::from_millis(10)),
            Patience::Dispatcher => |tries| {
                let hurried = HURRIED.load(Ordering::SeqCst) > 0;
                wait(tries, Duration::from_millis(if hurried { 100 } else { 1000 }))
            },
        }
    }
}

static HURRIED: AtomicUsize = AtomicUsize::new(0);

/// While it lives, a dispatcher of this process waits for another writer only as long as a transaction of ours takes:
/// a `fork()` of the page waits for the dispatcher.
#[must_use]
pub struct Hurry(());

impl Hurry {
    /// From now on, until it is dropped.
    pub fn begin() -> Self {
        HURRIED.fetch_add(1, Ordering::SeqCst);
        Hurry(())
    }
}

impl Drop for Hurry {
    fn drop(&mut self) {
        HURRIED.fetch_sub(1, Ordering::SeqCst);
    }
}

thread_local! {
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// By the clock: on a busy machine a nap is far longer than it should be.
fn wait(tries: i32, most: Duration) -> bool {
    let now = Instant::now();
    let since = if tries == 0 { now } else { SINCE.get().unwrap_or(now) };
    SINCE.set(Some(since));
    wait_for_writer(tries) && now - since < most
}
