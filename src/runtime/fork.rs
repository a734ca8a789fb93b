//! Surviving `fork()`: the child of a process that uses a queue starts clean.
//!
//! One would assume that a child could simply not use what it inherited. But SQLite keeps one list of open
//! files a process; a child's own connection would find its parent's entry there and believe that it holds
//! its parent's locks. So every use of a queue passes a gate that `fork()` shuts, and the child closes the
//! inherited connections before anything else.

use std::cell::RefCell;
use std::os::fd::RawFd;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::registry;
use crate::store::Hurry;

static GATE: RwLock<()> = RwLock::new(());

thread_local! {
    static SHUT: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// Keeps `fork()` waiting until it is dropped. Take it before any other lock of this crate, once, and keep
/// it short.
pub(crate) fn gate() -> RwLockReadGuard<'static, ()> {
    GATE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Before `fork()`: waits until no thread is using a queue.
pub fn before() {
    let _hurry = Hurry::begin();
    let guard = GATE.write().unwrap_or_else(PoisonError::into_inner);
    SHUT.with(|shut| *shut.borrow_mut() = Some(guard));
}

/// After `fork()`, in the parent.
pub fn after_in_parent() {
    SHUT.with(|shut| shut.borrow_mut().take());
}

/// After `fork()`, in the child: closes the inherited connections. Returns the descriptors that the caller
/// closes, among them the lock's: the child would keep the lock past its parent's death. It must not unlock
/// it, that would free the parent's.
pub fn after_in_child() -> Vec<RawFd> {
    let descriptors = registry::abandon_all();
    SHUT.with(|shut| shut.borrow_mut().take());
    descriptors
}
