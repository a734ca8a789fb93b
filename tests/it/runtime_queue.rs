//! A queue in running processes: one object a directory, one sender a queue. The processes are this test's own program,
//! started again.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use posthorn::runtime::{Limits, Queue, QueueOptions};
use serde_json::json;
use tempfile::TempDir;

use crate::delivery_receiver::{self, Receiver};
use crate::rig::{endpoints, event};

const DIRECTORY: &str = "POSTHORN_TEST_DIRECTORY";

fn open(directory: &Path, background: bool) -> Arc<Queue> {
    Queue::open(directory, QueueOptions { background, ..QueueOptions::default() }).unwrap()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn sender(queue: &Queue) -> Option<u32> {
    let (_, sender) = queue.stats(None).unwrap();
    sender.and_then(|sender| sender.pid?.try_into().ok())
}

fn point_at(queue: &Queue, receiver: &Receiver) {
    let config = json!([{"id": "crm", "url": receiver.url("/in"), "allow_private": true}]);
    queue.configure(&endpoints(config), "", None).unwrap();
}

/// Another process that uses the queue of `directory`; it lives until its input is closed.
fn another_process(directory: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "runtime_queue::a_process_that_has_the_queue_open_ends_with_its_input"])
        .env(DIRECTORY, directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_process_that_has_the_queue_open_ends_with_its_input() {
    match std::env::var_os(DIRECTORY) {
        Some(directory) => {
            let _queue = open(Path::new(&directory), true);
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
        }
        None => {
            let directory = TempDir::new().unwrap();
            let mut child = another_process(directory.path());
            drop(child.stdin.take());
            assert!(child.wait().unwrap().success());
        }
    }
}

#[test]
fn opening_a_directory_again_gives_the_same_queue_with_the_first_options() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let queue = open(one.path(), false);
    assert!(Arc::ptr_eq(&queue, &open(one.path(), true)));
    assert!(Arc::ptr_eq(&queue, &open(&one.path().join(""), true)));
    assert!(!Arc::ptr_eq(&queue, &open(two.path(), false)));
    assert_eq!(sender(&queue), None, "a process that may not send in the background took the lock");
}

#[test]
fn one_process_sends_and_another_takes_over_when_it_is_killed() {
    let directory = TempDir::new().unwrap();
    let receiver = Receiver::answering(delivery_receiver::OK);
    let watcher = open(directory.path(), false);
    point_at(&watcher, &receiver);
    let mut children = [another_process(directory.path()), another_process(directory.path())];
    let ids = children.each_ref().map(Child::id);
    wait_until("somebody sends", || sender(&watcher).is_some());
    let first = ids.iter().position(|id| sender(&watcher) == Some(*id)).expect("a third process sends");
    watcher.dispatch(&[event("deal.won", "", "deal:1")]).unwrap();
    wait_until("the first is delivered", || watcher.stats(None).unwrap().0.delivered == 1);
    assert_eq!(sender(&watcher), Some(ids[first]), "the sender changed without a reason");

    children[first].kill().unwrap();
    children[first].wait().unwrap();
    watcher.dispatch(&[event("deal.won", "", "deal:2")]).unwrap();
    wait_until("the second is delivered", || watcher.stats(None).unwrap().0.delivered == 2);
    assert_eq!(sender(&watcher), Some(ids[1 - first]));
    assert_eq!(receiver.requests().len(), 2);
    for child in &mut children {
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

#[test]
fn work_sends_in_this_process_though_another_would() {
    let directory = TempDir::new().unwrap();
    let receiver = Receiver::answering(delivery_receiver::OK);
    let worker = open(directory.path(), false);
    point_at(&worker, &receiver);
    let mut child = another_process(directory.path());
    wait_until("the other sends", || sender(&worker) == Some(child.id()));
    std::thread::scope(|scope| {
        scope.spawn(|| worker.work(Duration::from_secs(3)));
        wait_until("this one sends", || sender(&worker) == Some(std::process::id()));
        worker.dispatch(&[event("deal.won", "", "deal:1")]).unwrap();
        wait_until("it is delivered", || worker.stats(None).unwrap().0.delivered == 1);
        assert_eq!(sender(&worker), Some(std::process::id()));
    });
    // Afterwards the other does again.
    wait_until("the other sends again", || sender(&worker) == Some(child.id()));
    drop(child.stdin.take());
    child.wait().unwrap();
}

#[test]
fn without_the_background_nothing_is_sent_but_by_work_which_counts_it() {
    let directory = TempDir::new().unwrap();
    let receiver = Receiver::answering(delivery_receiver::OK);
    let queue = open(directory.path(), false);
    point_at(&queue, &receiver);
    queue.dispatch(&[event("deal.won", "", "deal:1"), event("deal.won", "", "deal:2")]).unwrap();
    assert_eq!((sender(&queue), queue.stats(None).unwrap().0.pending), (None, 2));
    assert_eq!(queue.work(Duration::from_secs(1)), 2);
    assert_eq!(receiver.requests().len(), 2);
}

#[test]
fn a_limit_that_is_named_again_holds_from_then_on_and_one_that_is_not_named_stays() {
    let directory = TempDir::new().unwrap();
    let with = |max_bytes: Option<u64>, max_data_bytes| {
        let limits = Limits { max_bytes, max_data_bytes, ..Limits::default() };
        Queue::open(directory.path(), QueueOptions { background: false, limits, ..QueueOptions::default() }).unwrap()
    };
    let queue = with(Some(1 << 20), Some(2048));
    queue.configure(&endpoints(json!([{"id": "crm", "url": "http://127.0.0.1:9/in"}])), "", None).unwrap();
    let full = (0..50_000).find_map(|n| queue.dispatch(&[event("deal.won", "", &format!("deal:{n}"))]).err());
    assert!(full.is_some_and(|error| error.to_string().contains("1048576")));
    let raised = with(Some(1 << 30), None);
    assert!(Arc::ptr_eq(&queue, &raised));
    queue.dispatch(&[event("deal.won", "", "deal:late")]).unwrap();
    assert_eq!((queue.max_bytes(), queue.max_data_bytes()), (1 << 30, 2048));
    with(None, None);
    assert_eq!((queue.max_bytes(), queue.max_data_bytes()), (1 << 30, 2048));
}
