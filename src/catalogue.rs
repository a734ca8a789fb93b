//! The list of event names Posthorn knows. It is data: `catalogue.toml`, checked and compiled in by `build.rs`.

use serde_json::{Map, Value};

use crate::error::{Error, shown};

/// One event of the catalogue.
#[derive(Debug)]
pub struct Entry {
    /// Posthorn's own name: `deal.won`.
    pub name: &'static str,
    /// Under which heading it is listed.
    pub group: &'static str,
    /// What it means, in a line that a site owner understands.
    pub title: &'static str,
    /// What else there is to say of it, in sentences; may be empty.
    pub note: &'static str,
    /// What the record is: `contact`, `deal`, … Some formats put the data under this word.
    pub entity: &'static str,
    /// Who fires it.
    pub source: Source,
    /// Whether the WPResidence CRM's own settings page offers it.
    pub offered: bool,
    /// The names that other systems have for the same fact.
    pub other_names: &'static [OtherName],
    sample: &'static str,
    previous: &'static str,
}

/// Who notices that an event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Posthorn, when a row of the CRM says so.
    Crm,
    /// Posthorn, when WordPress says so.
    Site,
    /// Whoever knows of it, through `posthorn_dispatch()`.
    Dispatch,
    /// Posthorn's test button.
    Posthorn,
}

impl Source {
    /// The source as the PHP API shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Crm => "crm",
            Source::Site => "site",
            Source::Dispatch => "dispatch",
            Source::Posthorn => "posthorn",
        }
    }
}

/// A name that another system has for an event, and for which of its records.
#[derive(Debug)]
pub struct OtherName {
    /// The name: `deal.closed_won`.
    pub name: &'static str,
    /// Which records it means; `None` for all.
    pub when: Option<When>,
}

/// What tells the records that a name means from the others.
#[derive(Debug)]
pub struct When {
    /// A field of the event's data.
    pub field: &'static str,
    /// The text it has, in any case; `None`: it is set, that is neither missing, null, 0 nor empty.
    pub is: Option<&'static str>,
}

/// What tests carry; every endpoint gets it.
pub const TEST: &str = "test";

static ENTRIES: &[Entry] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// How many events of a pattern that matches none an error suggests.
const MAX_SUGGESTIONS: usize = 12;

/// Every event, in the order in which a page lists them.
pub fn all() -> &'static [Entry] {
    ENTRIES
}

/// The entry whose own name or other name is `name`.
pub fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.names().any(|known| known == name))
}

/// The error, with the key `event`, for a name that the catalogue does not have, with the nearest name that it has.
pub fn unknown(name: &str) -> Error {
    Error::invalid("event", unknown_message(name))
}

/// What [`unknown`] says, without its key.
pub(crate) fn unknown_message(name: &str) -> String {
    let shown = shown(name);
    let nearest = ENTRIES
        .iter()
        .flat_map(Entry::names)
        .map(|known| (strsim::osa_distance(&name.to_lowercase(), known), known))
        .min()
        // More than a third of the letters wrong is another word, not a slip.
        .filter(|(distance, known)| *distance <= known.len() / 3);
    match nearest {
        Some((_, known)) => format!("'{shown}' is not a known event; did you mean '{known}'?"),
        None => {
            let in_group: Vec<&str> = match shown.split_once('.') {
                Some((prefix, _)) => own_names().filter(|known| known.split('.').next() == Some(prefix)).collect(),
                None => Vec::new(),
            };
            if in_group.is_empty() {
                format!("'{shown}' is not a known event; Posthorn\\events() lists what is")
            } else {
                let known = in_group[..in_group.len().min(MAX_SUGGESTIONS)].join(", ");
                format!("'{shown}' is not a known event; known are {known}")
            }
        }
    }
}

fn own_names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|entry| entry.name)
}

impl Entry {
    /// Its own name, then the other ones.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.other_names.iter().map(|other| other.name))
    }

    /// What tells the records that its name `name` means from the others; `None` if that is all of them.
    pub fn condition_of(&self, name: &str) -> Option<&'static When> {
        self.other_names.iter().find(|other| other.name == name)?.when.as_ref()
    }

    /// Made-up data in the shape of the real, for a test or a preview.
    pub fn sample(&self) -> Map<String, Value> {
        // build.rs has parsed it before.
        serde_json::from_str(self.sample).unwrap_or_default()
    }

    /// Of a change: what fields of the sample held before it; empty for what is no change.
    pub fn previous(&self) -> Map<String, Value> {
        serde_json::from_str(self.previous).unwrap_or_default()
    }
}

impl When {
    /// Whether `data` is a record that is meant.
    pub fn holds(&self, data: &Map<String, Value>) -> bool {
        match (data.get(self.field), self.is) {
            (Some(Value::String(text)), Some(is)) => text.eq_ignore_ascii_case(is),
            (_, Some(_)) => false,
            (None | Some(Value::Null), None) => false,
            (Some(Value::String(text)), None) => !text.is_empty() && text != "0",
            (Some(Value::Number(number)), None) => number.as_f64() != Some(0.0),
            (Some(_), None) => true,
        }
    }
}
