//! The queue's directory and the files in it: nobody else's, and as root not root's.

use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use super::Identity;
use crate::error::{Error, Result, Trouble};

/// What to do when a process may open no more files.
pub(crate) const MORE_DESCRIPTORS: &str =
    "raise PHP's limit of open files (rlimit_files of PHP-FPM, LimitNOFILE, ulimit -n)";

/// What SQLite opens at once: the file, its log, the log's index, and one to spare.
const DESCRIPTORS_OF_SQLITE: usize = 4;

/// Whether this process may open no more files: SQLite says only that it could not open one, and has closed the others by
/// then.
pub(super) fn is_out_of_descriptors() -> bool {
    let opened = |_| rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC);
    let all: Vec<_> = (0..DESCRIPTORS_OF_SQLITE).map(opened).collect();
    all.iter().any(|one| matches!(one, Err(Errno::MFILE | Errno::NFILE)))
}

/// Makes the queue's directory with mode 0700 if it is missing, with its parents. A root process gives what it
/// makes to the owner of the directory it makes it in, so that WP-CLI run as root locks no web server out.
///
/// # Errors
/// [`Error::Unavailable`] naming the directory and what to do.
pub(crate) fn create_directory(directory: &Path) -> Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_directory(parent)?;
    }
    match rustix::fs::mkdir(directory, Mode::RWXU) {
        Ok(()) => give_to_owner_of_parent(directory),
        Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(error) => Err(Error::trouble(
            trouble(error),
            format!(
                "cannot make the directory {}: {error}; make it and let PHP's user own it, or set posthorn.data_dir to one that PHP can write",
                directory.display()
            ),
        )),
    }
}

/// Opens a file for reading and writing; makes it with mode 0600 if it is missing.
///
/// # Errors
/// [`Error::Unavailable`] naming the file and what to do.
pub(crate) fn open_private_file(path: &Path) -> Result<OwnedFd> {
    open_private(path, OFlags::empty())
}

/// As [`open_private_file`], for writing at its end.
///
/// # Errors
/// As there.
pub(crate) fn open_private_log(path: &Path) -> Result<OwnedFd> {
    open_private(path, OFlags::APPEND)
}

/// The directory may be another user's, who must not be able to have root write elsewhere by a link in it.
fn open_private(path: &Path, more: OFlags) -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | more;
    let open = |flags| rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR);
    let (file, is_new) = match open(flags | OFlags::CREATE | OFlags::EXCL) {
        Err(Errno::EXIST) => (open(flags | OFlags::CREATE), false),
        made => (made, true),
    };
    let file = file.map_err(|error| {
        let remedy = match error {
            Errno::MFILE | Errno::NFILE => MORE_DESCRIPTORS,
            Errno::LOOP => "it is a symbolic link, which is not followed; delete it",
            _ => "let PHP's user own the directory and every file in it, and leave it room",
        };
        Error::trouble(trouble(error), format!("cannot open {}: {error}; {remedy}", path.display()))
    })?;
    let is_ours =
        |stat: &rustix::fs::Stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink <= 1;
    if !rustix::fs::fstat(&file).is_ok_and(|stat| is_ours(&stat)) {
        return Err(Error::trouble(
            Trouble::Permission,
            format!(
                "{} is not a file of its own but a pipe, a device or a link to another file; delete it",
                path.display()
            ),
        ));
    }
    if is_new {
        give_to_owner_of_parent(path)?;
    }
    Ok(file)
}

/// Of which kind a failed system call is.
fn trouble(error: Errno) -> Trouble {
    match error {
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Trouble::DiskFull,
        Errno::IO => Trouble::Disk,
        Errno::MFILE | Errno::NFILE => Trouble::Other,
        _ => Trouble::Permission,
    }
}

/// As root, gives `path` to the owner of the directory it is in.
pub(crate) fn give_to_owner_of_parent(path: &Path) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let Some(parent) = path.parent() else { return Ok(()) };
    rustix::fs::stat(parent)
        .and_then(|stat| {
            let (owner, group) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
            // What has come to its place meanwhile is not followed elsewhere.
            rustix::fs::chownat(CWD, path, Some(owner), Some(group), AtFlags::SYMLINK_NOFOLLOW)
        })
        .map_err(|error| {
            Error::unavailable(format!("cannot give {} to the owner of its directory: {error}", path.display()))
        })
}

/// What tells a file from another that has come to its place: device and inode. `None` if there is none.
pub(crate) fn identity(path: &Path) -> Identity {
    path.metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok()
}

/// The queue's file with its log and its index: which ones they are, each `None` if it is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    pub file: Identity,
    pub log: Identity,
    pub index: Identity,
}

impl Files {
    /// What is in the place of `file` now.
    pub fn in_place(file: &Path) -> Self {
        Files {
            file: identity(file),
            log: identity(&with_suffix(file, "-wal")),
            index: identity(&with_suffix(file, "-shm")),
        }
    }

    /// Whether the file is still this one, but its log or index is gone or another.
    pub fn have_lost_log(&self, now: &Files) -> bool {
        now.file.is_some() && self.file == now.file && self != now
    }
}

/// `path` with `suffix` at the end of its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A file's size in bytes, 0 if there is none.
pub(super) fn size(path: &Path) -> u64 {
    path.metadata().map(|metadata| metadata.len()).unwrap_or(0)
}
