//! A damaged queue file: it is set aside, the queue goes on, and what waited goes out.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use posthorn::error::{Error, Trouble};
use posthorn::runtime::{Queue, QueueOptions};
use posthorn::store::{Store, StoreOptions};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::delivery_receiver::{self, Receiver};
use crate::rig::{START, endpoints, event};

struct Bed {
    directory: TempDir,
    receiver: Receiver,
}

impl Bed {
    fn new() -> Self {
        Bed { directory: TempDir::new().unwrap(), receiver: Receiver::answering(delivery_receiver::OK) }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn file(&self) -> PathBuf {
        self.path().join("queue.db")
    }

    /// A process that only accepts.
    fn queue(&self) -> Arc<Queue> {
        Queue::open(self.path(), QueueOptions { background: false, ..QueueOptions::default() }).unwrap()
    }

    fn configure(&self) -> bool {
        let config = json!([{"id": "crm", "url": self.receiver.url("/in"), "allow_private": true}]);
        self.queue().configure(&endpoints(config), "", Some(1)).unwrap()
    }

    fn dispatch(&self, record: &str) -> Result<(), Error> {
        self.queue().dispatch(&[event("contact.updated", "", record)]).map(|_| ())
    }

    fn dispatch_many(&self, count: usize) {
        let events: Vec<_> = (0..count).map(|n| event("contact.updated", "", &format!("contact:{n}"))).collect();
        self.queue().dispatch(&events).unwrap();
    }

    /// Sends until nothing waits and nobody sends any more.
    fn work(&self) {
        for _ in 0..40 {
            self.queue().work(Duration::from_millis(250));
            let taken_over = self.kept().iter().all(|kept| note(kept).contains("Taken over"));
            if taken_over && self.queue().stats(None).unwrap().0.pending == 0 {
                break;
            }
        }
        for _ in 0..2000 {
            let (stats, sender) = self.queue().stats(None).unwrap();
            if stats.pending == 0 && sender.is_none() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("not sent in time");
    }

    /// The records whose events arrived, each once.
    fn arrived(&self) -> Vec<String> {
        let mut records: Vec<String> = self
            .receiver
            .requests()
            .iter()
            .map(|request| {
                let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
                body["data"]["of"].as_str().unwrap().to_owned()
            })
            .collect();
        records.sort();
        records.dedup();
        records
    }

    /// Moves all that is in the log into the file, so that the file can be damaged.
    fn settle_log(&self) {
        let raw = Connection::open(self.file()).unwrap();
        // Whoever has pages in memory reads them again after another's commit.
        raw.execute_batch("UPDATE setup SET version = version + 1").unwrap();
        raw.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }

    /// Overwrites pages of a table in the file, the root or some of its leaves.
    fn damage_pages(&self, pages: &[i64]) {
        let file = fs::OpenOptions::new().write(true).open(self.file()).unwrap();
        for page in pages {
            file.write_all_at(&[0xa5; 4096], ((page - 1) * 4096) as u64).unwrap();
        }
    }

    fn root_of(&self, name: &str) -> i64 {
        let raw = Connection::open(self.file()).unwrap();
        raw.query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0)).unwrap()
    }

    /// The files that were set aside.
    fn kept(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_str().unwrap().contains("queue.db.corrupt-") && path.extension().is_some())
            .filter(|path| !["-wal", "-shm", ".txt"].iter().any(|end| path.to_str().unwrap().ends_with(end)))
            .collect();
        found.sort();
        found
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path().join("posthorn.log")).unwrap_or_default()
    }

    fn integrity(&self) -> String {
        let raw = Connection::open(self.file()).unwrap();
        raw.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
    }
}

/// The text beside a file that was set aside.
fn note(kept: &Path) -> String {
    fs::read_to_string(format!("{}.txt", kept.display())).unwrap_or_default()
}

fn trouble(error: Error) -> (Trouble, String) {
    match error {
        Error::Unavailable { trouble, message } => (trouble, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_of_garbage_costs_neither_the_event_at_hand_nor_what_waited() {
    let bed = Bed::new();
    assert!(bed.configure());
    bed.dispatch_many(300);
    bed.queue().stats(None).unwrap();
    bed.settle_log();
    bed.damage_pages(&[bed.root_of("delivery_due")]);
    let damaged = fs::read(bed.file()).unwrap();
    // Reading what is due meets it.
    bed.work();
    bed.dispatch("contact:late").unwrap();
    bed.work();
    let [kept] = bed.kept().try_into().unwrap();
    assert_eq!(fs::read(&kept).unwrap(), damaged, "what was set aside was changed");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(bed.integrity(), "ok");
    assert_eq!(bed.arrived().len(), 301);
    assert_eq!(bed.queue().revision("").unwrap(), None, "the settings are not asked for again");
    let log = bed.log();
    assert!(log.contains("malformed") && log.contains(kept.to_str().unwrap()), "{log}");
    assert!(log.contains("Taken over into the new queue: 300 deliveries"), "{log}");
    let note = note(&kept);
    assert!(note.contains(".recover") && note.contains("malformed"), "{note}");
}

#[test]
fn dispatch_goes_on_in_the_new_queue_when_it_meets_the_damage_itself() {
    let bed = Bed::new();
    bed.configure();
    bed.dispatch_many(500);
    bed.settle_log();
    // The root of the events: no number can be found, none given.
    bed.damage_pages(&[bed.root_of("event")]);
    for number in 0..50 {
        bed.dispatch(&format!("contact:late-{number}")).unwrap();
    }
    assert_eq!(bed.kept().len(), 1);
    bed.work();
    assert_eq!(bed.arrived().len(), 50);
}

#[test]
fn a_queue_whose_header_is_gone_is_set_aside_and_asks_for_the_endpoints() {
    let bed = Bed::new();
    bed.configure();
    bed.dispatch("contact:1").unwrap();
    bed.settle_log();
    let file = fs::OpenOptions::new().write(true).open(bed.file()).unwrap();
    file.write_all_at(&[0; 4096], 0).unwrap();
    let fresh = Store::open(bed.path(), StoreOptions::default()).unwrap();
    assert_eq!((fresh.revision("").unwrap(), bed.kept().len()), (None, 1));
    // The process that knew the site accepts nothing for nobody.
    std::thread::sleep(Duration::from_millis(6));
    let (kind, message) = trouble(bed.dispatch("contact:3").unwrap_err());
    assert_eq!(kind, Trouble::Unconfigured);
    assert!(message.contains("configure()"), "{message}");
    assert!(bed.configure());
    bed.dispatch("contact:3").unwrap();
    bed.work();
    assert!(bed.arrived().contains(&"contact:3".to_owned()));
}

#[test]
fn a_cut_file_an_emptied_file_and_a_log_of_garbage_are_set_aside_and_never_deleted() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 5] = [
        ("cut", |file| {
            let file = fs::OpenOptions::new().write(true).open(file).unwrap();
            file.set_len(file.metadata().unwrap().len() / 2 / 4096 * 4096).unwrap();
        }),
        ("emptied", |file| fs::OpenOptions::new().write(true).open(file).unwrap().set_len(0).unwrap()),
        ("log of garbage", |file| fs::write(file.with_file_name("queue.db-wal"), [0xa5; 9000]).unwrap()),
        ("text", |file| fs::write(file, "Dear diary\n".repeat(500)).unwrap()),
        ("no file", |file| fs::remove_file(file).unwrap()),
    ];
    for (what, damage) in damages {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("queue.db");
        {
            let mut store = Store::open(directory.path(), StoreOptions::default()).unwrap();
            let config = json!([{"id": "crm", "url": "https://crm.example/in"}]);
            store.configure("", &endpoints(config), Some(1), 0).unwrap();
            let events: Vec<_> = (0..300).map(|n| event("contact.updated", "", &format!("contact:{n}"))).collect();
            store.accept(&events, START).unwrap();
            store.stats(None).unwrap();
            if ["cut", "text"].contains(&what) {
                let raw = Connection::open(&file).unwrap();
                raw.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            }
        }
        damage(&file);
        let before: Vec<(u64, Vec<u8>)> = ["queue.db", "queue.db-wal"]
            .iter()
            .filter_map(|name| {
                let path = directory.path().join(name);
                Some((fs::metadata(&path).ok()?.ino(), fs::read(&path).unwrap()))
            })
            .collect();
        let mut store =
            Store::open(directory.path(), StoreOptions::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
        store.accept(&[event("contact.updated", "", "contact:late")], START).unwrap();
        for (inode, bytes) in before.iter().filter(|(_, bytes)| !bytes.is_empty()) {
            let kept: Vec<PathBuf> = fs::read_dir(directory.path())
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| fs::metadata(path).unwrap().ino() == *inode)
                .collect();
            assert_eq!(kept.len(), 1, "{what}");
            assert!(kept[0].to_str().unwrap().contains("queue.db.corrupt-"), "{what}: {kept:?}");
            assert!(fs::read(&kept[0]).unwrap() == *bytes, "{what}: it was changed");
        }
    }
}

#[test]
fn what_waits_for_a_retry_keeps_its_attempts_and_its_time() {
    let bed = Bed::new();
    bed.configure();
    bed.dispatch("contact:1").unwrap();
    let before = {
        let raw = Connection::open(bed.file()).unwrap();
        bed.queue().stats(None).unwrap();
        raw.execute(
            "UPDATE delivery SET attempts = 1, due_at = 4000000000000, delay = 300000, last_error = 'refused'",
            [],
        )
        .unwrap();
        let attempt: i64 = raw.query_row("SELECT due_at FROM delivery", [], |row| row.get(0)).unwrap();
        attempt
    };
    assert_eq!(before, 4_000_000_000_000);
    bed.settle_log();
    bed.damage_pages(&[bed.root_of("tally")]);
    let _ = bed.queue().stats(None);
    bed.queue().work(Duration::from_millis(500));
    assert_eq!(bed.kept().len(), 1);
    let rows = bed.queue().deliveries(&Default::default()).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].attempts, rows[0].last_error.as_deref()), (1, Some("refused")));
    assert_eq!(bed.queue().stats(None).unwrap().0.pending, 1);
    assert!(bed.receiver.requests().is_empty());
}

#[test]
fn what_has_arrived_is_not_sent_again() {
    let bed = Bed::new();
    bed.configure();
    bed.dispatch_many(100);
    bed.work();
    assert_eq!(bed.receiver.requests().len(), 100);
    bed.dispatch("contact:late").unwrap();
    bed.settle_log();
    bed.damage_pages(&[bed.root_of("tally")]);
    let _ = bed.queue().stats(None);
    bed.work();
    // The last may have been on its way when the damage was found.
    assert_eq!((bed.kept().len(), bed.arrived().len()), (1, 101));
    assert!(bed.receiver.requests().len() <= 102);
}

#[test]
fn numbers_of_events_go_on_after_those_of_the_damaged_queue() {
    let bed = Bed::new();
    bed.configure();
    bed.dispatch_many(100);
    bed.settle_log();
    bed.damage_pages(&[bed.root_of("tally")]);
    let _ = bed.queue().stats(None);
    bed.dispatch("contact:late").unwrap();
    bed.work();
    let sequence = |record: &str| -> i64 {
        let requests = bed.receiver.requests();
        let found = requests.iter().find(|request| request.body.contains(record)).unwrap();
        let lines = found.head.to_lowercase();
        let line = lines.lines().find_map(|line| line.strip_prefix("webhook-sequence: ")).unwrap();
        line.trim().parse().unwrap()
    };
    assert!(sequence("contact:99") <= 100);
    assert!(sequence("contact:late") > 100);
}

#[test]
fn many_that_find_the_damage_at_once_set_one_file_aside_and_lose_nothing() {
    for _ in 0..5 {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("queue.db"), [0xa5; 40_000]).unwrap();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let path = directory.path();
                scope.spawn(move || {
                    let mut store = Store::open(path, StoreOptions::default()).unwrap();
                    store.accept(&[event("contact.updated", "", &format!("contact:{number}"))], START).unwrap();
                });
            }
        });
        let names: Vec<String> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains(".corrupt-"))
            .collect();
        assert_eq!(names.len(), 2, "file and note: {names:?}");
        let raw = Connection::open(directory.path().join("queue.db")).unwrap();
        let events: i64 = raw.query_row("SELECT count(*) FROM event WHERE record <> ''", [], |row| row.get(0)).unwrap();
        assert_eq!(events, 8);
    }
}

#[test]
fn a_file_that_is_damaged_over_and_over_is_not_set_aside_for_ever() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("queue.db");
    for _ in 0..10 {
        fs::write(&file, [0xa5; 5000]).unwrap();
        drop(Store::open(directory.path(), StoreOptions::default()).unwrap());
        fs::remove_file(directory.path().join("queue.db-wal")).unwrap();
    }
    fs::write(&file, [0xa5; 5000]).unwrap();
    let (kind, message) = trouble(Store::open(directory.path(), StoreOptions::default()).err().unwrap());
    assert_eq!(kind, Trouble::Damaged);
    assert!(message.contains("disk checked") && message.contains(directory.path().to_str().unwrap()), "{message}");
    assert_eq!(fs::read(&file).unwrap(), [0xa5; 5000]);
}

#[test]
fn a_file_that_lost_a_table_is_damaged_and_one_of_another_program_is_not() {
    let directory = TempDir::new().unwrap();
    drop(Store::open(directory.path(), StoreOptions::default()).unwrap());
    let file = directory.path().join("queue.db");
    Connection::open(&file).unwrap().execute_batch("DROP TABLE attempt").unwrap();
    drop(Store::open(directory.path(), StoreOptions::default()).unwrap());
    assert!(
        fs::read_dir(directory.path())
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_str().unwrap().starts_with("queue.db.corrupt-") })
    );
}
