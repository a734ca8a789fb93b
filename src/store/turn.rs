//! The turn to open a queue: one process at a time.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::files::{Files, open_private_file};
use super::wait_for_writer;
use crate::error::{Error, Result};

/// Tries to have the turn, about two seconds of them.
const PATIENCE_TO_OPEN: i32 = 25_000;

/// Lets one process at a time open a queue: two that make a new file one would see each other's half-made journal. A
/// process that is frozen while it opens delays the others, but not for ever.
pub(super) fn take_turn_to_open(directory: &Path) -> Result<Turn> {
    let file = open_private_file(&directory.join("open.lock"))?;
    for tries in 0..PATIENCE_TO_OPEN {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Turn { held: true, file }),
            Err(Errno::WOULDBLOCK | Errno::INTR) => wait_for_writer(tries),
            Err(error) => {
                return Err(Error::unavailable(format!(
                    "the file system of {} keeps no locks: {error}; put posthorn.data_dir on a local file system",
                    directory.display()
                )));
            }
        };
    }
    Ok(Turn { held: false, file })
}

/// The turn to open, until it is dropped.
pub(super) struct Turn {
    /// Whether this process has it, and not only lost its patience.
    pub held: bool,
    file: OwnedFd,
}

impl Turn {
    /// Notes in the turn's own file which log belongs to which file, for whoever finds another file beside it.
    pub fn remember(&self, files: &Files) {
        let text = pair(files);
        if self.held && !text.is_empty() && self.remembered() != text {
            let _ = rustix::fs::ftruncate(&self.file, 0);
            let _ = rustix::io::pwrite(&self.file, text.as_bytes(), 0);
        }
    }

    fn remembered(&self) -> String {
        let mut text = [0u8; 128];
        let read = rustix::io::pread(&self.file, &mut text, 0).unwrap_or(0);
        String::from_utf8_lossy(&text[..read]).into_owned()
    }

    /// Whether `files` are another file beside the log of the last one: it was moved there, from a backup for example.
    pub fn has_foreign_log(&self, files: &Files) -> bool {
        let now = pair(files);
        match (self.remembered().split_once(' '), now.split_once(' ')) {
            (Some((file, log)), Some((file_now, log_now))) => file != file_now && log == log_now,
            _ => false,
        }
    }
}

/// File and log by device and inode; empty if one is missing.
fn pair(files: &Files) -> String {
    match (files.file, files.log) {
        (Some(file), Some(log)) => format!("{}:{} {}:{}", file.0, file.1, log.0, log.1),
        _ => String::new(),
    }
}
