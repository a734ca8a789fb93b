//! Moving what is in the write-ahead log into the file, so that the log does not grow for ever. Pages do not pay for it.

use std::cell::Cell;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::files::size;
use super::{Patience, Store, failed};
use crate::error::{Error, Result, Trouble};

/// The dispatcher checkpoints after so many pages, 4 MiB: enough that a page of the file is written once for many
/// changes, few enough to stay in the machine's cache.
const PAGES_WITH_DISPATCHER: u32 = 1024;

/// Without a dispatcher to do it, `dispatch()` does, after 64 MiB.
const PAGES_WITHOUT_DISPATCHER: u32 = 16 * 1024;

/// The log's file is cut to this, 16 MiB, when the log is begun anew after a backlog.
pub(super) const LOG_FILE_BYTES: &str = "16777216";

/// What pages commit while a checkpoint runs is left; another pass takes that too, and has less to do.
const PASSES: u32 = 4;

/// The write-ahead log, as one connection sees it. Its file is longer than the log, so the file's size says nothing.
#[derive(Default)]
pub(super) struct Log {
    /// Pages in it after this connection's last commit.
    pages: Arc<AtomicU32>,
    checkpointed: Cell<u32>,
    /// Whether the log has to be moved before anything is added to it.
    moved_first: Cell<bool>,
}

impl Log {
    /// Counts from now on. Takes the place of SQLite's own automatic checkpoints.
    pub fn watch(connection: &mut Connection) -> Result<Self> {
        let log = Log::default();
        let pages = log.pages.clone();
        let count = move |_: &mut Wal, now: c_int| {
            pages.store(now as u32, Ordering::Relaxed);
            Ok(())
        };
        connection.wal_hook(Some(count)).map_err(failed)?;
        Ok(log)
    }
}

impl Store {
    /// Moves what is in the write-ahead log into the file, if enough has come together. For the dispatcher.
    /// Returns whether it did.
    pub fn checkpoint(&self) -> Result<bool> {
        self.checkpoint_past(PAGES_WITH_DISPATCHER)
    }

    /// The same for a page, where no dispatcher does it.
    pub(super) fn checkpoint_without_dispatcher(&self) -> Result<bool> {
        self.checkpoint_past(PAGES_WITHOUT_DISPATCHER)
    }

    /// Where the disk has or had too little room, the log is moved into the file and cut to nothing before anything is added
    /// to it. Otherwise pages fill what becomes free within a moment, with a log that can neither be moved nor begun anew.
    /// Who reads for long keeps it from being cut; that is tried again when the room is looked at next.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if there is still too little room.
    pub(crate) fn move_log_if_room_is_short(&mut self) -> Result<()> {
        if self.log.moved_first.get() {
            self.connection.busy_handler(Some(Patience::Chance.handler())).map_err(failed)?;
            let moved = self.pass("TRUNCATE");
            self.connection.busy_handler(Some(self.options.patience.handler())).map_err(failed)?;
            moved?;
            self.log.moved_first.set(false);
        }
        Ok(())
    }

    /// Takes note of how something ended that was to be written.
    pub(crate) fn note_end<T>(&self, done: &Result<T>) {
        // SQLite calls a quota that is used up an error of the disk.
        if matches!(done, Err(Error::Unavailable { trouble: Trouble::DiskFull | Trouble::Disk, .. })) {
            self.log.moved_first.set(true);
        }
    }

    /// Looks whether the disk has room for what is in the log. Returns how many bytes are free.
    pub(super) fn look_at_room(&self) -> u64 {
        let free = rustix::fs::statvfs(&self.file).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        if free < size(&self.wal) {
            self.log.moved_first.set(true);
        }
        free
    }

    /// Moves all of the log into the file, which is synced, and has the log begun anew. Waits for readers and writers.
    pub(super) fn move_all(&self) -> Result<()> {
        match self.pass("RESTART")? {
            Some(_) => Ok(()),
            None => {
                Err(Error::trouble(Trouble::Disk, "the write-ahead log of the queue cannot be moved into its file"))
            }
        }
    }

    fn checkpoint_past(&self, limit: u32) -> Result<bool> {
        let Log { pages, checkpointed, .. } = &self.log;
        let pages = pages.load(Ordering::Relaxed);
        if pages < checkpointed.get() {
            // The log was begun anew.
            checkpointed.set(0);
        }
        if pages - checkpointed.get() <= limit {
            return Ok(false);
        }
        // The log is begun anew only by a commit that finds all of it moved. Passive passes wait for nobody; pages that
        // never pause can stay ahead of them, and then, rarely, wait for the few pages that are left.
        let (mut before, mut complete) = (None, false);
        for _ in 0..PASSES {
            // Of what is committed while a pass runs it knows nothing: only the next one, which finds nothing new, can tell.
            let moved = self.pass("PASSIVE")?;
            complete = moved.is_some() && moved == before;
            if complete {
                break;
            }
            before = moved;
        }
        if !complete && pages > limit * 4 {
            self.pass("RESTART")?;
        }
        checkpointed.set(pages);
        Ok(true)
    }

    /// One pass. Returns how many pages are in the log if it has moved all of them.
    fn pass(&self, mode: &str) -> Result<Option<i64>> {
        let (busy, pages, moved): (i64, i64, i64) = self
            .connection
            .query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .map_err(failed)?;
        Ok((busy == 0 && pages == moved).then_some(pages))
    }
}
