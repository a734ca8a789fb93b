//! Waiting for the disk together: of the processes that have committed, one syncs the write-ahead log for all.
//!
//! With [`super::SyncMode::Full`] a commit is written as with `Normal`: it is in the log, and SQLite's write lock is free
//! again. Then its process waits for a sync that has begun after it. Each sync has a number. Whoever holds an `flock` on
//! `sync.lock` counts the syncs begun in that file, syncs, and counts them done; a commit is on disk when the sync after
//! the last one that it has seen begun is done. The kernel frees the lock when its holder dies.
//!
//! What a checkpoint has moved is on disk too: SQLite syncs the log before it moves anything, and the file before a log
//! whose pages are all moved may begin anew (`walCheckpoint`); the new log's first page is synced before any other is
//! written (`walFrames`).

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::files::open_private_file;
use super::{Store, SyncMode};
use crate::error::{Error, Result, Trouble};

const FILE: &str = "sync.lock";

/// Another process's sync is waited for so long. Then this one syncs by itself: the other may be frozen.
const PATIENCE: Duration = Duration::from_millis(50);

/// While another syncs, it is looked at four times in the time that the last sync took, within these bounds.
const SHORTEST_NAP: Duration = Duration::from_micros(20);
const LONGEST_NAP: Duration = Duration::from_millis(1);

/// What a process needs to wait for the disk.
pub(super) struct Syncing {
    log: OwnedFd,
    log_path: PathBuf,
    log_identity: (u64, u64),
    board: OwnedFd,
    /// The sync whose end was waited for in vain.
    given_up: u64,
}

/// What `sync.lock` tells everybody. Written by the holder of its lock only.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Board {
    /// Syncs begun.
    begun: u64,
    /// The last that is done …
    done: u64,
    /// … and the last that failed: what was committed before it is not certain.
    failed: u64,
    /// The log that the last sync was about, device and inode.
    log: (u64, u64),
    /// Not 0: a sync of that log has failed, and none of its pages counts before all of it is in the file.
    unsound: u64,
    /// How long the last sync took, in microseconds.
    took: u64,
}

const WORDS: usize = 7;
const BYTES: usize = WORDS * 16;

impl Board {
    fn to_bytes(self) -> [u8; BYTES] {
        let words = [self.begun, self.done, self.failed, self.log.0, self.log.1, self.unsound, self.took];
        let mut bytes = [0; BYTES];
        for (part, word) in bytes.chunks_exact_mut(16).zip(words) {
            part[..8].copy_from_slice(&word.to_ne_bytes());
            part[8..].copy_from_slice(&(!word).to_ne_bytes());
        }
        bytes
    }

    /// `None` if it was read while it was being written.
    fn from_bytes(bytes: &[u8; BYTES]) -> Option<Self> {
        let mut words = [0; WORDS];
        for (part, word) in bytes.chunks_exact(16).zip(&mut words) {
            let (value, inverse) = part.split_at(8);
            *word = u64::from_ne_bytes(value.try_into().ok()?);
            if u64::from_ne_bytes(inverse.try_into().ok()?) != !*word {
                return None;
            }
        }
        let [begun, done, failed, device, inode, unsound, took] = words;
        Some(Board { begun, done, failed, log: (device, inode), unsound, took })
    }
}

impl Store {
    /// Waits until everything that was committed here is on disk, if the queue is used with [`SyncMode::Full`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the disk reports an error: what was committed is in the queue, and it is not certain that
    /// a power cut would leave it there.
    pub fn make_durable(&mut self) -> Result<()> {
        // Nobody may see the commit's pages later than what is read here of the syncs that have begun.
        fence(Ordering::SeqCst);
        let Some(mut syncing) = self.syncing.take() else { return Ok(()) };
        let done = syncing.wait(self);
        self.syncing = Some(syncing);
        done
    }
}

impl Syncing {
    /// For the queue in `directory`, whose log exists. What leads to the log is synced here once.
    pub fn begin(directory: &Path, store: &Store) -> Result<Option<Self>> {
        if store.options.sync != SyncMode::Full {
            return Ok(None);
        }
        let log = store.open_log_for_sync()?;
        let stat = rustix::fs::fstat(&log).map_err(|error| uncertain(&store.wal, error))?;
        let board = open_private_file(&directory.join(FILE))?;
        sync_directory(directory)?;
        directory.parent().map_or(Ok(()), sync_directory)?;
        let log_identity = (stat.st_dev, stat.st_ino);
        Ok(Some(Syncing { log, log_path: store.wal.clone(), log_identity, board, given_up: 0 }))
    }

    fn wait(&mut self, store: &Store) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut ticket = None;
        loop {
            if rustix::fs::flock(&self.board, FlockOperation::NonBlockingLockExclusive).is_ok() {
                let done = self.lead(store, ticket);
                // Freed at once: a descriptor that is closed later would keep it.
                let _ = rustix::fs::flock(&self.board, FlockOperation::Unlock);
                return done;
            }
            let Some(board) = self.read() else { return self.sync() };
            let ticket = *ticket.get_or_insert(board.begun + 1);
            if board.failed >= ticket && board.log == self.log_identity {
                return Err(uncertain(&self.log_path, Errno::IO));
            }
            if self.is_covered(&board, ticket) {
                return Ok(());
            }
            if self.given_up == board.begun || Instant::now() >= deadline {
                self.given_up = board.begun;
                return match board.unsound {
                    0 => self.sync(),
                    _ => Err(uncertain(&self.log_path, Errno::IO)),
                };
            }
            std::thread::sleep((Duration::from_micros(board.took) / 4).clamp(SHORTEST_NAP, LONGEST_NAP));
        }
    }

    fn is_covered(&self, board: &Board, ticket: u64) -> bool {
        board.done >= ticket && board.log == self.log_identity && board.unsound == 0
    }

    /// Syncs for all; the lock is held. Another may have done so before it was.
    fn lead(&self, store: &Store, ticket: Option<u64>) -> Result<()> {
        let mut board = self.read().unwrap_or_default();
        if ticket.is_some_and(|ticket| self.is_covered(&board, ticket)) {
            return Ok(());
        }
        if board.log != self.log_identity {
            (board.log, board.unsound) = (self.log_identity, 0);
        }
        board.begun += 1;
        if self.write(&board).is_err() {
            return self.sync();
        }
        fence(Ordering::SeqCst);
        let began = Instant::now();
        let done = if board.unsound == 0 { self.sync() } else { store.move_all() };
        match done {
            Ok(()) => (board.done, board.unsound) = (board.begun, 0),
            // Linux tells of a failure once and keeps the pages as if they were written: the next sync of this log could
            // succeed and say nothing about them.
            Err(_) => (board.failed, board.unsound) = (board.begun, 1),
        }
        board.took = began.elapsed().as_micros() as u64;
        let told = self.write(&board);
        done.and(told.map_err(|error| uncertain(&self.log_path, error)))
    }

    fn sync(&self) -> Result<()> {
        rustix::fs::fdatasync(&self.log).map_err(|error| uncertain(&self.log_path, error))?;
        let links = rustix::fs::fstat(&self.log).map_or(1, |stat| stat.st_nlink);
        if links == 0 {
            return Err(Error::unavailable(format!(
                "{} was deleted while it was in use: what was written to it is lost when the last process ends; reload PHP",
                self.log_path.display()
            )));
        }
        Ok(())
    }

    fn read(&self) -> Option<Board> {
        const TRIES: usize = 100;
        for _ in 0..TRIES {
            let mut bytes = [0; BYTES];
            match rustix::io::pread(&self.board, &mut bytes[..], 0) {
                Ok(0) => return Some(Board::default()),
                Ok(BYTES) => {
                    if let Some(board) = Board::from_bytes(&bytes) {
                        return Some(board);
                    }
                }
                _ => return None,
            }
        }
        None
    }

    fn write(&self, board: &Board) -> rustix::io::Result<()> {
        match rustix::io::pwrite(&self.board, &board.to_bytes(), 0)? {
            BYTES => Ok(()),
            _ => Err(Errno::IO),
        }
    }
}

/// Syncs a directory's entries.
fn sync_directory(directory: &Path) -> Result<()> {
    let opened = rustix::fs::open(directory, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    match opened.and_then(|opened| rustix::fs::fsync(&opened)) {
        // Some file systems keep no directories to sync; one above ours may not be ours to open.
        Err(Errno::INVAL | Errno::ACCESS) | Ok(()) => Ok(()),
        Err(error) => Err(uncertain(directory, error)),
    }
}

fn uncertain(path: &Path, error: Errno) -> Error {
    let trouble = if error == Errno::NOSPC || error == Errno::DQUOT { Trouble::DiskFull } else { Trouble::Disk };
    Error::trouble(
        trouble,
        format!(
            "{} could not be synced: {error}; what was written may be kept, but that is not certain; see df and the system's log",
            path.display()
        ),
    )
}
