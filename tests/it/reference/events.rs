//! The reference page of all events.

use std::fmt::Write as _;

use posthorn::catalogue::{self, Entry, Source};
use posthorn::format;
use posthorn::json::to_js_string;

use super::wrapped;

const HEAD: &str = "\
<!-- Written by `make docs` from src/catalogue.toml. -->
# Events

Every event that Posthorn knows, under Posthorn's own name. A subscription takes that name or any of the other names; a body
carries the one that the endpoint's format has. What a body looks like around `data` is the format's: see the README. The
same in machine-readable form: [asyncapi.json](asyncapi.json).

**Fired by** tells who notices. *The CRM's rows*: Posthorn by itself, from the row before and the row after a write. *WordPress*:
Posthorn by itself, at the end of the page that changed something, for sites whose receivers subscribe to it. Neither fires
if nothing changed. *`posthorn_dispatch()`*: the site cannot know of it; whoever does calls that function.

A subscription to `*` is every event that the endpoint's format knows; any other can be named. Where a fact has a time of its own
(a task that was overdue at noon), the event carries that time. An update has the fields that changed and what they were before, in
the formats that have a place for it. Each event is stored with who acted (the user, if one was logged in) and whether that was a
`person`, `cron`, `cli` or an `import`.

## All of them

| event | means | fired by |
|---|---|---|
";

pub fn document() -> String {
    let mut page = String::from(HEAD);
    for entry in catalogue::all() {
        let name = entry.name;
        writeln!(page, "| [`{name}`](#{}) | {} | {} |", name.replace('.', ""), entry.title, fired_by(entry)).unwrap();
    }
    let mut group = "";
    for entry in catalogue::all() {
        if entry.group != group {
            group = entry.group;
            write!(page, "\n## {group}\n").unwrap();
        }
        page += &section(entry);
    }
    page
}

fn fired_by(entry: &Entry) -> &'static str {
    match entry.source {
        Source::Crm => "the CRM's rows",
        Source::Site => "WordPress",
        Source::Dispatch => "`posthorn_dispatch()`",
        Source::Posthorn => "the test button",
    }
}

fn section(entry: &Entry) -> String {
    let mut text = format!("\n### {}\n\n{}.", entry.name, entry.title);
    if !entry.note.is_empty() {
        write!(text, " {}", entry.note).unwrap();
    }
    write!(text, "\n\n* Entity: `{}`. Fired by: {}.\n", entry.entity, fired_by(entry)).unwrap();
    for other in entry.other_names {
        let when = match &other.when {
            None => String::new(),
            Some(when) => match when.is {
                Some(is) => format!(", where `{}` is `{is}`", when.field),
                None => format!(", where `{}` is set", when.field),
            },
        };
        writeln!(text, "* Also called `{}`{when}.", other.name).unwrap();
    }
    let formats: Vec<String> = format::all()
        .iter()
        .filter(|format| !format.events.is_empty() && format.knows(entry))
        .map(|format| match format.name_of(entry, &entry.sample()) {
            name if name == entry.name => format!("`{}`", format.name),
            name => format!("`{}` (as `{name}`)", format.name),
        })
        .collect();
    if !formats.is_empty() {
        writeln!(text, "* Part of `*` in {}.", formats.join(", ")).unwrap();
    }
    write!(text, "\n```json\n{}\n```\n", wrapped(&entry.sample(), 110)).unwrap();
    if !entry.previous().is_empty() {
        write!(text, "\nBefore: `{}`\n", to_js_string(&entry.previous().into())).unwrap();
    }
    text
}
