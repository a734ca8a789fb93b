//! Names to addresses: the system's resolver, behind a short cache and a deadline.

use std::collections::HashMap;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io, thread};

use super::{Failure, failure};

/// Looks a name up; blocks for as long as it takes. [`io::ErrorKind::NotFound`] says that there is no such name, any other
/// error that it could not be asked.
pub type Lookup = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

/// Starts a thread that does one piece of work.
pub type Spawn = Arc<dyn Fn(Box<dyn FnOnce() + Send>) -> io::Result<()> + Send + Sync>;

/// How long an answer is used again.
const KEEP_FOUND: Duration = Duration::from_secs(10);
/// How long a failure is: a burst for a dead name asks once.
const KEEP_FAILED: Duration = Duration::from_secs(2);
/// Addresses kept of one name.
const MAX_ADDRESSES: usize = 16;
/// Names kept.
const MAX_NAMES: usize = 256;
/// Lookups at once: one for each sender.
const MAX_LOOKUPS: usize = 32;
/// glibc's resolver modules want more than the smallest stack.
const STACK_BYTES: usize = 1 << 20;

/// Why a name has no address.
#[derive(Clone, Debug)]
pub enum Unresolved {
    /// There is no such name, or it has no address.
    Missing,
    /// It could not be asked, in its words.
    Failed(String),
    /// This server has no thread left to ask with.
    Short(Failure),
    /// The deadline passed while it was asked.
    TimedOut,
    /// The transport was told to stop.
    Stopped,
}

/// A resolver that all connections share.
///
/// A lookup runs on a thread of its own, because the system's resolver cannot be given a deadline. One lookup per
/// name is under way at a time, and whoever wants the same name waits for it.
pub struct Names {
    lookup: Lookup,
    spawn: Spawn,
    keep: (Duration, Duration),
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    entries: Mutex<HashMap<String, Entry>>,
    changed: Condvar,
    stopped: AtomicBool,
}

enum Entry {
    Asking,
    Known { answer: Result<Arc<[IpAddr]>, Unresolved>, until: Instant },
}

impl Names {
    /// A resolver that asks `lookup` on threads from `spawn`.
    pub fn new(lookup: Lookup, spawn: Spawn) -> Self {
        Names { lookup, spawn, keep: (KEEP_FOUND, KEEP_FAILED), shared: Arc::default() }
    }

    /// Keeps what was `found` for so long instead of 10 s, and that a lookup `failed` instead of 2 s.
    #[must_use]
    pub fn keeping(mut self, found: Duration, failed: Duration) -> Self {
        self.keep = (found, failed);
        self
    }

    /// The addresses of `name`, at least one and at most 16, in the system's order of preference.
    pub fn addresses(&self, name: &str, deadline: Instant) -> Result<Arc<[IpAddr]>, Unresolved> {
        let mut entries = self.shared.lock();
        loop {
            if self.shared.stopped.load(Ordering::SeqCst) {
                return Err(Unresolved::Stopped);
            }
            let now = Instant::now();
            match entries.get(name) {
                Some(Entry::Known { answer, until }) if now < *until => {
                    return answer.clone();
                }
                Some(Entry::Asking) => {}
                _ => {
                    let asking = entries.values().filter(|entry| matches!(entry, Entry::Asking)).count();
                    if asking < MAX_LOOKUPS {
                        make_room(&mut entries, now);
                        entries.insert(name.to_owned(), Entry::Asking);
                        self.ask(name, &mut entries)?;
                    }
                }
            }
            let left = deadline.saturating_duration_since(now);
            if left.is_zero() {
                return Err(Unresolved::TimedOut);
            }
            entries = self.shared.changed.wait_timeout(entries, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets everybody who waits go, and nobody wait any more.
    pub fn stop(&self) {
        // Under the lock, else a waiter that has just looked misses the call.
        let _entries = self.shared.lock();
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();
    }

    fn ask(&self, name: &str, entries: &mut HashMap<String, Entry>) -> Result<(), Unresolved> {
        let (lookup, shared, asked, keep) = (self.lookup.clone(), self.shared.clone(), name.to_owned(), self.keep);
        let work = move || {
            let answer = match catch_unwind(AssertUnwindSafe(|| lookup(&asked))) {
                Ok(Ok(found)) => Ok(found),
                Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(Unresolved::Missing),
                Ok(Err(error)) => Err(Unresolved::Failed(in_words(&error))),
                Err(_) => Err(Unresolved::Failed("the lookup failed".to_owned())),
            };
            shared.lock().insert(asked, known(answer, keep));
            shared.changed.notify_all();
        };
        (self.spawn)(Box::new(work)).map_err(|error| {
            entries.remove(name);
            match failure::shortage(&error) {
                Some(shortage) => Unresolved::Short(shortage),
                None => Unresolved::Failed(format!("no thread for the lookup: {error}")),
            }
        })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

/// The system's resolver: hosts file, DNS, and whatever else `nsswitch.conf` names.
pub fn system_lookup() -> Lookup {
    use dns_lookup::LookupErrorKind::{NoData, NoName};
    Arc::new(|name| match dns_lookup::lookup_host(name) {
        Ok(found) => Ok(found.collect()),
        Err(error) => match error.kind() {
            NoName | NoData => Err(io::ErrorKind::NotFound.into()),
            _ => Err(error.into()),
        },
    })
}

/// Threads named `posthorn-dns`. They inherit the signal mask of whoever waits for the name.
pub fn plain_threads() -> Spawn {
    Arc::new(|work| {
        thread::Builder::new().name("posthorn-dns".to_owned()).stack_size(STACK_BYTES).spawn(work).map(drop)
    })
}

fn known(answer: Result<Vec<IpAddr>, Unresolved>, (found, failed): (Duration, Duration)) -> Entry {
    let answer = answer.and_then(|found| {
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found {
            if addresses.len() < MAX_ADDRESSES && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() { Err(Unresolved::Missing) } else { Ok(addresses.into()) }
    });
    let keep = if answer.is_ok() { found } else { failed };
    Entry::Known { answer, until: Instant::now() + keep }
}

fn make_room(entries: &mut HashMap<String, Entry>, now: Instant) {
    if entries.len() >= MAX_NAMES {
        entries.retain(|_, entry| match entry {
            Entry::Asking => true,
            Entry::Known { until, .. } => now < *until,
        });
    }
    if entries.len() >= MAX_NAMES {
        entries.retain(|_, entry| matches!(entry, Entry::Asking));
    }
}

/// The resolver's own words, without the standard library's preamble.
fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(": ").map(|(_, words)| words.to_owned()).unwrap_or(text)
}
