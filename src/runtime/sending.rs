//! Who sends for a queue, and whether it answers.
//!
//! A process that was stopped (SIGSTOP, a debugger, a paused container) keeps the lock, and nobody can take it away. So
//! whoever looks at the queue asks the dispatcher for a sign of life.

use std::path::Path;
use std::time::Duration;

use super::{lock, signal};
use crate::error::Result;

/// A dispatcher answers after each turn, which takes milliseconds. Whoever looks waits for so long at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// The process that holds the queue's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Its number, in the eyes of this process where the kernel tells it, else in its own.
    pub pid: Option<i64>,
    /// What it is: `fpm-fcgi`, `apache2handler`, `cli`, …
    pub kind: Option<String>,
    /// Whether it answers; `None` if it cannot be asked, as from another machine.
    pub responds: Option<bool>,
    /// Whether it was stopped and not resumed; `None` if this process cannot see it, as from another container.
    pub stopped: Option<bool>,
}

/// Who sends for the queue in `directory`; `None` if nobody does. Waits for an answer, a second at most.
///
/// # Errors
/// [`crate::error::Error::Unavailable`] if the directory cannot be used.
pub fn sending(directory: &Path) -> Result<Option<Sending>> {
    let Some(holder) = lock::holder(directory)? else { return Ok(None) };
    let seen = lock::holder_as_seen_here(directory);
    let stopped = seen.and_then(is_stopped);
    let responds = if stopped == Some(true) { Some(false) } else { signal::is_alive(directory, PATIENCE) };
    if responds != Some(true) {
        // It may have handed over or ended meanwhile, and whoever came after it has only begun.
        let now = lock::holder(directory)?;
        if now.as_ref() != Some(&holder) {
            return Ok(now.map(|holder| Sending::told_by(&holder)));
        }
    }
    let told = Sending::told_by(&holder);
    Ok(Some(Sending { pid: seen.map(i64::from).or(told.pid), responds, stopped, ..told }))
}

impl Sending {
    /// From what it has written into the lock's file.
    fn told_by(holder: &str) -> Self {
        let mut words = holder.splitn(2, ' ');
        let pid = words.next().and_then(|pid| pid.parse().ok());
        Sending { pid, kind: words.next().map(str::to_owned), responds: None, stopped: None }
    }
}

/// What is said of a dispatcher that does not answer, for the log.
pub(super) fn frozen_words(directory: &Path) -> String {
    let holder = lock::holder(directory).ok().flatten().unwrap_or_default();
    match lock::holder_as_seen_here(directory) {
        Some(pid) if is_stopped(pid) == Some(true) => format!(
            "the dispatcher ({holder}) is stopped, so nothing is sent: kill -CONT {pid} lets it go on; after kill -9 {pid} another process sends, and what was in flight is sent again"
        ),
        Some(pid) => format!(
            "the dispatcher ({holder}) does not answer, so nothing is sent: see whether its disk hangs; after kill -9 {pid} another process sends, and what was in flight is sent again"
        ),
        None => format!(
            "the dispatcher ({holder}), in another container, does not answer, so nothing is sent: resume that container, or restart it"
        ),
    }
}

/// Whether a process is stopped, by proc(5)'s letter of its state: `T`. A debugger's `t` comes and goes.
fn is_stopped(pid: i32) -> Option<bool> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it, in brackets, may hold anything.
    let (_, after) = text.rsplit_once(") ")?;
    Some(after.starts_with('T'))
}
