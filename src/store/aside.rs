//! A damaged queue file is set aside, never deleted, and the queue is begun anew in its place.
//!
//! `queue.db` with its log and index becomes `queue.db.corrupt-20261121T101500Z…`; a text file beside it says why and what
//! to do. The new queue is given the old one's endpoints before anybody else opens it: without them it would accept
//! events for nobody. What waited is taken over later, see [`super::salvage`].

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Row};

use super::endpoints::{LaneChange, STANDING, read_standing, stored_endpoint, write_standing};
use super::files::{Files, identity, size, with_suffix};
use super::{FILE, Identity, Store, StoreOptions, Turn, failed, open_private_file};
use crate::clock::{Clock, SystemClock, iso_seconds};
use crate::error::{Error, Result, Trouble};
use crate::event::EventId;

/// A file that is damaged again and again is a failing disk: no more than so many are set aside.
const MOST_KEPT: usize = 10;

/// Between the numbers of the old queue's events and the new one's: for what others accept in the old one until they
/// notice.
const GAP: i64 = 10_000;

/// A log begins with one of these (https://www.sqlite.org/fileformat2.html, section 4.1), or with zeros while it is empty.
const LOG_MAGIC: [[u8; 4]; 3] = [[0x37, 0x7f, 0x06, 0x82], [0x37, 0x7f, 0x06, 0x83], [0; 4]];

/// Another process that reads what was set aside is waited for so long.
const PATIENCE: Duration = Duration::from_millis(500);

/// Finds what SQLite would pass over in silence: a log without its file, a file that was emptied beside its log, a log
/// that is none. In each case SQLite would begin with less than was accepted, and delete the rest. The log of another file it
/// would write into this one; that is set aside here, and what is to be logged is returned.
pub(super) fn look_at_log(directory: &Path, file: &Path, wal: &Path, turn: &Turn) -> Result<Option<String>> {
    if turn.has_foreign_log(&Files::in_place(file)) {
        let kept = free_name(directory)?;
        move_beside(file, &kept)?;
        return Ok(Some(format!(
            "another file was put into the place of queue.db, from a backup perhaps, and is used as it is; the log of the one \
             before was set aside as {}. What was accepted since that backup is lost, and what it holds as waiting is sent again",
            with_suffix(&kept, "-wal").display()
        )));
    }
    if size(wal) == 0 {
        return Ok(None);
    }
    if !file.exists() {
        // Somebody was killed while he set it aside.
        let kept = match set_aside_files(directory).pop() {
            // The note is written when all is moved.
            Some(kept) if !with_suffix(&kept, "-wal").exists() && !note_of(&kept).exists() => kept,
            _ => free_name(directory)?,
        };
        return move_beside(file, &kept).map(|()| None);
    }
    if size(file) == 0 {
        return Err(damage("the file is empty, but its log is not"));
    }
    // SQLite takes no lock on the log, so closing it frees none.
    let mut magic = [0; 4];
    let read = std::fs::File::open(wal).and_then(|mut log| log.read_exact(&mut magic));
    if read.is_ok() && !LOG_MAGIC.contains(&magic) { Err(damage("its write-ahead log is none")) } else { Ok(None) }
}

/// The error that has the queue set aside.
pub(super) fn damage(what: &str) -> Error {
    Error::trouble(Trouble::Damaged, format!("the queue cannot be used: {what}; the queue file is damaged"))
}

/// Sets the damaged queue aside and begins it anew with the endpoints of the old one.
///
/// # Errors
/// [`Error::Unavailable`] if that cannot be done now.
pub(super) fn begin_anew(directory: &Path, options: StoreOptions, turn: &Turn, cause: &Error) -> Result<Store> {
    if !turn.held {
        return Err(Error::trouble(
            Trouble::Damaged,
            "the queue file is damaged and another process is dealing with it; this is tried again",
        ));
    }
    let file = directory.join(FILE);
    let kept = free_name(directory)?;
    std::fs::rename(&file, &kept).map_err(|error| {
        let remedy = format!("let PHP's user own {} and what is in it", directory.display());
        Error::trouble(Trouble::Damaged, format!("{cause}, and cannot be set aside ({error}); {remedy}"))
    })?;
    move_beside(&file, &kept)?;
    let bytes = size(&kept) + size(&with_suffix(&kept, "-wal"));
    write_note(&kept, &cause.to_string(), bytes);
    let mut store = Store::open_in_turn(directory, options, turn)?;
    let endpoints = store.carry_over(&kept)?;
    store.news = Some(format!(
        "{cause}. It was set aside as {} ({bytes} bytes) and the queue was begun anew, with {endpoints} endpoints. \
         What was accepted just before may be in it only; what waits in it is taken over as far as it can be read",
        kept.display()
    ));
    Ok(store)
}

/// The queue files that were set aside, the oldest first.
pub(super) fn set_aside_files(directory: &Path) -> Vec<PathBuf> {
    let is_one = |name: &OsStr| {
        let name = name.to_string_lossy();
        name.strip_prefix(&format!("{FILE}.corrupt-"))
            .is_some_and(|rest| !["-wal", "-shm", ".txt"].iter().any(|suffix| rest.ends_with(suffix)))
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| is_one(&entry.file_name()))
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

/// Whether that log lies beside a file that was set aside from the place of `file`.
pub(super) fn is_kept(file: &Path, log: Identity) -> bool {
    let directory = file.parent().unwrap_or(file);
    set_aside_files(directory).iter().any(|kept| identity(&with_suffix(kept, "-wal")) == log)
}

/// The text beside a file that was set aside.
pub(super) fn note_of(kept: &Path) -> PathBuf {
    with_suffix(kept, ".txt")
}

/// Opens a file that was set aside, to read. Its log and index are used, and nothing in it or its log changes.
pub(super) fn open_kept(kept: &Path) -> Result<Connection> {
    if size(kept) == 0 {
        // SQLite would delete its log.
        return Err(damage("the file is empty"));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(kept, flags).map_err(failed)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    connection.execute_batch("PRAGMA query_only = on").map_err(failed)?;
    Ok(connection)
}

/// A name for what is set aside now, which nothing has yet.
fn free_name(directory: &Path) -> Result<PathBuf> {
    let kept = set_aside_files(directory);
    if kept.len() >= MOST_KEPT {
        return Err(Error::trouble(
            Trouble::Damaged,
            format!(
                "the queue file is damaged, and {MOST_KEPT} damaged ones are kept in {} already: have the server's disk checked, and move them away",
                directory.display()
            ),
        ));
    }
    let stamp = iso_seconds(SystemClock.now()).replace(['-', ':'], "");
    let names = (1..).map(|number| match number {
        1 => directory.join(format!("{FILE}.corrupt-{stamp}")),
        _ => directory.join(format!("{FILE}.corrupt-{stamp}-{number}")),
    });
    let is_free = |name: &PathBuf| ["", "-wal", "-shm"].iter().all(|suffix| !with_suffix(name, suffix).exists());
    Ok(names.take(MOST_KEPT * 2).find(is_free).unwrap_or_else(|| directory.join(format!("{FILE}.corrupt-{stamp}-x"))))
}

/// Moves log and index after their file. Others that have them open go on with them under the new name.
fn move_beside(file: &Path, kept: &Path) -> Result<()> {
    for suffix in ["-wal", "-shm"] {
        match std::fs::rename(with_suffix(file, suffix), with_suffix(kept, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::trouble(
                    Trouble::Damaged,
                    format!("{} cannot be set aside: {error}", with_suffix(file, suffix).display()),
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Says beside the file what it is. Without the text the file is kept all the same.
fn write_note(kept: &Path, cause: &str, bytes: u64) {
    let name = kept.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = format!(
        "{name}: the webhook queue of Posthorn until {}, when it was found damaged. {bytes} bytes, with its log.\n\
         Cause: {cause}\n\
         The queue was begun anew. This file is kept and not used any more; see whether the disk is in order.\n\
         To read what is left in it: sqlite3 {name} .recover | sqlite3 recovered.db\n\
         To be rid of it: rm {name}*\n",
        iso_seconds(SystemClock.now())
    );
    add_to_note(kept, &text);
}

/// Adds to the text beside a file that was set aside.
pub(super) fn add_to_note(kept: &Path, text: &str) {
    if let Ok(file) = open_private_file(&note_of(kept)) {
        let mut file = std::fs::File::from(file);
        let _ = std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).and_then(|_| file.write_all(text.as_bytes()));
    }
}

impl Store {
    /// Takes over sites and endpoints of a queue that was set aside, as far as they can be read, with their keys but
    /// without a revision: whoever has the settings hands them over anew. Numbers of events go on after the old ones.
    /// Returns how many endpoints.
    fn carry_over(&mut self, kept: &Path) -> Result<usize> {
        let now = SystemClock.now();
        let old = open_kept(kept).ok();
        let old = old.as_ref();
        type Endpoint = (i64, String, String, String, String, bool, Option<String>, i64, i64);
        let endpoint = |row: &Row| -> rusqlite::Result<Endpoint> {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
                row.get(5)?,
                row.get(6)?,
                row.get(7)?,
                row.get(8)?,
            ))
        };
        let endpoints: Vec<Endpoint> = old
            .map(|old| {
                readable(
                    old,
                    "SELECT key, site, id, url, settings, removed, suspended, paused_until, throttled FROM endpoint",
                    endpoint,
                )
            })
            .unwrap_or_default()
            .into_iter()
            .filter(|endpoint| stored_endpoint(&endpoint.4).is_ok())
            .collect();
        // A file of an earlier version has no more of it than the above.
        let standings: Vec<LaneChange> = old
            .map(|old| {
                readable(old, &format!("SELECT key, {STANDING} FROM endpoint"), |row| {
                    Ok(LaneChange { key: row.get(0)?, epoch: 0, standing: read_standing(row, 1)? })
                })
            })
            .unwrap_or_default();
        let sites: Vec<(String, bool)> = old
            .map(|old| readable(old, "SELECT site, paused FROM site", |row| Ok((row.get(0)?, row.get(1)?))))
            .unwrap_or_default();
        // Without the last number, the milliseconds since 1970: no queue has had so many events.
        let last =
            match old.map(|old| old.query_row("SELECT max(seq) FROM event", [], |row| row.get::<_, Option<i64>>(0))) {
                Some(Ok(last)) => last.map_or(0, |last| last + GAP),
                _ => now,
            };
        let transaction = self.connection.transaction().map_err(failed)?;
        let write = || -> rusqlite::Result<()> {
            for endpoint in &endpoints {
                transaction.execute(
                    "INSERT OR IGNORE INTO endpoint (key, site, id, url, settings, removed, suspended, paused_until, throttled)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                    (
                        endpoint.0,
                        &endpoint.1,
                        &endpoint.2,
                        &endpoint.3,
                        &endpoint.4,
                        endpoint.5,
                        &endpoint.6,
                        endpoint.7,
                        endpoint.8,
                    ),
                )?;
            }
            for standing in &standings {
                write_standing(&transaction, standing)?;
            }
            // A site is known when its endpoints are.
            for site in endpoints.iter().map(|endpoint| &endpoint.1) {
                let paused = sites.iter().any(|(paused_site, paused)| paused_site == site && *paused);
                transaction.execute("INSERT OR IGNORE INTO site (site, paused) VALUES (?1, ?2)", (site, paused))?;
            }
            if last > 0 {
                // An event for nobody keeps the number.
                transaction.execute(
                    "INSERT INTO event (seq, id, name, site, record, accepted_at, targets, details, data)
                     VALUES (?1, ?2, 'queue.begun', '', '', ?3, '', '', '{}')",
                    (last, EventId::new(now).as_bytes(), now),
                )?;
                transaction.execute("UPDATE setup SET expanded = ?1, version = version + 1", [last])?;
            }
            Ok(())
        };
        write().map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(endpoints.len())
    }
}

/// The rows of a query, as far as they can be read.
pub(super) fn readable<T>(old: &Connection, sql: &str, read: impl Fn(&Row) -> rusqlite::Result<T>) -> Vec<T> {
    let mut found = Vec::new();
    if let Ok(mut statement) = old.prepare(sql)
        && let Ok(mut rows) = statement.query([])
    {
        while let Ok(Some(row)) = rows.next() {
            found.extend(read(row));
        }
    }
    found
}
