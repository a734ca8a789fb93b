//! The queue's files: whose they are, and which are refused.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use posthorn::runtime::{self, QueueOptions};
use posthorn::store::{Store, StoreOptions, SyncMode};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::rig::{DAY, OK, Queue, endpoint, event};

fn refusal(directory: &std::path::Path) -> String {
    Store::open(directory, StoreOptions::default()).err().expect("it was opened").to_string()
}

#[test]
fn the_directory_is_0700_and_every_file_in_it_0600_and_its_owners() {
    let parent = TempDir::new().unwrap();
    let directory = parent.path().join("data/0123456789abcdef");
    let options = QueueOptions { background: false, ..QueueOptions::default() };
    let queue = runtime::Queue::open(&directory, options).unwrap();
    queue.dispatch(&[event("deal.won", "", "deal:1")]).unwrap();
    queue.log("a line");
    queue.stats(None).unwrap();
    let owner = fs::metadata(parent.path()).unwrap().uid();
    for made in [directory.clone(), parent.path().join("data")] {
        let made = fs::metadata(made).unwrap();
        assert_eq!((made.permissions().mode() & 0o777, made.uid()), (0o700, owner));
    }
    let files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(files.iter().any(|file| file.file_name() == "queue.db"));
    for file in files {
        let metadata = file.metadata().unwrap();
        assert_eq!((metadata.permissions().mode() & 0o777, metadata.uid()), (0o600, owner), "{file:?}");
    }
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_was() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("queue.db");
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)").unwrap();
    let before = fs::read(&file).unwrap();
    let error = refusal(directory.path());
    assert!(error.contains("another program"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn a_queue_of_a_newer_version_is_refused_and_left_as_it_was() {
    let queue = Queue::with(json!([endpoint("crm", json!({}))]));
    queue.accept(&["contact:1"]);
    let version: i64 = queue.raw().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    queue.raw().execute_batch("PRAGMA user_version = 99").unwrap();
    let error = refusal(queue.directory());
    assert!(error.contains("newer Posthorn") && error.contains("reload PHP"), "{error}");
    queue.raw().pragma_update(None, "user_version", version).unwrap();
    assert_eq!(queue.deliveries().len(), 1);
}

#[test]
fn many_processes_may_make_the_queue_at_once() {
    for _ in 0..5 {
        let directory = TempDir::new().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| Store::open(directory.path(), StoreOptions::default()).unwrap());
            }
        });
    }
}

#[test]
fn a_log_that_was_written_back_is_not_written_back_again_for_one_event() {
    let queue = Queue::with(json!([endpoint("crm", json!({}))]));
    let mut store = queue.store();
    for _ in 0..2000 {
        store.accept(&[event("contact.updated", "", "contact:1")], queue.now()).unwrap();
    }
    assert!(store.checkpoint().unwrap());
    queue.accept(&["contact:1"]);
    assert!(!store.checkpoint().unwrap(), "a log with one event in it is written back with every settlement");
}

#[test]
fn a_full_queue_has_room_again_when_old_deliveries_are_forgotten() {
    let queue = Queue::with(json!([endpoint("crm", json!({}))]));
    queue.accept_many(3000);
    let mut sending = queue.send();
    sending.run(|_| OK);
    let mut store =
        queue.store_with(StoreOptions { max_bytes: queue.stats().used_bytes - 1, ..StoreOptions::default() });
    let late = [event("contact.updated", "", "contact:1")];
    assert!(store.accept(&late, queue.now()).is_err());
    queue.clock.advance(8 * DAY);
    // In small steps, with pauses.
    for _ in 0..3000 {
        sending.run(|_| OK);
        queue.clock.advance(10);
    }
    assert_eq!(queue.stats().delivered, 1);
    store.accept(&late, queue.now()).unwrap();
}

#[test]
fn a_link_in_the_directory_is_refused_and_what_it_leads_to_is_left_as_it_was() {
    let elsewhere = TempDir::new().unwrap();
    let target = elsewhere.path().join("theirs");
    for (name, is_hard) in [("open.lock", false), ("open.lock", true), ("sync.lock", false), ("posthorn.log", false)] {
        let directory = TempDir::new_in(elsewhere.path()).unwrap();
        let link = directory.path().join(name);
        for there in [true, false] {
            let _ = (fs::remove_file(&link), fs::remove_file(&target));
            if there || is_hard {
                fs::write(&target, "theirs").unwrap();
            }
            if is_hard {
                fs::hard_link(&target, &link).unwrap();
            } else {
                std::os::unix::fs::symlink(&target, &link).unwrap();
            }
            let options = QueueOptions { background: false, sync: SyncMode::Full, ..QueueOptions::default() };
            let queue = runtime::Queue::open(directory.path(), options).unwrap();
            queue.log("a line");
            match (name, queue.stats(None)) {
                // A log that cannot be written is no reason to fail.
                ("posthorn.log", stats) => drop(stats.unwrap()),
                (_, stats) => {
                    let error = stats.unwrap_err().to_string();
                    assert!(error.contains(name) && error.contains("link") && error.contains("delete it"), "{error}");
                }
            }
            let left = fs::read_to_string(&target).ok();
            assert_eq!(left.as_deref(), (there || is_hard).then_some("theirs"), "{name}");
        }
    }
}
