//! What can go wrong, sorted by what the caller can do about it.

use std::fmt;

/// Every error of the crate.
#[derive(Debug)]
pub enum Error {
    /// An argument breaks a rule. `key` is the argument's name as the caller wrote it, for example
    /// `schedule[2]`. The caller corrects the argument; nothing was stored.
    InvalidArgument {
        /// The argument's name, with its index where it is an element of a list.
        key: String,
        /// The value, the rule and the remedy, without the key.
        message: String,
    },
    /// The queue cannot be used now: disk, lock, permission, a foreign or newer file. The message
    /// names the remedy. Nothing was stored; only where the disk failed while it was waited for (`sync=full`) is that
    /// not certain, and the message says so.
    Unavailable {
        /// What happened and what to do.
        message: String,
        /// Of which kind it is, for who shows the remedy step by step.
        trouble: Trouble,
    },
    /// A limit was reached (payload size, queue size). Nothing was stored.
    Full {
        /// Which limit, its value, and the setting that raises it.
        message: String,
    },
    /// A defect of Posthorn itself, a panic for example. Nothing is known of what was stored.
    Internal {
        /// The panic's text.
        message: String,
    },
}

/// What keeps a queue from being used. The numbers are the codes of `Posthorn\Unavailable`, so they stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    /// Anything else.
    #[default]
    Other = 0,
    /// The directory or a file in it cannot be made, opened or written by this user.
    Permission = 1,
    /// No room is left on the disk, or in the user's share of it.
    DiskFull = 2,
    /// `queue.db` belongs to another program.
    Foreign = 3,
    /// `queue.db` was written by a newer Posthorn.
    Newer = 4,
    /// Another program holds the queue's lock and does not let go.
    Locked = 5,
    /// `queue.db` is damaged, and could not be set aside.
    Damaged = 6,
    /// The disk reports errors.
    Disk = 7,
    /// The queue was begun anew and does not know the site's endpoints yet.
    Unconfigured = 8,
}

/// A result whose error is [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An argument that breaks a rule.
    pub fn invalid(key: impl Into<String>, message: impl Into<String>) -> Self {
        Error::InvalidArgument { key: key.into(), message: message.into() }
    }

    /// The queue cannot be used now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::trouble(Trouble::Other, message)
    }

    /// The queue cannot be used now, for a reason that has a remedy of its own.
    pub fn trouble(trouble: Trouble, message: impl Into<String>) -> Self {
        Error::Unavailable { message: message.into(), trouble }
    }

    /// Whether the queue file is damaged: whoever has it open sets it aside and tries again.
    pub fn is_damage(&self) -> bool {
        matches!(self, Error::Unavailable { trouble: Trouble::Damaged, .. })
    }

    /// Whether the disk fails, or cannot be written any more: what is open may be of no use even when it is mended.
    pub fn is_of_disk(&self) -> bool {
        matches!(self, Error::Unavailable { trouble: Trouble::Disk | Trouble::Permission, .. })
    }

    /// Says where the queue is, if the message does not.
    pub(crate) fn at(mut self, directory: &std::path::Path) -> Self {
        let directory = directory.display().to_string();
        if let Error::Unavailable { message, .. } | Error::Full { message } = &mut self
            && !message.contains(&directory)
        {
            message.push_str(&format!(" (the queue is in {directory})"));
        }
        self
    }

    /// Puts `prefix` before the key of an invalid argument: `url` becomes `endpoints[0].url`, `[0]` becomes
    /// `endpoints[0]`. An empty key, the argument as a whole, becomes `prefix`.
    pub fn within(self, prefix: &str) -> Self {
        match self {
            Error::InvalidArgument { key, message } => {
                let separator = if key.is_empty() || key.starts_with('[') || prefix.is_empty() { "" } else { "." };
                Error::InvalidArgument { key: format!("{prefix}{separator}{key}"), message }
            }
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::InvalidArgument { key, message } if key.is_empty() => f.write_str(message),
            Error::InvalidArgument { key, message } => write!(f, "{key}: {message}"),
            Error::Unavailable { message, .. } | Error::Full { message } | Error::Internal { message } => {
                f.write_str(message)
            }
        }
    }
}

impl std::error::Error for Error {}

/// How much of a value that was typed an error shows: enough to recognise it, not a page of it.
const MAX_SHOWN_CHARS: usize = 60;

/// `text` as an error quotes it: control characters escaped, cut after 60 characters.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == MAX_SHOWN_CHARS {
            shown.push('…');
            break;
        }
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}
