//! The request that a thread is making, as the connector and the wire below ureq need to know it.
//!
//! ureq hands its connector a URI and its transport nothing. But a request stays on the thread that makes it, so the
//! rest rides in a thread local: the deadline that every read and write obeys, who may be called, and what happened.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use super::Timings;
use super::target::Target;

/// One pass of a request.
#[derive(Debug)]
pub(super) struct Call {
    pub target: Arc<Target>,
    pub deadline: Instant,
    /// Kept connections may not be used: one has just died.
    pub fresh: bool,
    pub notes: Notes,
}

/// What happened to a call.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// A connection was asked for; else the call used a kept one.
    pub connected: bool,
    /// When the request was out.
    pub sent_at: Option<Instant>,
    /// When the answer began.
    pub answered_at: Option<Instant>,
    /// Bytes of the answer so far, whatever they are.
    pub answer_bytes: usize,
    pub timings: Timings,
}

thread_local! {
    static CURRENT: RefCell<Option<Call>> = const { RefCell::new(None) };
}

impl Call {
    /// Runs `work` as this call and tells what happened.
    pub fn run<R>(self, work: impl FnOnce() -> R) -> (R, Notes) {
        CURRENT.set(Some(self));
        let result = work();
        (result, CURRENT.take().map(|call| call.notes).unwrap_or_default())
    }
}

impl Notes {
    /// Notes that the request, or another part of it, is out (or, unless `whole`, went no further).
    pub fn sent(&mut self, began: Instant, whole: bool) {
        let now = Instant::now();
        let took = now.saturating_duration_since(began);
        self.timings.send = Some(self.timings.send.map_or(took, |before| before + took));
        self.sent_at = whole.then_some(now);
    }

    /// Notes that `bytes` of the answer came; when the first ones did counts.
    pub fn answering(&mut self, bytes: usize) {
        self.answer_bytes += bytes;
        if self.answered_at.is_none() {
            let now = Instant::now();
            self.answered_at = Some(now);
            self.timings.wait = self.sent_at.map(|sent| now.saturating_duration_since(sent));
        }
    }

    /// Notes that the answer is complete, or broken off.
    pub fn ended(&mut self) {
        self.timings.receive = self.answered_at.map(|began| began.elapsed());
    }
}

/// Looks at the call of this thread, if there is one.
pub(super) fn with<R>(look: impl FnOnce(&mut Call) -> R) -> Option<R> {
    CURRENT.with_borrow_mut(|call| call.as_mut().map(look))
}
