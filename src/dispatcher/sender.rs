//! What a sender thread does: take a job, render and sign it, make the request, report.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;

use super::jobs::JobReceiver;
use crate::clock::Clock;
use crate::delivery::{Exchange, Failure, FailureKind, Timings, Transport, unless_too_large, without_repeated};
use crate::endpoint::Endpoint;
use crate::format::{self, AttemptInfo};
use crate::store::Due;

/// An attempt to make.
#[derive(Debug)]
pub struct Job {
    /// The queue's key of the endpoint.
    pub lane: i64,
    /// Where it goes.
    pub endpoint: Arc<Endpoint>,
    /// The delivery and its event.
    pub due: Due,
}

/// An attempt that was made.
#[derive(Debug)]
pub struct Outcome {
    /// The job.
    pub job: Job,
    /// The headers that were sent.
    pub headers: Vec<(String, String)>,
    /// What came of it.
    pub exchange: Exchange,
}

/// Makes attempts until the dispatcher is gone; `report` is called after each.
pub fn send_all(
    jobs: &JobReceiver,
    outcomes: &Sender<Outcome>,
    transport: &dyn Transport,
    clock: &dyn Clock,
    report: impl Fn(),
) {
    while let Some(job) = jobs.recv() {
        if outcomes.send(attempt(job, transport, clock)).is_err() {
            return;
        }
        report();
    }
}

/// Makes one attempt. A panic in it is a failed attempt, not the end of the thread.
pub fn attempt(job: Job, transport: &dyn Transport, clock: &dyn Clock) -> Outcome {
    let started_at = clock.now();
    let made = catch_unwind(AssertUnwindSafe(|| {
        let info = AttemptInfo { delivery: job.due.id, attempt: job.due.attempts + 1, now: started_at, test: false };
        let rendered = format::render(&job.endpoint, &job.due.event, &info);
        let exchange = unless_too_large(&job.endpoint, &rendered.body, started_at, || {
            transport.send(&job.endpoint, &rendered.headers, &rendered.body)
        });
        (rendered.loggable_headers(&job.endpoint), without_repeated(exchange, &job.endpoint.headers))
    }));
    let (headers, exchange) = made.unwrap_or_else(|_| {
        let failure = Failure {
            kind: FailureKind::Protocol,
            message: "an internal error of Posthorn ended the attempt; see posthorn.log".to_owned(),
        };
        let exchange =
            Exchange { started_at, duration: Duration::ZERO, timings: Timings::default(), result: Err(failure) };
        (Vec::new(), exchange)
    });
    Outcome { job, headers, exchange }
}
