//! Receivers that many people use, and what is known of each. Presets are data: `presets.toml`, checked and compiled in by
//! `build.rs`.

use std::time::Duration;

use url::Url;

/// What an endpoint that names the preset has by default.
#[derive(Debug)]
pub struct Preset {
    /// What an endpoint calls it: `zapier`.
    pub name: &'static str,
    /// What a page calls it.
    pub title: &'static str,
    /// Hosts by which a URL is recognised: these, and what is below them.
    pub hosts: &'static [&'static str],
    /// The format, if it takes only one.
    pub format: Option<&'static str>,
    /// Requests a second at most.
    pub rate_per_second: Option<f64>,
    /// Bytes of a request's body at most.
    pub max_body_bytes: Option<u64>,
    timeout_s: Option<f64>,
}

static PRESETS: &[Preset] = include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// Every preset.
pub fn all() -> &'static [Preset] {
    PRESETS
}

/// The preset called `name`.
pub fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

/// The preset whose hosts `url` has; `None` for a URL that is none, or of which nothing is known.
pub fn of_url(url: &str) -> Option<&'static Preset> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_end_matches('.');
    PRESETS.iter().find(|preset| preset.hosts.iter().any(|known| is_at_or_below(host, known)))
}

impl Preset {
    /// How long the receiver has for its answer, if that is not the format's time.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout_s.map(Duration::from_secs_f64)
    }
}

fn is_at_or_below(host: &str, known: &str) -> bool {
    host.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
