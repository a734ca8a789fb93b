//! A table that is watched, and its unique keys.

use std::borrow::Cow;

use crate::error::{Error, Result};

/// A watched table.
#[derive(Clone, Debug)]
pub struct Watched<'a> {
    name: Cow<'a, str>,
    any_prefix: bool,
    keys: Vec<Vec<&'a str>>,
}

impl<'a> Watched<'a> {
    /// A table by its name, or by how its name ends if it begins with `*`, with its unique keys, each a list of columns,
    /// the primary key first. No keys: none is known.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the name, a key or a column's name is empty.
    pub fn new(name: impl Into<Cow<'a, str>>, keys: Vec<Vec<&'a str>>) -> Result<Self> {
        let name = name.into();
        let any_prefix = name.starts_with('*');
        if matches!(&*name, "" | "*") {
            return Err(Error::invalid("", format!("'{name}' is no table's name; give a name, or * and how it ends")));
        }
        for (at, key) in keys.iter().enumerate() {
            if key.is_empty() {
                return Err(Error::invalid(format!("[{at}]"), "a key without columns; name at least one"));
            }
            if let Some(column) = key.iter().position(|column| column.is_empty()) {
                return Err(Error::invalid(
                    format!("[{at}][{column}]"),
                    "an empty column name; give the column's name",
                ));
            }
        }
        Ok(Watched { name, any_prefix, keys })
    }

    /// What each name of such a table ends with.
    pub(super) fn ending(&self) -> &str {
        &self.name[usize::from(self.any_prefix)..]
    }

    /// The unique keys, the primary key first.
    pub(super) fn keys(&self) -> &[Vec<&'a str>] {
        &self.keys
    }

    /// The primary key's columns, if it is known.
    pub(super) fn primary(&self) -> Option<&[&'a str]> {
        self.keys.first().map(Vec::as_slice)
    }

    pub(super) fn is(&self, table: &[u8]) -> bool {
        let ending = self.ending().as_bytes();
        let Some(before) = table.len().checked_sub(ending.len()) else { return false };
        (before == 0 || self.any_prefix) && table[before..].eq_ignore_ascii_case(ending)
    }
}

/// The entry for a table of this name.
pub(super) fn find<'t, 'a>(tables: &'t [Watched<'a>], table: &[u8]) -> Option<&'t Watched<'a>> {
    tables.iter().find(|watched| watched.is(table))
}
