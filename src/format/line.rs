//! Lines for people, as Slack shows them, and whatever takes messages made for it.

use serde_json::Value;

use super::Part;
use crate::event::Event;
use crate::{catalogue, json};

/// Characters of a value: a line, no letter.
const MAX_VALUE_CHARS: usize = 200;

/// Fields that are what people call a record. A person has two instead.
const NAME_FIELDS: [&str; 4] = ["title", "name", "subject", "form_name"];
const PERSON_FIELDS: [&str; 2] = ["first_name", "last_name"];

/// The line that `parts` makes of `event`, which the format calls `event_name`.
pub(super) fn line(parts: &[Part], event: &Event, event_name: &str) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            // The definition's own words may use markup, and mention somebody.
            Part::Text(text) => out.push_str(text),
            Part::EventName => write_plain(&mut out, event_name),
            Part::Title => write_plain(&mut out, title(event)),
            Part::Record => write_plain(&mut out, &record(event)),
            Part::SiteUrl => {
                let details = event.context.details();
                write_plain(&mut out, details.get("site_url").and_then(Value::as_str).unwrap_or_default());
            }
            // A definition that was checked has none of the others in a line.
            _ => {}
        }
    }
    out
}

/// What the catalogue says of it, without the remark behind a semicolon.
fn title(event: &Event) -> &str {
    catalogue::find(&event.name).map_or(event.name.as_str(), |entry| entry.title.split(';').next().unwrap_or_default())
}

/// `Apartment, 12 Sample Street (deal 15)`, as far as it is known.
fn record(event: &Event) -> String {
    let entity = catalogue::find(&event.name).map_or("", |entry| entry.entity);
    let data = json::read_object(&event.data);
    let text = |field: &str| match data.get(field) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let number = match event.context.record.split_once(':') {
        Some((kind, id)) => format!("{kind} {id}"),
        None => {
            let id = [text(&format!("{entity}_id")), text("id")].into_iter().find(|id| !id.is_empty());
            id.map_or_else(|| entity.to_owned(), |id| format!("{entity} {id}"))
        }
    };
    let person = PERSON_FIELDS.map(text).join(" ").trim().to_owned();
    match NAME_FIELDS.map(text).into_iter().chain([person]).find(|name| !name.is_empty()) {
        Some(name) => format!("{} ({number})", shortened(&name)),
        None => number,
    }
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// Appends `text` so that it is shown and does nothing: a visitor chose it, and `<!channel>` would call everybody. `&`, `<` and
/// `>` as Slack documents; what Mattermost and Discord read beside them (`@here`, `[words](address)`) is broken by a space of
/// no width.
fn write_plain(out: &mut String, text: &str) {
    let mut last = ' ';
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("@\u{200b}"),
            '(' if last == ']' => out.push_str("\u{200b}("),
            c if c.is_control() || c.is_whitespace() => out.push(' '),
            c => out.push(c),
        }
        last = c;
    }
}
