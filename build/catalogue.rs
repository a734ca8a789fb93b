//! Reads and checks `src/catalogue.toml`. Incomplete or ambiguous data ends the build, naming file and line.

use std::collections::HashMap;

use serde::Deserialize;
use toml::Spanned;

use super::place;

/// One line of the settings page.
const MAX_TITLE_CHARS: usize = 90;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    event: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    pub name: Spanned<String>,
    pub group: String,
    pub title: String,
    /// What else there is to say of it.
    #[serde(default)]
    pub note: String,
    pub entity: String,
    pub source: Source,
    /// Whether the settings page of S1 offers it.
    #[serde(default)]
    pub offered: bool,
    #[serde(default)]
    pub other_names: Vec<OtherName>,
    /// A JSON object; compact once it is checked.
    pub sample: Spanned<String>,
    /// Of a change: what fields of the sample held before, a JSON object; compact once it is checked.
    pub previous: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherName {
    pub name: Spanned<String>,
    /// Without one the name always means this event.
    pub when: Option<When>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// A field of the data.
    pub field: String,
    /// The text it must have, in any case; without one it must be set: not missing, null, 0 or empty.
    pub is: Option<String>,
}

/// Who notices that it happened.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    Crm,
    Site,
    Dispatch,
    Posthorn,
}

/// The events of the catalogue in `text`, or the first rule that it breaks.
pub fn read(file: &str, text: &str) -> Result<Vec<Event>, String> {
    let File { mut event } = toml::from_str(text).map_err(|error| place::unreadable(file, text, &error))?;
    let mut names: HashMap<String, usize> = HashMap::new();
    for entry in &mut event {
        let at = place::at(file, text, entry.name.span().start);
        check_words(entry).map_err(|rule| format!("{at}: event {}: {rule}", entry.name.as_ref()))?;
        for name in std::iter::once(&entry.name).chain(entry.other_names.iter().map(|other| &other.name)) {
            let at = place::at(file, text, name.span().start);
            let offset = name.span().start;
            let name = name.as_ref();
            if !is_event_name(name) {
                return Err(format!(
                    "{at}: '{name}' is no event name: lower-case words, joined by _, with one dot at most"
                ));
            }
            if let Some(earlier) = names.insert(name.clone(), offset) {
                return Err(format!("{at}: '{name}' is taken already, in {}", place::at(file, text, earlier)));
            }
        }
        let at = place::at(file, text, entry.sample.span().start);
        let sample: serde_json::Map<String, serde_json::Value> = serde_json::from_str(entry.sample.as_ref())
            .map_err(|error| format!("{at}: sample of {}: not a JSON object: {error}", entry.name.as_ref()))?;
        for when in entry.other_names.iter().filter_map(|other| other.when.as_ref()) {
            if !sample.contains_key(&when.field) {
                return Err(format!(
                    "{at}: sample of {}: it lacks '{}', by which a name is chosen",
                    entry.name.as_ref(),
                    when.field
                ));
            }
        }
        if let Some(previous) = &mut entry.previous {
            let at = place::at(file, text, previous.span().start);
            let before: serde_json::Map<String, serde_json::Value> = serde_json::from_str(previous.as_ref())
                .map_err(|error| format!("{at}: previous of {}: not a JSON object: {error}", entry.name.as_ref()))?;
            if let Some((field, _)) =
                before.iter().find(|(field, old)| sample.get(*field).is_none_or(|new| new == *old))
            {
                return Err(format!(
                    "{at}: previous of {}: the sample must have '{field}', with another value",
                    entry.name.as_ref()
                ));
            }
            *previous.as_mut() = serde_json::Value::Object(before).to_string();
        }
        *entry.sample.as_mut() = serde_json::Value::Object(sample).to_string();
    }
    if !names.contains_key("test") {
        return Err(format!("{file}:1: there is no event 'test', which the test button sends"));
    }
    Ok(event)
}

fn check_words(entry: &Event) -> Result<(), String> {
    for (key, value) in [("group", &entry.group), ("title", &entry.title), ("entity", &entry.entity)] {
        if value.trim() != value || value.is_empty() || value.chars().any(char::is_control) {
            return Err(format!("{key} must be one line of words"));
        }
    }
    if entry.note.trim() != entry.note || entry.note.chars().any(char::is_control) {
        return Err("note must be one line of sentences".to_owned());
    }
    if entry.title.chars().count() > MAX_TITLE_CHARS {
        return Err(format!("title has more than {MAX_TITLE_CHARS} characters; it is one line on the settings page"));
    }
    if !is_word(&entry.entity) {
        return Err(format!(
            "entity '{}' must be a lower-case word: it is a key in the bodies of some formats",
            entry.entity
        ));
    }
    Ok(())
}

fn is_event_name(name: &str) -> bool {
    name.split('.').count() <= 2 && name.split('.').all(is_word)
}

fn is_word(word: &str) -> bool {
    word.split('_').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()))
}
