//! Reads and checks `src/presets.toml`. Incomplete or ambiguous data ends the build, naming file and line.

use serde::Deserialize;
use toml::Spanned;

use super::place;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presets {
    preset: Vec<Preset>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    pub name: Spanned<String>,
    pub title: String,
    /// A URL belongs to it if its host is one of these or ends in a dot and one of these.
    #[serde(default)]
    pub hosts: Vec<Spanned<String>>,
    pub format: Option<Spanned<String>>,
    pub rate_per_second: Option<Spanned<f64>>,
    pub timeout_s: Option<Spanned<f64>>,
    pub max_body_bytes: Option<Spanned<u64>>,
}

/// The presets in `text`, or the first rule that they break. `formats` are the names of those that exist.
pub fn read(file: &str, text: &str, formats: &[&str]) -> Result<Vec<Preset>, String> {
    let Presets { preset: presets } = toml::from_str(text).map_err(|error| place::unreadable(file, text, &error))?;
    let at = |offset: usize| place::at(file, text, offset);
    let (mut names, mut hosts) = (Vec::new(), Vec::new());
    for preset in &presets {
        let (name, place) = (preset.name.as_ref(), at(preset.name.span().start));
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(format!("{place}: '{name}' is no name; it has lower-case letters, digits and dashes"));
        }
        if names.contains(&name) {
            return Err(format!("{place}: '{name}' is there twice"));
        }
        names.push(name);
        if preset.title.trim().is_empty() {
            return Err(format!("{place}: title is empty"));
        }
        for host in &preset.hosts {
            let (name, place) = (host.as_ref(), at(host.span().start));
            let is_label = |label: &str| {
                !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            };
            if !name.contains('.') || !name.split('.').all(is_label) {
                return Err(format!("{place}: '{name}' is no host in lower case"));
            }
            // A host that belongs to two presets would belong to the first.
            let overlaps = |other: &&&String| {
                *other == &name || name.ends_with(&format!(".{other}")) || other.ends_with(&format!(".{name}"))
            };
            if let Some(other) = hosts.iter().find(overlaps) {
                return Err(format!("{place}: '{name}' and '{other}' overlap"));
            }
            hosts.push(name);
        }
        if let Some(format) = &preset.format
            && !formats.contains(&format.as_ref().as_str())
        {
            return Err(format!("{}: there is no format '{}'", at(format.span().start), format.as_ref()));
        }
        if let Some(rate) = &preset.rate_per_second
            && !(*rate.as_ref() > 0.0 && *rate.as_ref() <= 10_000.0)
        {
            return Err(format!("{}: rate_per_second must be more than 0 and at most 10000", at(rate.span().start)));
        }
        if let Some(timeout) = &preset.timeout_s
            && !(0.1..=120.0).contains(timeout.as_ref())
        {
            return Err(format!("{}: timeout_s must be 0.1 to 120", at(timeout.span().start)));
        }
        if let Some(bytes) = &preset.max_body_bytes
            && !(1024..=1 << 30).contains(bytes.as_ref())
        {
            return Err(format!("{}: max_body_bytes must be 1024 to 1073741824", at(bytes.span().start)));
        }
    }
    Ok(presets)
}
