//! Using the store of a queue: opening it, leaving one that was replaced, setting a damaged one aside.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::{LOOK_IN_PLACE_EVERY, Limits, Queue, QueueOptions, State, host};
use crate::error::{Error, Result, Trouble};
use crate::event::NewEvent;
use crate::store::{Patience, Store, StoreOptions, create_directory, naming_writer};

/// A queue that was asked in vain is not asked again for ten times as long as that took: or every row of a bulk action
/// would wait for a lock that nobody gives back.
const QUIET_TIMES: u32 = 10;
const LONGEST_QUIET: Duration = Duration::from_secs(10);

impl Queue {
    /// Does something with the store. If its file turns out to be damaged, it is set aside and `act` begins again with the
    /// new queue; so it does if what it wrote went to a queue that was replaced meanwhile.
    pub(super) fn using<T>(
        &self,
        state: &mut State,
        writes: bool,
        mut act: impl FnMut(&mut Store, &mut HashSet<String>) -> Result<T>,
    ) -> Result<T> {
        for last in [false, true] {
            self.open_store(state)?;
            let State { store: Some(store), expected, .. } = &mut *state else { break };
            let done =
                act(store, expected).and_then(|done| if writes { store.make_durable() } else { Ok(()) }.map(|()| done));
            let again = match &done {
                Err(error) if error.is_damage() => {
                    self.set_aside(state, error).map_err(|error| error.at(&self.directory))?;
                    true
                }
                // What was deleted with the queue cannot be synced.
                Err(_) if writes => self.leave_if_replaced(state),
                Ok(_) if writes && state.seen_in_place.elapsed() >= LOOK_IN_PLACE_EVERY => {
                    self.leave_if_replaced(state)
                }
                Err(error) if error.is_of_disk() => {
                    // A disk that was mended is mounted anew; what is open here stays on the broken one.
                    self.leave(state);
                    false
                }
                _ => false,
            };
            if last || !again {
                return done.map_err(|error| naming_writer(error, &self.directory).at(&self.directory));
            }
        }
        Err(Error::unavailable("the queue is closed"))
    }

    fn open_store(&self, state: &mut State) -> Result<()> {
        if state.seen_in_place.elapsed() >= LOOK_IN_PLACE_EVERY {
            self.leave_if_replaced(state);
        }
        if state.store.is_none() {
            Quiet::pass(&state.closed)?;
            let began = Instant::now();
            let opened = create_directory(&self.directory)
                .and_then(|()| Store::open(&self.directory, self.store_options()))
                .map_err(|error| naming_writer(error, &self.directory).at(&self.directory));
            state.closed = opened.as_ref().err().and_then(|error| Quiet::after(error, began));
            self.take(state, opened?);
        }
        Ok(())
    }

    pub(super) fn store_options(&self) -> StoreOptions {
        let QueueOptions { background, sync, .. } = self.options;
        let Limits { max_pending_age, keep_delivered, keep_dead, .. } = self.limits();
        let patience = if host::serves_pages() { Patience::Page } else { Patience::Command };
        StoreOptions {
            sync,
            max_bytes: self.max_bytes(),
            max_pending_age,
            sends: background,
            keep_delivered,
            keep_dead,
            patience,
            ..StoreOptions::default()
        }
    }

    fn take(&self, state: &mut State, mut store: Store) {
        if let Some(news) = store.take_news() {
            self.log(&news);
            // Whoever sends finds another file in its place.
            state.waker.wake();
        }
        state.store = Some(store);
        state.seen_in_place = Instant::now();
    }

    /// Returns whether it was replaced.
    fn leave_if_replaced(&self, state: &mut State) -> bool {
        state.seen_in_place = Instant::now();
        let Some(store) = state.store.as_ref().filter(|store| !store.is_in_place()) else { return false };
        match store.rescue_log() {
            // Logged there; if it cannot be done now, whoever opens the queue next finds it so.
            Some(error) => drop(self.set_aside(state, &error)),
            None => {
                self.log("the queue's file was deleted or replaced; going on with what is in its place");
                self.leave(state);
            }
        }
        true
    }

    fn leave(&self, state: &mut State) {
        if let Some(store) = state.store.take() {
            state.expected.extend(state.known.drain().chain(store.matched_sites()));
        }
    }

    fn set_aside(&self, state: &mut State, cause: &Error) -> Result<()> {
        let damaged = state.store.as_ref().and_then(|store| store.files().file);
        self.leave(state);
        let replaced = Store::replace(&self.directory, self.store_options(), damaged, cause);
        if let Err(error) = &replaced {
            self.log(&format!("{cause}; {error}"));
        }
        self.take(state, replaced?);
        Ok(())
    }
}

/// While a queue is left alone after a failure, and what is said meanwhile.
pub(super) struct Quiet {
    until: Instant,
    trouble: Trouble,
    message: String,
}

impl Quiet {
    /// After `error`, if it may last.
    pub fn after(error: &Error, began: Instant) -> Option<Self> {
        match error {
            Error::Unavailable { message, trouble } if *trouble != Trouble::Unconfigured => {
                let now = Instant::now();
                let until = now + ((now - began) * QUIET_TIMES).min(LONGEST_QUIET);
                Some(Quiet { until, trouble: *trouble, message: message.clone() })
            }
            _ => None,
        }
    }

    /// The same error again while it is quiet.
    pub fn pass(quiet: &Option<Self>) -> Result<()> {
        match quiet {
            Some(Quiet { until, trouble, message }) if Instant::now() < *until => {
                Err(Error::trouble(*trouble, message.clone()))
            }
            _ => Ok(()),
        }
    }
}

/// A queue that was begun anew would accept events for nobody until it is given the endpoints that the old one had.
pub(super) fn require_known(store: &Store, events: &[NewEvent], expected: &mut HashSet<String>) -> Result<()> {
    for event in events {
        let site = &event.context.site;
        if expected.contains(site) {
            if !store.knows(site)? {
                return Err(Error::trouble(
                    Trouble::Unconfigured,
                    "the queue was begun anew and does not know this site's endpoints; hand them over with configure()",
                ));
            }
            expected.remove(site);
        }
    }
    Ok(())
}
