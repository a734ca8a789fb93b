//! Where in a data file something is, for the errors of the build.

/// `file:line` of the byte `offset` in `text`.
pub fn at(file: &str, text: &str, offset: usize) -> String {
    format!("{file}:{}", text[..offset].matches('\n').count() + 1)
}

/// The error of a file that is no TOML, lacks a key or has one too many: the parser's own words, with the file and line
/// in front.
pub fn unreadable(file: &str, text: &str, error: &toml::de::Error) -> String {
    let offset = error.span().map_or(0, |span| span.start);
    format!("{}: {}", at(file, text, offset), error.message())
}

/// Where the value at a path such as `body[2].key` is, or as much of the path as there is.
#[allow(dead_code)]
pub fn of_key(file: &str, text: &str, path: &str) -> String {
    use toml::de::{DeTable, DeValue};
    let Ok(table) = DeTable::parse(text) else { return format!("{file}:1") };
    let mut offset = 0;
    let mut value: Option<&DeValue<'_>> = None;
    for step in path.split(['.', '[']) {
        let next = match (step.strip_suffix(']'), value) {
            (Some(index), Some(DeValue::Array(list))) => index.parse::<usize>().ok().and_then(|index| list.get(index)),
            (None, Some(DeValue::Table(inner))) => inner.iter().find(|(key, _)| key.get_ref() == step).map(|(_, v)| v),
            (None, None) => table.get_ref().iter().find(|(key, _)| key.get_ref() == step).map(|(_, v)| v),
            _ => None,
        };
        let Some(next) = next else { break };
        offset = next.span().start;
        value = Some(next.get_ref());
    }
    at(file, text, offset)
}
