//! Fields that an endpoint is not sent, wherever the body has them: in the data, in the values before a change, and in the
//! list of what changed.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::event::Event;
use crate::{catalogue, json};

/// `event` without the fields at `paths`, which may begin with what a filter calls the record: the event's entity, or the word
/// that its name begins with.
pub(super) fn apply<'a>(event: &'a Event, paths: &[String]) -> Cow<'a, Event> {
    if paths.is_empty() {
        return Cow::Borrowed(event);
    }
    let entity = catalogue::find(&event.name).map_or("", |entry| entry.entity);
    let word = event.name.split('.').next().unwrap_or_default();
    let mut omitted: Vec<&str> = Vec::with_capacity(paths.len());
    for path in paths {
        omitted.push(path);
        omitted.extend(path.strip_prefix(entity).and_then(|rest| rest.strip_prefix('.')));
        if word != entity {
            omitted.extend(path.strip_prefix(word).and_then(|rest| rest.strip_prefix('.')));
        }
    }
    let split: Vec<Vec<&str>> = omitted.iter().map(|path| path.split('.').collect()).collect();
    let data = json::without(&event.data, &split);
    let details = details(&event.context.details, &omitted, &split);
    match (&data, &details) {
        (Cow::Borrowed(_), None) => Cow::Borrowed(event),
        _ => {
            let mut event = event.clone();
            event.data = data.into_owned();
            if let Some(details) = details {
                event.context.details = details;
            }
            Cow::Owned(event)
        }
    }
}

/// The details with `previous` and `changes` cleaned; `None` if they are clean.
fn details(details: &str, omitted: &[&str], split: &[Vec<&str>]) -> Option<String> {
    let is_mentioned = |path: &Vec<&str>| {
        let mut name = String::new();
        json::write_str(&mut name, path.last().unwrap_or(&""));
        details.contains(name.trim_matches('"'))
    };
    if !split.iter().any(is_mentioned) {
        return None;
    }
    let paths: Vec<Vec<&str>> =
        split.iter().map(|path| std::iter::once("previous").chain(path.iter().copied()).collect()).collect();
    let cleaned = json::without(details, &paths);
    let is_omitted = |path: &str| {
        omitted.iter().any(|one| path.strip_prefix(one).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    let mut map = json::read_object(&cleaned);
    match map.get_mut("changes") {
        Some(Value::Array(list)) => list.retain(|path| !path.as_str().is_some_and(is_omitted)),
        Some(Value::Object(by_path)) => {
            let kept: Map<String, Value> =
                std::mem::take(by_path).into_iter().filter(|(path, _)| !is_omitted(path)).collect();
            *by_path = kept;
        }
        _ => {}
    }
    Some(json::to_js_string(&Value::Object(map)))
}
