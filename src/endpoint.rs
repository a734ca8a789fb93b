//! A receiver that the owner configured.

mod address;
mod allow;
mod field;
mod headers;
mod proxy;
mod secrets;
mod standing;
mod subscription;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::error::{Error, Result, shown};
use crate::event::NewEvent;
use crate::filter::{Filters, Record};
use crate::format::{self, Format};
use crate::json;
use crate::preset::{self, Preset};
use crate::secret::Secret;
use field::Fields;

pub use allow::AllowPrivate;
pub use proxy::{Proxy, ProxyEnvironment};
pub use standing::{Circuit, Standing};

/// Seconds an attempt may take: below 0.1 s hardly any network answers, above 120 s a sender is not waiting but stuck.
const TIMEOUT_RANGE_S: (f64, f64) = (0.1, 120.0);

/// Delays of a schedule: ten is the most of any known format; 0 s is for tests, a week outlasts any `max_age` in use.
const MAX_SCHEDULE_DELAYS: usize = 20;
const DELAY_RANGE_S: (f64, f64) = (0.0, 604_800.0);

/// Each delay of a schedule is longer by up to this share of it.
const JITTER_RANGE: (f64, f64) = (0.0, 1.0);

/// Bytes of a body: from what hardly any event has, to more than a queue accepts.
const MAX_BODY_RANGE_BYTES: (u64, u64) = (1024, 1 << 30);

/// Requests in flight to one receiver.
const MAX_CONCURRENCY: u64 = 256;

/// Requests a second to one receiver.
const MAX_RATE_PER_SECOND: f64 = 10_000.0;

/// What an endpoint's data lacks unless it says otherwise: words that were meant for nobody outside.
const OMITTED_BY_DEFAULT: &[&str] = &["private_note"];
const MAX_OMITTED: usize = 100;
const MAX_OMITTED_BYTES: usize = 200;

/// Seconds until a delivery is too old: three days unless the endpoint says otherwise (promises, "Death").
const DEFAULT_MAX_AGE_S: u64 = 3 * 24 * 60 * 60;
/// From a second, for tests, to a year.
const MAX_AGE_RANGE_S: (f64, f64) = (1.0, 365.0 * 24.0 * 60.0 * 60.0);

/// Bytes of the texts.
const MAX_ID_BYTES: usize = 100;
const MAX_SITE_BYTES: usize = 64;
const MAX_DESCRIPTION_BYTES: usize = 2000;
/// Linux's PATH_MAX.
const MAX_PATH_BYTES: usize = 4096;

/// The catalogue's own names of the events of which an endpoint with these `events` and this `format` may be sent any.
///
/// # Errors
/// [`Error::InvalidArgument`] with the key `events`, for what no endpoint may have.
pub fn wanted(events: &Value, format: &Format) -> Result<Vec<&'static str>> {
    Ok(subscription::wanted(&subscription::read(Some(events))?, format))
}

/// The keys an endpoint has, in the order of the manual.
const KEYS: &[&str] = &[
    "id",
    "url",
    "events",
    "filters",
    "format",
    "secret",
    "site",
    "enabled",
    "description",
    "timeout",
    "schedule",
    "max_concurrency",
    "rate_per_second",
    "headers",
    "ordered",
    "allow_private",
    "ca",
    "client_cert",
    "max_age",
    "circuit_breaker",
    "proxy",
    "preset",
    "schedule_jitter",
    "max_body_bytes",
    "omit",
];

/// An endpoint, checked.
#[derive(Clone, PartialEq)]
pub struct Endpoint {
    /// Unique within the site.
    pub id: String,
    /// The site it belongs to.
    pub site: String,
    /// Absolute http or https, without credentials or fragment.
    pub url: String,
    /// Subscriptions: names, `deal.*`, `*`. Never empty.
    pub events: Vec<String>,
    /// Which records it is sent.
    pub filters: Filters,
    /// What its requests look like.
    pub format: Arc<Format>,
    /// Secrets, the newest first; one of them has no end. Empty: nothing is signed.
    pub secrets: Vec<Secret>,
    /// The owner's switch.
    pub enabled: bool,
    /// The owner's words.
    pub description: String,
    /// For the whole exchange.
    pub timeout: Duration,
    /// The delay after each failed attempt; one attempt more than delays.
    pub schedule: Vec<Duration>,
    /// Requests in flight at most.
    pub max_concurrency: Option<u32>,
    /// Requests started per second at most.
    pub rate_per_second: Option<f64>,
    /// Additional headers.
    pub headers: Vec<(String, String)>,
    /// Later events of a record wait for earlier ones.
    pub ordered: bool,
    /// Which addresses beside public ones it may call.
    pub allow_private: AllowPrivate,
    /// A file of PEM certificates to trust instead of the system's.
    pub ca: Option<String>,
    /// A PEM file with client certificate and key.
    pub client_cert: Option<String>,
    /// A delivery older than this is dead.
    pub max_age: Duration,
    /// Whether five failures in a row hold back what waits, until one request in a minute succeeds.
    pub circuit_breaker: bool,
    /// The way its requests go.
    pub proxy: Proxy,
    /// The name of the preset, if it has one.
    pub preset: Option<String>,
    /// Each delay of the schedule is longer by up to this share of it.
    pub schedule_jitter: f64,
    /// An event whose body is larger is not sent there.
    pub max_body_bytes: Option<u64>,
    /// Fields of the data that are left out of what it is sent.
    pub omit: Vec<String>,
}

impl Endpoint {
    /// Checks an endpoint as the PHP API takes it; what is missing or null has its default: that of its preset, if it names
    /// one, or else for `timeout`, `schedule`, `schedule_jitter` and `circuit_breaker` that of its format. A schedule of its
    /// own has no jitter unless that is given too. A missing `id` is derived from the URL: the first 16 hex digits of its SHA-256.
    ///
    /// # Errors
    /// [`crate::error::Error::InvalidArgument`] with the key that breaks its rule.
    pub fn from_json(value: &Value) -> Result<Self> {
        let endpoint = Self::from_stored_json(value)?;
        endpoint.format.named_apart()?;
        Ok(endpoint)
    }

    /// The endpoint that [`Endpoint::to_stored_json`] wrote, maybe in an earlier version of Posthorn: its own format may have
    /// a name that has since become one of Posthorn's.
    ///
    /// # Errors
    /// As those of [`Endpoint::from_json`].
    pub(crate) fn from_stored_json(value: &Value) -> Result<Self> {
        let fields = Fields::of(value, KEYS)?;
        let preset = match fields.text("preset", MAX_ID_BYTES)? {
            None => None,
            Some(name) => Some(preset::find(&name).ok_or_else(|| unknown_preset(&name))?),
        };
        let format = match fields.get("format") {
            None => preset
                .and_then(|preset| preset.format)
                .and_then(format::find)
                .or_else(|| format::find(format::DEFAULT))
                .unwrap_or(&format::all()[0])
                .clone(),
            Some(given) => format::read(given)?,
        };
        let url = address::url(fields.required("url", "the address of the receiver, https://…")?, &format)?;
        let id = match fields.text("id", MAX_ID_BYTES)? {
            Some(id) if id.is_empty() => {
                return Err(Error::invalid("id", "it is empty; leave it out to derive it from the URL"));
            }
            Some(id) => id,
            None => address::derived_id(&url),
        };
        let schedule =
            fields.list("schedule", MAX_SCHEDULE_DELAYS, |key, value| field::seconds(key, value, DELAY_RANGE_S))?;
        Ok(Endpoint {
            id,
            site: fields.text("site", MAX_SITE_BYTES)?.unwrap_or_default(),
            url: url.into(),
            events: subscription::read(fields.get("events"))?,
            filters: Filters::from_json(fields.get("filters"))?,
            secrets: secrets::read(fields.get("secret"), &format)?,
            enabled: fields.switch("enabled", true)?,
            description: fields.prose("description", MAX_DESCRIPTION_BYTES)?.unwrap_or_default(),
            timeout: fields
                .seconds("timeout", TIMEOUT_RANGE_S)?
                .or_else(|| preset.and_then(Preset::timeout))
                .unwrap_or_else(|| format.timeout()),
            schedule_jitter: share(&fields, "schedule_jitter", JITTER_RANGE)?.unwrap_or(match &schedule {
                Some(_) => 0.0,
                None => format.schedule_jitter,
            }),
            schedule: schedule.unwrap_or_else(|| format.schedule()),
            max_concurrency: fields.integer("max_concurrency", MAX_CONCURRENCY)?,
            rate_per_second: rate(fields.get("rate_per_second"))?.or(preset.and_then(|preset| preset.rate_per_second)),
            headers: headers::read(fields.get("headers"), &format)?,
            ordered: fields.switch("ordered", false)?,
            allow_private: allow::read(fields.get("allow_private"))?,
            ca: path(&fields, "ca")?,
            client_cert: path(&fields, "client_cert")?,
            max_age: fields.seconds("max_age", MAX_AGE_RANGE_S)?.unwrap_or(Duration::from_secs(DEFAULT_MAX_AGE_S)),
            circuit_breaker: fields.switch("circuit_breaker", format.circuit_breaker)?,
            proxy: proxy::read(fields.get("proxy"))?,
            preset: preset.map(|preset| preset.name.to_owned()),
            max_body_bytes: fields
                .whole("max_body_bytes", MAX_BODY_RANGE_BYTES)?
                .or(preset.and_then(|preset| preset.max_body_bytes)),
            omit: fields
                .list("omit", MAX_OMITTED, omitted)?
                .unwrap_or_else(|| OMITTED_BY_DEFAULT.iter().map(|&path| path.to_owned()).collect()),
            format,
        })
    }

    /// The endpoint as [`Endpoint::from_stored_json`] reads it again, defaults written out and **secrets exposed**: for the
    /// queue's own copy and nothing else.
    pub fn to_stored_json(&self) -> Value {
        json!({
            "id": self.id,
            "url": self.url,
            "events": self.events,
            "filters": self.filters.to_json(),
            "format": self.format.to_json(),
            "secret": self.secrets.iter().map(secrets::stored).collect::<Vec<_>>(),
            "site": self.site,
            "enabled": self.enabled,
            "description": self.description,
            "timeout": field::seconds_json(self.timeout),
            "schedule": self.schedule.iter().copied().map(field::seconds_json).collect::<Vec<_>>(),
            "max_concurrency": self.max_concurrency,
            "rate_per_second": self.rate_per_second,
            "headers": self.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect::<Map<_, Value>>(),
            "ordered": self.ordered,
            "allow_private": self.allow_private.to_json(),
            "ca": self.ca,
            "client_cert": self.client_cert,
            "max_age": field::seconds_json(self.max_age),
            "circuit_breaker": self.circuit_breaker,
            "proxy": self.proxy.to_json(),
            "preset": self.preset,
            "schedule_jitter": self.schedule_jitter,
            "max_body_bytes": self.max_body_bytes,
            "omit": self.omit,
        })
    }

    /// Whether it subscribes to the event called `name` (the catalogue's own name): by that name, by one that another
    /// system has for it, by a pattern such as `deal.*`, or by `*`. A pattern stands for the events that the endpoint's
    /// format knows, `*` for all of those. A test is delivered to every endpoint.
    ///
    /// Where a name means only some records (`property.sold`), this says whether any may be meant;
    /// [`Endpoint::wants`] looks at the record.
    pub fn subscribes(&self, name: &str) -> bool {
        subscription::matches(self, name, None)
    }

    /// Whether it is to be sent `event`: it subscribes to its name, the name subscribed to means this record, and its
    /// filters let the record pass. A test passes every filter.
    pub fn wants(&self, event: &NewEvent) -> bool {
        self.wants_record(event, &event.record())
    }

    /// The same, of an event whose data several endpoints ask for.
    pub(crate) fn wants_record(&self, event: &NewEvent, record: &Record) -> bool {
        self.subscribes(event.name)
            && subscription::matches(self, event.name, Some(&event.data))
            && self.filters.pass_record(event, record)
    }
}

impl fmt::Debug for Endpoint {
    /// Neither secrets nor the values of headers, which may hold tokens, nor what follows the host in the URL, which
    /// for many receivers is the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.id)
            .field("site", &self.site)
            .field("url", &address::origin(&self.url))
            .field("events", &self.events)
            .field("format", &self.format.name)
            .field("secrets", &self.secrets)
            .field("enabled", &self.enabled)
            .field("timeout", &self.timeout)
            .field("schedule", &self.schedule)
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("allow_private", &self.allow_private)
            .finish_non_exhaustive()
    }
}

fn unknown_preset(name: &str) -> Error {
    let known: Vec<&str> = preset::all().iter().map(|preset| preset.name).collect();
    Error::invalid("preset", format!("'{}' is no preset; known are {}", shown(name), known.join(", ")))
}

fn share(fields: &Fields<'_>, key: &'static str, (min, max): (f64, f64)) -> Result<Option<f64>> {
    let Some(value) = fields.get(key) else { return Ok(None) };
    match value.as_f64() {
        Some(share) if (min..=max).contains(&share) => Ok(Some(share)),
        Some(share) => Err(Error::invalid(key, format!("{share} is out of range; it must be {min} to {max}"))),
        None => Err(Error::invalid(key, format!("expected a number from {min} to {max}, got {}", json::kind(value)))),
    }
}

/// A path of a field of the data: `private_note`, `address.street`.
fn omitted(key: &str, value: &Value) -> Result<String> {
    match value {
        Value::String(path)
            if !path.is_empty() && path.len() <= MAX_OMITTED_BYTES && !path.split('.').any(str::is_empty) =>
        {
            Ok(path.clone())
        }
        _ => Err(Error::invalid(
            key,
            format!(
                "expected a field's path, such as private_note or address.street, of at most {MAX_OMITTED_BYTES} bytes, got {}",
                json::kind(value)
            ),
        )),
    }
}

fn rate(value: Option<&Value>) -> Result<Option<f64>> {
    let Some(value) = value else { return Ok(None) };
    match value.as_f64() {
        Some(rate) if rate > 0.0 && rate <= MAX_RATE_PER_SECOND => Ok(Some(rate)),
        Some(rate) => Err(Error::invalid(
            "rate_per_second",
            format!(
                "{rate} is out of range; it must be more than 0 and at most {MAX_RATE_PER_SECOND} requests a second"
            ),
        )),
        None => Err(Error::invalid(
            "rate_per_second",
            format!("expected a number of requests a second, got {}", json::kind(value)),
        )),
    }
}

/// Whether there is such a file that can be read is found out by the attempt that needs it: a volume may come back.
fn path(fields: &Fields<'_>, key: &'static str) -> Result<Option<String>> {
    match fields.text(key, MAX_PATH_BYTES)? {
        Some(path) if !path.starts_with('/') => Err(Error::invalid(
            key,
            format!("'{}' is no absolute path; give the file's full path, beginning with /", shown(&path)),
        )),
        path => Ok(path),
    }
}
