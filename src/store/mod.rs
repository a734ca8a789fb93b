//! The queue: the durable store of endpoints, events, deliveries and attempts.
//!
//! One file an operation. SQL lives only here; nothing outside knows that it is SQLite, and no operation
//! assumes that all processes are on one machine.

mod accept;
mod aside;
mod checkpoint;
mod due;
mod endpoints;
mod files;
mod history;
mod intake;
mod limits;
mod patience;
mod prune;
mod replay;
mod salvage;
mod schema;
mod settle;
mod sync;
mod tally;
mod turn;
mod waiting;
mod writer;

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::ffi::SQLITE_IOERR_SHORT_READ;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{Mode, OFlags};

use crate::clock::Millis;
use crate::error::{Error, Result, Trouble};
use files::size;
use turn::{Turn, take_turn_to_open};

pub use accept::Accepted;
pub use due::Due;
pub(crate) use endpoints::LaneChange;
pub use endpoints::{EndpointState, Lane};
pub(crate) use files::{
    Files, MORE_DESCRIPTORS, create_directory, give_to_owner_of_parent, identity, open_private_file, open_private_log,
};
pub use history::{AttemptRow, DeliveryRow, Filter};
pub use patience::{Hurry, Patience};
pub(crate) use prune::Retention;
pub(crate) use salvage::Salvage;
pub use settle::{Change, Settlement};
pub use tally::Stats;
pub use waiting::Waiting;
pub(crate) use writer::naming_writer;

/// The queue's file in its directory.
pub(crate) const FILE: &str = "queue.db";

/// What tells a queue's file from another in its place: device and inode.
pub(crate) type Identity = Option<(u64, u64)>;

/// A delivery's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for its first or next attempt.
    Pending = 0,
    /// A receiver answered 2xx.
    Delivered = 1,
    /// Its schedule is used up, or it is too old.
    Dead = 2,
    /// The owner, or the removal of its endpoint, ended it.
    Cancelled = 3,
}

impl State {
    const ALL: [State; 4] = [State::Pending, State::Delivered, State::Dead, State::Cancelled];

    /// As the API names it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Delivered => "delivered",
            State::Dead => "dead",
            State::Cancelled => "cancelled",
        }
    }

    /// The state called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        State::ALL.into_iter().find(|state| state.as_str() == name)
    }

    fn from_stored(code: i64) -> Self {
        State::ALL.into_iter().find(|state| *state as i64 == code).unwrap_or(State::Cancelled)
    }
}

/// How `dispatch()` treats the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SyncMode {
    /// A commit survives the death of every process at once, and a power cut as soon as the dispatcher has
    /// synced it, milliseconds later.
    #[default]
    Normal,
    /// The same, and [`Store::make_durable`] waits for the disk.
    Full,
}

/// How to open a queue.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// How the disk is treated.
    pub sync: SyncMode,
    /// SQLite's page cache, in KiB.
    pub cache_kib: u32,
    /// Accepting is refused past this size of the queue on disk.
    pub max_bytes: u64,
    /// Accepting is refused while a delivery has been waiting for longer, in milliseconds. `None`: 30 days, or the longest
    /// `max_age` of an endpoint if that is more.
    pub max_pending_age: Option<Millis>,
    /// Whether this process may send what waits; it is given a second to do so before that limit holds.
    pub sends: bool,
    /// How long what was delivered is kept, in milliseconds; it holds for everybody who uses the queue. `None`: as it is.
    pub keep_delivered: Option<Millis>,
    /// The same of dead and cancelled deliveries.
    pub keep_dead: Option<Millis>,
    /// How long another writer is waited for.
    pub patience: Patience,
}

impl Default for StoreOptions {
    /// The page's store: a small cache, because every PHP process has one; 4 GiB at most on disk.
    fn default() -> Self {
        StoreOptions {
            sync: SyncMode::Normal,
            cache_kib: 512,
            max_bytes: 4 << 30,
            max_pending_age: None,
            sends: false,
            keep_delivered: None,
            keep_dead: None,
            patience: Patience::default(),
        }
    }
}

/// A connection to the queue of one directory.
pub struct Store {
    connection: Connection,
    wal: PathBuf,
    file: PathBuf,
    files: Files,
    options: StoreOptions,
    matcher: accept::Matcher,
    looks: limits::Looks,
    log: checkpoint::Log,
    syncing: Option<sync::Syncing>,
    news: Option<String>,
}

impl Store {
    /// Opens the queue in `directory`, which exists (see [`create_directory`]); makes it if there is none. A damaged file
    /// is set aside first, and the queue begun anew.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the file cannot be opened or written, or is not a queue of this version.
    pub fn open(directory: &Path, options: StoreOptions) -> Result<Self> {
        let turn = take_turn_to_open(directory)?;
        match Self::open_in_turn(directory, options, &turn) {
            Err(error) if error.is_damage() => aside::begin_anew(directory, options, &turn, &error),
            opened => opened,
        }
    }

    /// Sets the file aside that was found damaged while it was open, and begins the queue anew. If another process has
    /// done so already, the queue in its place is opened.
    pub(crate) fn replace(directory: &Path, options: StoreOptions, damaged: Identity, cause: &Error) -> Result<Self> {
        let turn = take_turn_to_open(directory)?;
        if identity(&directory.join(FILE)) != damaged {
            drop(turn);
            return Self::open(directory, options);
        }
        aside::begin_anew(directory, options, &turn, cause)
    }

    /// Opens until it is certain which files SQLite has open: a log that is replaced while it is opened, as when somebody
    /// restores a backup under running processes, would go unnoticed for ever.
    fn open_in_turn(directory: &Path, options: StoreOptions, turn: &Turn) -> Result<Self> {
        const OPENINGS: u32 = 5;
        let (mut store, mut before) = Self::open_once(directory, options, turn)?;
        for _ in 1..OPENINGS {
            if store.files == before {
                break;
            }
            let news = store.news.take();
            drop(store);
            (store, before) = Self::open_once(directory, options, turn)?;
            store.news = news.or(store.news);
        }
        Ok(store)
    }

    /// Opens, and tells which files were in place before.
    fn open_once(directory: &Path, options: StoreOptions, turn: &Turn) -> Result<(Self, Files)> {
        let file = directory.join(FILE);
        let wal = directory.join(format!("{FILE}-wal"));
        let news = if turn.held { aside::look_at_log(directory, &file, &wal, turn)? } else { None };
        if !file.exists() {
            // Made by SQLite it would have the process's umask. Never opened again beside SQLite: closing any descriptor
            // of it frees the process's locks.
            open_private_file(&file)?;
        }
        let before = Files::in_place(&file);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&file, flags).map_err(failed)?;
        connection.busy_handler(Some(options.patience.handler())).map_err(failed)?;
        let checked = schema::check_owner(&connection);
        if checked.as_ref().map_or_else(Error::is_damage, |()| true) {
            // Checkpoints belong to the dispatcher, also the one at closing; and what is damaged stays as it is.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(failed)?;
        }
        checked?;
        set(&connection, options, "journal_mode", "wal", "wal")?;
        // Also where commits wait for the disk: they do so without SQLite's lock, see `sync`.
        set(&connection, options, "synchronous", "normal", "1")?;
        set(&connection, options, "wal_autocheckpoint", "0", "0")?;
        set(&connection, options, "journal_size_limit", checkpoint::LOG_FILE_BYTES, checkpoint::LOG_FILE_BYTES)?;
        let cache = format!("-{}", options.cache_kib);
        set(&connection, options, "cache_size", &cache, &cache)?;
        schema::prepare(&mut connection)?;
        let log = checkpoint::Log::watch(&mut connection)?;
        connection.set_prepared_statement_cache_capacity(32);
        let matcher = accept::Matcher::default();
        let looks = limits::Looks::begin();
        let files = Files::in_place(&file);
        turn.remember(&files);
        let mut store = Store { connection, wal, file, files, options, matcher, looks, log, syncing: None, news };
        store.look_at_room();
        store.set_retention()?;
        store.syncing = sync::Syncing::begin(directory, &store)?;
        Ok((store, before))
    }

    /// What happened when this was opened and is to be logged: once.
    pub(crate) fn take_news(&mut self) -> Option<String> {
        self.news.take()
    }

    /// Which files are open here.
    pub(crate) fn files(&self) -> Files {
        self.files
    }

    /// Opens the write-ahead log for syncing it apart from any commit. SQLite takes no lock on that file, so
    /// closing a descriptor of it frees none.
    pub fn open_log_for_sync(&self) -> Result<OwnedFd> {
        rustix::fs::open(&self.wal, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| Error::unavailable(format!("cannot open {} for syncing: {error}", self.wal.display())))
    }

    /// Whether the queue's files are still those that are open here. If they were deleted or replaced, what is written to
    /// the open ones is seen by nobody else and ends with this process.
    pub fn is_in_place(&self) -> bool {
        Files::in_place(&self.file) == self.files
    }

    /// Before this is left because its files are not in their place: what is in a log that was deleted is moved into the file,
    /// as long as somebody has it open. Returns the damage if it is only the log that is gone.
    pub(crate) fn rescue_log(&self) -> Option<Error> {
        let now = Files::in_place(&self.file);
        if now.log != self.files.log && !aside::is_kept(&self.file, self.files.log) {
            // As far as it goes: whoever has written meanwhile does the same.
            let _ = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
        self.files.have_lost_log(&now).then(|| aside::damage("its write-ahead log was deleted or replaced"))
    }

    /// The queue's size on disk, in bytes.
    pub fn bytes(&self) -> u64 {
        size(&self.file) + size(&self.wal)
    }
}

/// Sets a pragma and reads it back: SQLite is silent about one that it does not know.
fn set(connection: &Connection, options: StoreOptions, name: &str, value: &str, read_back: &str) -> Result<()> {
    // The only value with a sign needs no quotes; names and values are constants of this file.
    let sql = format!("PRAGMA {name} = {value}");
    let mut tries = 0;
    // A new file's journal mode is changed under a lock that the busy handler is not asked about.
    while let Err(error) = connection.execute_batch(&sql) {
        if error.sqlite_error_code() != Some(rusqlite::ErrorCode::DatabaseBusy) || !options.patience.handler()(tries) {
            return Err(failed(error));
        }
        tries += 1;
    }
    let now: String = connection
        .pragma_query_value(None, name, |row| {
            Ok(match row.get_ref(0)? {
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                other => other.as_str().unwrap_or_default().to_owned(),
            })
        })
        .map_err(failed)?;
    if now == read_back {
        Ok(())
    } else {
        Err(Error::unavailable(format!(
            "the queue's {name} is {now} and cannot be set to {value}; is its file system one that keeps locks?"
        )))
    }
}

/// Waits for another writer: SQLite's own handler sleeps up to 100 ms at a time, far longer than any of our
/// transactions. Gives up after ten seconds at least; see [`Patience`].
fn wait_for_writer(tries: i32) -> bool {
    const YIELDS: i32 = 4;
    const NAP: Duration = Duration::from_micros(20);
    const TRIES: i32 = 120_000;
    if tries < YIELDS {
        std::thread::yield_now();
    } else {
        std::thread::sleep(NAP);
    }
    tries < TRIES
}

/// A failure of SQLite in the words of who can do something about it.
fn failed(error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    let (trouble, remedy) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => (Trouble::DiskFull, "the disk is full; free some room"),
        Some(ErrorCode::CannotOpen) if files::is_out_of_descriptors() => (Trouble::Other, MORE_DESCRIPTORS),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => (
            Trouble::Permission,
            "PHP's user must be able to write the queue's directory and every file in it, and its disk must not be read-only",
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            (Trouble::Locked, "another program holds the queue's lock; find and stop it")
        }
        // Shorter than its own index says.
        _ if error.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHORT_READ) => {
            (Trouble::Damaged, "the queue file is damaged")
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (Trouble::Damaged, "the queue file is damaged"),
        Some(ErrorCode::SystemIoFailure) => (
            Trouble::Disk,
            "the disk is full, has turned read-only or reports errors; see df, mount and the system's log",
        ),
        _ => (Trouble::Other, "see posthorn.log"),
    };
    Error::trouble(trouble, format!("the queue cannot be used: {error}; {remedy}"))
}
