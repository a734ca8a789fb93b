//! The list of event names Posthorn knows.

use crate::error::Error;

/// One event of the catalogue.
#[derive(Debug)]
pub struct Entry {
    /// Posthorn's own name.
    pub name: String,
}

/// The entry whose own name or other name is `name`.
pub fn find(name: &str) -> Option<&'static Entry> {
    let _ = name;
    todo!()
}

/// The error for a name that the catalogue does not have, with the nearest name that it has.
pub fn unknown(name: &str) -> Error {
    let _ = name;
    todo!()
}
