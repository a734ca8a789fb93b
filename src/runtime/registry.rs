//! The queues of this process: one a directory.

use std::os::fd::RawFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::engine::Stop;
use super::{Queue, QueueOptions, fork};
use crate::error::Result;
use crate::store::create_directory;

static QUEUES: Mutex<Vec<Arc<Queue>>> = Mutex::new(Vec::new());

/// The queue of `directory`; the first caller's options hold for the process, but for limits.
pub(super) fn open(directory: &Path, options: QueueOptions) -> Result<Arc<Queue>> {
    let _gate = fork::gate();
    let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    let known = |queues: &[Arc<Queue>], path: &Path| queues.iter().find(|queue| queue.directory() == path).cloned();
    if let Some(queue) = known(&queues, directory) {
        return Ok(queue);
    }
    create_directory(directory)?;
    // One queue, however its path is spelt.
    let directory = &directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    if let Some(queue) = known(&queues, directory) {
        return Ok(queue);
    }
    let queue = Arc::new(Queue::make(directory, options)?);
    queues.push(queue.clone());
    Ok(queue)
}

/// The queue of `directory`, spelt as it was at its opening, if this process has it.
pub(super) fn find(directory: &Path) -> Option<Arc<Queue>> {
    let _gate = fork::gate();
    let queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
    queues.iter().find(|queue| queue.directory() == directory).cloned()
}

/// Stops every thread, within `patience` in all. Returns whether all have ended.
pub fn stop_all(how: Stop, patience: Duration) -> bool {
    let queues: Vec<Arc<Queue>> = {
        let _gate = fork::gate();
        QUEUES.lock().unwrap_or_else(PoisonError::into_inner).clone()
    };
    let deadline = Instant::now() + patience;
    let mut all = true;
    for queue in queues {
        all &= queue.stop(how, deadline.saturating_duration_since(Instant::now()));
    }
    all
}

/// In a forked child: every queue closes what it has inherited and starts clean.
pub(super) fn abandon_all() -> Vec<RawFd> {
    // Behind the gate nobody else holds it.
    let queues = QUEUES.try_lock().map(|queues| queues.clone()).unwrap_or_default();
    queues.iter().flat_map(|queue| queue.abandon()).collect()
}

/// Writes a panic into the log of every queue of this process, in place of the message on standard error, which is the
/// host's. To be set as the panic hook.
pub fn log_panic(panic: &std::panic::PanicHookInfo) {
    let queues = QUEUES.try_lock().map(|queues| queues.clone()).unwrap_or_default();
    queues.iter().for_each(|queue| queue.log(&format!("an internal error, please report it: {panic}")));
}
