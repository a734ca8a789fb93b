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
