//! On which machine a queue was last used: two that share one would both send.
//!
//! What tells a machine is no single number. A host name is new with every container and the same in every copy of a
//! server; `/etc/machine-id` is missing from most containers and baked into some images; the kernel's boot id is the same
//! for all containers of a machine, but only until it restarts. So:
//!
//! 1. The same boot id is the same kernel, whatever else differs: its locks hold, two containers may share the queue.
//! 2. Otherwise two machine ids that are known decide.
//! 3. Without them, as in a container after its machine has restarted, the same host name or the same disk will do.
//!
//! Ids are kept as hashes, as machine-id(5) asks for.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::place::{Kind, Place};
use crate::error::{Error, Result};
use crate::store::open_private_file;

/// The file in the queue's directory.
const FILE: &str = "host";

/// A machine, as far as it can be told. What is not known is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// `/proc/sys/kernel/random/boot_id`, hashed.
    pub boot: String,
    /// `/etc/machine-id`, hashed.
    pub id: String,
    /// The host name.
    pub name: String,
    /// The file system that the queue is on.
    pub disk: String,
}

impl Machine {
    /// This one, for a queue in `directory`.
    pub fn here(directory: &Path) -> Self {
        let disk = Place::of(directory).filter(|place| place.kind == Kind::Local && place.id != 0);
        Machine {
            boot: hashed("/proc/sys/kernel/random/boot_id"),
            id: hashed("/etc/machine-id"),
            name: read("/proc/sys/kernel/hostname"),
            disk: disk.map(|place| format!("{:016x}", place.id)).unwrap_or_default(),
        }
    }

    /// Whether it is the same as `other`, by the rules above.
    pub fn is(&self, other: &Self) -> bool {
        let same = |one: &str, two: &str| (!one.is_empty() && !two.is_empty()).then_some(one == two);
        same(&self.boot, &other.boot) == Some(true)
            || same(&self.id, &other.id).unwrap_or_else(|| {
                let told = [same(&self.name, &other.name), same(&self.disk, &other.disk)];
                // In doubt it is the same: a warning with every deployment would be read by nobody.
                told.contains(&Some(true)) || told == [None, None]
            })
    }

    /// The machine that last used the queue in `directory`; `None` if that is not known.
    pub fn last(directory: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(directory.join(FILE)).ok()?;
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
            line.unwrap_or_default().trim().to_owned()
        };
        Some(Machine { boot: value("boot"), id: value("machine"), name: value("name"), disk: value("disk") })
    }

    /// Keeps this machine as the one that last used the queue in `directory`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the file cannot be written.
    pub fn keep(&self, directory: &Path) -> Result<()> {
        let Machine { boot, id, name, disk } = self;
        let text = format!("boot {boot}\nmachine {id}\nname {name}\ndisk {disk}\n");
        let fresh = directory.join(format!("{FILE}.new"));
        let write = |error: rustix::io::Errno| Error::unavailable(format!("cannot write {}: {error}", fresh.display()));
        let file = open_private_file(&fresh)?;
        rustix::fs::ftruncate(&file, 0).map_err(write)?;
        rustix::io::write(&file, text.as_bytes()).map_err(write)?;
        rustix::fs::rename(&fresh, directory.join(FILE)).map_err(write)
    }
}

/// To be called by who begins to send. Returns the other machine that last used the queue, if it was another; that stays
/// noted until [`Machine::keep`] is called on the owner's word.
pub(super) fn arrive(directory: &Path) -> Option<Machine> {
    let here = Machine::here(directory);
    match Machine::last(directory) {
        Some(last) if !here.is(&last) => Some(last),
        Some(last) if here == last => None,
        _ => {
            // The next restart is told by what is true now. Without it only a warning is missing.
            let _ = here.keep(directory);
            None
        }
    }
}

/// What is said of a queue that came from `other`, for the log.
pub(super) fn arrival_words(other: &Machine) -> String {
    let name = if other.name.is_empty() { "another machine" } else { &other.name };
    format!(
        "this queue was last used on another machine ({name}). Two machines must not share it; if it was moved, say so with wp posthorn adopt"
    )
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// A hash of a one-line file; empty if it is empty or missing.
fn hashed(path: &str) -> String {
    let text = read(path);
    // systemd writes this into an image whose machine is yet to be named.
    if text.is_empty() || text == "uninitialized" {
        return String::new();
    }
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(b"posthorn") else {
        unreachable!("HMAC takes a key of any length")
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
