//! Waiting for the disk together. That the disk then really has it is shown by tests/chaos/power-cut.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use posthorn::error::{Error, Trouble};
use posthorn::store::{Store, StoreOptions, SyncMode};
use rustix::fs::{FlockOperation, flock};
use serde_json::json;

use crate::rig::{Queue, START, endpoint, event};

/// What `sync.lock` tells: syncs begun, done, failed, the log's device and inode, whether it is unsound, how long one took.
/// Each word is followed by its complement.
fn words(queue: &Queue) -> [u64; 7] {
    let bytes = std::fs::read(queue.directory().join("sync.lock")).unwrap();
    assert_eq!(bytes.len(), 7 * 16);
    std::array::from_fn(|at| u64::from_ne_bytes(bytes[at * 16..at * 16 + 8].try_into().unwrap()))
}

fn write_words(queue: &Queue, words: [u64; 7]) {
    let bytes: Vec<u8> = words.iter().flat_map(|word| [word.to_ne_bytes(), (!word).to_ne_bytes()]).flatten().collect();
    board(queue).write_all_at(&bytes, 0).unwrap();
}

fn board(queue: &Queue) -> File {
    OpenOptions::new().read(true).write(true).open(queue.directory().join("sync.lock")).unwrap()
}

fn full() -> StoreOptions {
    StoreOptions { sync: SyncMode::Full, ..StoreOptions::default() }
}

fn queue() -> Queue {
    Queue::with(json!([endpoint("all", json!({}))]))
}

fn accept(store: &mut Store, record: &str) -> posthorn::error::Result<()> {
    store.accept(&[event("contact.updated", "", record)], START).unwrap();
    store.make_durable()
}

#[test]
fn a_process_that_is_alone_syncs_for_itself_and_says_so() {
    let queue = queue();
    let mut store = queue.store_with(full());
    accept(&mut store, "contact:1").unwrap();
    accept(&mut store, "contact:2").unwrap();
    let log = queue.directory().join("queue.db-wal").metadata().unwrap();
    let [begun, done, failed, device, inode, unsound, _] = words(&queue);
    assert_eq!((begun, done, failed, unsound), (2, 2, 0, 0));
    assert_eq!((device, inode), (log.dev(), log.ino()));
}

#[test]
fn without_waiting_for_the_disk_nothing_is_synced() {
    let queue = queue();
    accept(&mut queue.store(), "contact:1").unwrap();
    assert!(!queue.directory().join("sync.lock").exists());
}

#[test]
fn processes_that_commit_at_once_share_syncs() {
    let queue = queue();
    std::thread::scope(|scope| {
        for process in 0..8 {
            let queue = &queue;
            scope.spawn(move || {
                let mut store = queue.store_with(full());
                for number in 0..50 {
                    accept(&mut store, &format!("{process}:{number}")).unwrap();
                }
            });
        }
    });
    let [begun, done, failed, ..] = words(&queue);
    assert_eq!(queue.stats().pending, 400);
    assert_eq!((begun, failed), (done, 0));
    assert!(begun < 300, "{begun} syncs for 400 commits");
}

#[test]
fn a_leader_that_is_frozen_delays_one_commit_a_little_and_the_next_not_at_all() {
    let queue = queue();
    let mut store = queue.store_with(full());
    accept(&mut store, "contact:1").unwrap();
    // It has begun the next sync and goes no further.
    let frozen = board(&queue);
    flock(&frozen, FlockOperation::LockExclusive).unwrap();
    let mut told = words(&queue);
    told[0] += 1;
    write_words(&queue, told);
    let began = Instant::now();
    accept(&mut store, "contact:2").unwrap();
    let first = began.elapsed();
    assert!(first >= Duration::from_millis(50) && first < Duration::from_secs(5), "{first:?}");
    let began = Instant::now();
    for number in 0..20 {
        accept(&mut store, &format!("contact:{number}")).unwrap();
    }
    assert!(began.elapsed() < Duration::from_millis(50) * 20, "{:?}", began.elapsed());
}

#[test]
fn a_leader_that_was_killed_leaves_its_sync_to_the_next() {
    let queue = queue();
    let mut store = queue.store_with(full());
    accept(&mut store, "contact:1").unwrap();
    // It has begun a sync; the kernel has freed its lock.
    let mut told = words(&queue);
    told[0] += 1;
    write_words(&queue, told);
    accept(&mut store, "contact:2").unwrap();
    assert_eq!(words(&queue)[..2], [3, 3]);
}

/// Starts a commit that finds another process leading, and waits until it waits for that.
fn commit_behind_a_leader(queue: &Queue, then: impl FnOnce([u64; 7]) -> [u64; 7]) -> posthorn::error::Result<()> {
    let mut store = queue.store_with(full());
    accept(&mut store, "contact:1").unwrap();
    let leader = board(queue);
    flock(&leader, FlockOperation::LockExclusive).unwrap();
    let (ready, waiting) = mpsc::channel();
    std::thread::scope(|scope| {
        let commit = scope.spawn(move || {
            store.accept(&[event("contact.updated", "", "contact:2")], START).unwrap();
            ready.send(()).unwrap();
            store.make_durable()
        });
        waiting.recv().unwrap();
        // Long enough for it to have read what had begun, far from losing its patience.
        std::thread::sleep(Duration::from_millis(20));
        write_words(queue, then(words(queue)));
        commit.join().unwrap()
    })
}

#[test]
fn a_sync_that_had_begun_before_the_commit_does_not_cover_it_and_the_next_one_does() {
    let queue = queue();
    let began = Instant::now();
    // The sync that it saw begun is done: not enough, so it loses its patience and syncs by itself.
    commit_behind_a_leader(&queue, |[begun, _, rest @ ..]| {
        let [failed, device, inode, unsound, took] = rest;
        [begun, begun, failed, device, inode, unsound, took]
    })
    .unwrap();
    assert!(began.elapsed() >= Duration::from_millis(50));
    let queue = self::queue();
    let began = Instant::now();
    commit_behind_a_leader(&queue, |[begun, _, failed, device, inode, unsound, took]| {
        [begun + 1, begun + 1, failed, device, inode, unsound, took]
    })
    .unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_sync_of_another_log_covers_nothing() {
    let queue = queue();
    let began = Instant::now();
    commit_behind_a_leader(&queue, |[begun, _, failed, device, inode, unsound, took]| {
        [begun + 1, begun + 1, failed, device, inode + 1, unsound, took]
    })
    .unwrap();
    assert!(began.elapsed() >= Duration::from_millis(50));
}

#[test]
fn a_sync_that_failed_fails_for_all_who_waited_for_it_and_says_that_nothing_is_certain() {
    let queue = queue();
    let error = commit_behind_a_leader(&queue, |[begun, done, _, device, inode, _, took]| {
        [begun + 1, done, begun + 1, device, inode, 1, took]
    })
    .unwrap_err();
    assert!(matches!(error, Error::Unavailable { trouble: Trouble::Disk, .. }), "{error:?}");
    assert!(error.to_string().contains("may be kept, but that is not certain"), "{error}");
}

#[test]
fn after_a_failed_sync_nothing_in_the_log_counts_before_all_of_it_is_in_the_file() {
    let queue = queue();
    let mut store = queue.store_with(full());
    accept(&mut store, "contact:1").unwrap();
    let [begun, done, _, device, inode, _, took] = words(&queue);
    write_words(&queue, [begun, done, begun, device, inode, 1, took]);
    accept(&mut store, "contact:2").unwrap();
    assert_eq!(words(&queue)[5], 0);
    // The file has it without the log.
    let copy = Queue::new();
    std::fs::copy(queue.directory().join("queue.db"), copy.directory().join("queue.db")).unwrap();
    assert_eq!(copy.delivery("contact:2").record, "contact:2");
}

#[test]
fn a_log_that_was_deleted_while_in_use_is_no_place_to_keep_anything() {
    let queue = queue();
    let mut store = queue.store_with(full());
    std::fs::remove_file(queue.directory().join("queue.db-wal")).unwrap();
    let error = accept(&mut store, "contact:1").unwrap_err();
    assert!(error.to_string().contains("was deleted while it was in use"), "{error}");
}

#[test]
fn what_tells_of_the_syncs_is_mended_when_it_is_damaged() {
    let queue = queue();
    let mut store = queue.store_with(full());
    accept(&mut store, "contact:1").unwrap();
    std::fs::write(queue.directory().join("sync.lock"), [7; 112]).unwrap();
    accept(&mut store, "contact:2").unwrap();
    accept(&mut store, "contact:3").unwrap();
    assert_eq!(words(&queue)[..2], [2, 2]);
}
