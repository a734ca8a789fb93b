//! The descriptors of our threads, so that a forked child can close its copies: nobody else in it knows them.
//!
//! A copy of the lock's would keep the lock past its parent's death, and a copy of a connection would make a process
//! seem to stand by that is gone.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fork;

/// The list. Lock it behind the gate only.
#[derive(Debug, Default)]
pub(super) struct Descriptors(Mutex<Vec<RawFd>>);

/// A descriptor on the list until it is dropped, and then closed.
#[derive(Debug)]
pub(super) struct Listed {
    descriptor: Option<OwnedFd>,
    list: Arc<Descriptors>,
}

impl Descriptors {
    /// Opens a descriptor and lists it, with no fork in between. `open` must not take the gate.
    pub fn open<E>(self: &Arc<Self>, open: impl FnOnce() -> Result<OwnedFd, E>) -> Result<Listed, E> {
        let _gate = fork::gate();
        let descriptor = open()?;
        self.lock().push(descriptor.as_raw_fd());
        Ok(Listed { descriptor: Some(descriptor), list: self.clone() })
    }

    /// What a forked child closes.
    pub fn in_child(&self) -> Vec<RawFd> {
        self.0.try_lock().map(|list| list.clone()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<RawFd>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Listed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_ref().expect("taken only when it is dropped").as_fd()
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let _gate = fork::gate();
        if let Some(descriptor) = self.descriptor.take() {
            let raw = descriptor.as_raw_fd();
            self.list.lock().retain(|other| *other != raw);
        }
    }
}
