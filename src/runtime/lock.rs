//! Who sends: whoever holds an exclusive `flock` on `dispatcher.lock`. The kernel frees it when its holder dies.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FlockOperation, Mode, OFlags};

use super::descriptors::{Descriptors, Listed};
use super::host;
use crate::error::{Error, Result, Trouble};
use crate::store::{identity, open_private_file};

const FILE: &str = "dispatcher.lock";

/// How often the list of locks is read before the holder counts as not shown.
const READS: usize = 3;

/// The lock, held.
#[derive(Debug)]
pub(super) struct Lock(Listed);

impl Lock {
    /// Whether the lock's file is still the one that is held. `None`: there is none.
    pub fn is_in_place(&self, directory: &Path) -> Option<bool> {
        let held = rustix::fs::fstat(&self.0).map(|stat| (stat.st_dev, stat.st_ino)).ok();
        let in_place = identity(&directory.join(FILE));
        in_place.is_some().then_some(held == in_place)
    }

    /// Takes the lock if it is free. Never waits: a thread that waits in `flock` with its signals blocked
    /// could not be stopped.
    pub fn try_take(directory: &Path, descriptors: &Arc<Descriptors>) -> Result<Option<Self>> {
        let taken = descriptors.open(|| {
            let file = open_private_file(&directory.join(FILE)).map_err(Some)?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    let holder = format!("{} {}\n", std::process::id(), host::name());
                    let _ = rustix::fs::ftruncate(&file, 0);
                    let _ = rustix::io::pwrite(&file, holder.as_bytes(), 0);
                    Ok(file)
                }
                Err(rustix::io::Errno::WOULDBLOCK) => Err(None),
                Err(error) => Err(Some(Error::unavailable(format!(
                    "{FILE} in the queue's directory cannot be locked: {error}; put posthorn.data_dir on a local file system"
                )))),
            }
        });
        match taken {
            Ok(file) => Ok(Some(Lock(file))),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }
}

/// The process that holds the lock and what it is (`4711 fpm-fcgi`), `None` when nobody does.
pub(super) fn holder(directory: &Path) -> Result<Option<String>> {
    // Not made if it is missing: whoever only looks leaves nothing behind.
    let file = match rustix::fs::open(directory.join(FILE), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => file,
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(error) => {
            return Err(Error::trouble(
                Trouble::Permission,
                format!(
                    "cannot open {FILE} in {}: {error}; let PHP's user own the directory and every file in it",
                    directory.display()
                ),
            ));
        }
    };
    // Shared, so that two that look at once do not see each other; it is freed when the file is closed.
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(None),
        Err(_) => {
            let mut text = [0u8; 64];
            let read = rustix::io::pread(&file, &mut text, 0).unwrap_or(0);
            Ok(Some(String::from_utf8_lossy(&text[..read]).trim().to_owned()))
        }
    }
}

/// The holder's process number as this process sees it, by proc_locks(5): `1: FLOCK  ADVISORY  WRITE 4711 fe:00:393 0 EOF`.
/// `None` where the kernel does not show it, as to another container: the number in the file is then another process's.
pub(super) fn holder_as_seen_here(directory: &Path) -> Option<i32> {
    let (device, inode) = identity(&directory.join(FILE))?;
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    // The kernel writes the list piece by piece; what others lock meanwhile may push a line out of it.
    (0..READS).find_map(|_| holder_in(&std::fs::read_to_string("/proc/locks").ok()?, major, minor, inode))
}

/// The holder, by the text of `/proc/locks`.
fn holder_in(locks: &str, major: u32, minor: u32, inode: u64) -> Option<i32> {
    let holders = |place: &dyn Fn(&str) -> bool| {
        let found = locks.lines().filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [_, "FLOCK", _, "WRITE", pid, at, ..] = words[..] else { return None };
            place(at).then(|| pid.parse::<i32>().ok()).flatten().filter(|pid| *pid > 0)
        });
        found.collect::<BTreeSet<_>>()
    };
    let exactly = holders(&|at| at == format!("{major:02x}:{minor:02x}:{inode}"));
    // Btrfs and overlay have one device for the kernel and another for stat(2).
    let by_inode = || holders(&|at| at.ends_with(&format!(":{inode}")));
    let found = if exactly.is_empty() { by_inode() } else { exactly };
    (found.len() == 1).then(|| found.first().copied()).flatten()
}
