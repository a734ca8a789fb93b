//! Jobs reach sender threads: all of them, each once, and none waits behind a receiver that hangs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use posthorn::dispatcher::jobs;
use posthorn::dispatcher::sender::Job;
use serde_json::json;

use crate::rig::{OK, Queue, endpoint};

fn some_jobs(count: usize) -> Vec<Job> {
    let queue = Queue::with(json!([endpoint("a", json!({}))]));
    let mut sending = queue.send_with(256);
    queue.accept_many(260);
    sending.run(|_| OK);
    queue.accept_many(count);
    sending.turn();
    let jobs = std::mem::take(&mut sending.in_flight);
    assert_eq!(jobs.len(), count);
    jobs
}

#[test]
fn as_many_jobs_are_worked_on_at_once_as_there_are_threads() {
    // A thread comes to the barrier with a job in its hands: nobody gets past it unless each thread was woken.
    let (sender, receiver) = jobs::queue();
    let together = Arc::new(Barrier::new(32));
    let threads: Vec<_> = (0..32)
        .map(|_| {
            let (receiver, together) = (receiver.clone(), together.clone());
            thread::spawn(move || {
                while receiver.recv().is_some() {
                    together.wait();
                }
            })
        })
        .collect();
    for _ in 0..3 {
        some_jobs(32).into_iter().for_each(|job| sender.send(job));
    }
    drop(sender);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn each_job_is_taken_once_and_those_that_are_left_when_the_dispatcher_goes_are_taken_too() {
    let (sender, receiver) = jobs::queue();
    let taken = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (receiver, taken) = (receiver.clone(), taken.clone());
            thread::spawn(move || {
                while receiver.recv().is_some() {
                    taken.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for _ in 0..3 {
        some_jobs(200).into_iter().for_each(|job| sender.send(job));
    }
    drop(sender);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(taken.load(Ordering::SeqCst), 600);
}
