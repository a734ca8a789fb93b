//! `posthorn.log` in the queue's directory: bounded, mode 0600, opened for each line, because lines are rare
//! and PHP's own log belongs to PHP.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::clock::{Clock, SystemClock, iso_millis};
use crate::store::give_to_owner_of_parent;

/// Past this size the log becomes `posthorn.log.1` and a new one is begun: two files of a megabyte.
const MAX_BYTES: u64 = 1024 * 1024;

/// A line is cut here, so that no error can fill the log at once.
const MAX_LINE: usize = 2_000;

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
        let is_new = !self.path.exists();
        let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path);
        if let Ok(mut file) = opened {
            if is_new {
                let _ = give_to_owner_of_parent(&self.path);
            }
            let at = iso_millis(SystemClock.now());
            let _ = file.write_all(format!("{at} [{}] {line}", std::process::id()).as_bytes());
        }
    }
}
