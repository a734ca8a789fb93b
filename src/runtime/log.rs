//! `posthorn.log` in the queue's directory: bounded, mode 0600, opened for each line, because lines are rare
//! and PHP's own log belongs to PHP.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::FlockOperation;

use crate::clock::{Clock, SystemClock, iso_millis, parse_iso};
use crate::error::Result;
use crate::store::open_private_log;

/// Past this size the log becomes `posthorn.log.1` and a new one is begun: two files of a megabyte.
const MAX_BYTES: u64 = 1024 * 1024;

/// A line is cut here, so that no error can fill the log at once.
const MAX_LINE: usize = 2_000;

/// So much of the log's end is read to see what was said last.
const LAST_BYTES: i64 = 4_096;

/// The log of a queue.
#[derive(Clone, Debug)]
pub struct Log {
    path: PathBuf,
}

impl Log {
    /// The log of the queue in `directory`.
    pub fn new(directory: &Path) -> Self {
        Log { path: directory.join("posthorn.log") }
    }

    /// Writes one line. A log that cannot be written is no reason to fail.
    pub fn write(&self, message: &str) {
        let mut line: String = message.chars().take(MAX_LINE).map(|c| if c.is_control() { ' ' } else { c }).collect();
        line.push('\n');
        if self.path.metadata().is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
            let _ = std::fs::rename(&self.path, self.path.with_extension("log.1"));
        }
        if let Ok(mut file) = self.open() {
            let at = iso_millis(SystemClock.now());
            let _ = file.write_all(format!("{at} [{}] {line}", std::process::id()).as_bytes());
        }
    }

    fn open(&self) -> Result<File> {
        Ok(File::from(open_private_log(&self.path)?))
    }

    /// Writes a line unless one of the processes of this queue has written the same within `lately`: what every stand-by
    /// notices is said once.
    pub fn write_if_news(&self, message: &str, lately: Duration) {
        let Ok(mut file) = self.open() else { return };
        // Whoever looks and writes is alone. It is freed when the file is closed; a frozen process may hold it.
        for _ in 0..20 {
            if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if !was_said(&mut file, message, SystemClock.now() - lately.as_millis() as i64) {
            self.write(message);
        }
    }
}

/// Whether the end of the log has `message` in a line written after `since`.
fn was_said(file: &mut File, message: &str, since: i64) -> bool {
    let mut end = Vec::new();
    let _ = file.seek(SeekFrom::End(-LAST_BYTES)).or_else(|_| file.seek(SeekFrom::Start(0)));
    let _ = file.read_to_end(&mut end);
    String::from_utf8_lossy(&end).lines().any(|line| {
        let at = line.split(' ').next().and_then(parse_iso);
        line.ends_with(message) && at.is_some_and(|at| at >= since)
    })
}
