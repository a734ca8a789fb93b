//! Which process holds the queue's write lock, for who has to find and stop it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::FILE;
use super::files::with_suffix;
use crate::error::{Error, Trouble};

/// The byte of the index file that a writer locks (https://www.sqlite.org/walformat.html, section 2.3.2).
const WRITE_LOCK: u64 = 120;

/// Names the process that holds the lock of the queue in `directory`, if that is what `error` is about and the system tells.
pub(crate) fn naming_writer(mut error: Error, directory: &Path) -> Error {
    if let Error::Unavailable { message, trouble: Trouble::Locked } = &mut error
        && let Some(process) = writer(directory)
    {
        message.push_str(&format!("; it is {}", words(process)));
    }
    error
}

/// Looked up, not asked for: to ask, the file would have to be opened, and closing it frees this process's own locks.
fn writer(directory: &Path) -> Option<u32> {
    let index = with_suffix(&directory.join(FILE), "-shm").metadata().ok()?;
    let (major, minor) = (rustix::fs::major(index.dev()), rustix::fs::minor(index.dev()));
    let file = format!("{major:02x}:{minor:02x}:{}", index.ino());
    std::fs::read_to_string("/proc/locks").ok()?.lines().find_map(|line| {
        // `1: POSIX  ADVISORY  WRITE 4711 fe:00:12345 120 120`; one that waits has `->` behind its number.
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "POSIX", _, "WRITE", process, of, first, last] = fields[..] else { return None };
        let range = first.parse::<u64>().ok()?..=last.parse().unwrap_or(u64::MAX);
        // In another container its number is 0.
        (of == file && range.contains(&WRITE_LOCK)).then(|| process.parse().ok())?.filter(|process| *process > 0)
    })
}

fn words(process: u32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // `4711 (php-fpm8.2) T 1 …`
    let (name, rest) =
        stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).unwrap_or(("another program", ""));
    match rest.trim_start().chars().next() {
        Some('T' | 't') => format!(
            "process {process} ({name}), which is stopped: kill -CONT {process} lets it go on, kill -KILL {process} ends it"
        ),
        _ => format!("process {process} ({name})"),
    }
}
