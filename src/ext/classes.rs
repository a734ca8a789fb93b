//! `Posthorn\Queue`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::flags::ClassFlags;
use ext_php_rs::prelude::*;
use ext_php_rs::types::{ZendHashTable, Zval};
use serde_json::{Map, Value, json};

use super::convert::{Reader, to_array};
use super::guard::guard;
use super::{arrays, ini, lifecycle};
use crate::clock::{Clock, Millis, SystemClock};
use crate::endpoint::Endpoint;
use crate::error::{Error, Result, shown};
use crate::event::{DEFAULT_MAX_DATA_BYTES, Event, NewEvent};
use crate::json;
use crate::runtime::{self, Queue, QueueOptions};
use crate::store::{Filter, SyncMode};

/// A queue, and everything that is done with it. One per directory and process; made by `open()`.
#[php_class]
#[php(name = "Posthorn\\Queue", flags = ClassFlags::Final)]
pub struct PhpQueue {
    queue: Arc<Queue>,
}

#[php_impl]
impl PhpQueue {
    /// Opens the queue in `$directory` (an absolute path; made if missing, mode 0700) and starts the background
    /// thread. Options: `background` (bool), `sync` (`normal`, `full`), `max_concurrency` (1–256),
    /// `max_data_bytes`, `max_bytes`, `max_pending_age`, `keep_delivered`, `keep_dead` (seconds); what is missing has the INI
    /// setting's value, or the default. The two that say how long is kept are stored in the queue and hold for everybody.
    ///
    /// Throws `Posthorn\InvalidArgument`, `Posthorn\Unavailable`.
    pub fn open(directory: String, options: Option<&ZendHashTable>) -> PhpResult<Self> {
        guard(|| {
            if !directory.starts_with('/') {
                return Err(Error::invalid("directory", format!("'{}' is no absolute path", shown(&directory))));
            }
            if directory.contains('\0') {
                return Err(Error::invalid("directory", format!("'{}' has a zero byte in it", shown(&directory))));
            }
            let options = queue_options(&read("options", options)?)?;
            lifecycle::refuse_while_preloading()?;
            lifecycle::prepare();
            Ok(PhpQueue { queue: Queue::open(Path::new(&directory), options)? })
        })
    }

    /// Replaces all endpoints of `$site`. With a revision, only if it is higher than the one stored.
    ///
    /// Throws `Posthorn\InvalidArgument` whose message begins with the key (`endpoints[0].url: …`); nothing is
    /// changed then.
    #[php(defaults(site = String::new()))]
    pub fn configure(&self, endpoints: &ZendHashTable, site: String, revision: Option<i64>) -> PhpResult<()> {
        guard(|| {
            let Value::Array(list) = Reader::strict().array("endpoints", endpoints)? else {
                return Err(Error::invalid("endpoints", "expected a list of endpoints"));
            };
            let mut checked: Vec<Endpoint> = Vec::with_capacity(list.len());
            for (index, value) in list.iter().enumerate() {
                let place = format!("endpoints[{index}]");
                let mut endpoint = Endpoint::from_json(value).map_err(|error| error.within(&place))?;
                if checked.iter().any(|other| other.id == endpoint.id) {
                    return Err(Error::invalid(
                        format!("{place}.id"),
                        format!("'{}' is the id of two endpoints", shown(&endpoint.id)),
                    ));
                }
                endpoint.site = site.clone();
                checked.push(endpoint);
            }
            self.queue.configure(&checked, &site, revision).map(|_| ())
        })
    }

    /// The revision of a site's endpoints; null if the queue has none.
    #[php(defaults(site = String::new()))]
    pub fn revision(&self, site: String) -> PhpResult<Option<i64>> {
        guard(|| self.queue.revision(&site))
    }

    /// Accepts an event and returns its id. When it returns, the event survives the death of every process; with
    /// `sync=full` also a power cut.
    ///
    /// Throws `Posthorn\InvalidArgument`, `Posthorn\Unavailable`, `Posthorn\Full`; nothing is stored then, unless the
    /// message says that this is not certain: the disk failed while it was waited for.
    pub fn dispatch(&self, event: &str, data: &ZendHashTable, context: Option<&ZendHashTable>) -> PhpResult<String> {
        guard(|| {
            let new = self.read_event(event, data, context)?;
            Ok(self.queue.dispatch(&[new])?[0].to_string())
        })
    }

    /// Accepts a list of `[event, data, context]` in one transaction and returns their ids: all or none.
    pub fn dispatch_many(&self, events: &ZendHashTable) -> PhpResult<Vec<String>> {
        guard(|| {
            let mut new = Vec::with_capacity(events.len());
            for (index, value) in events.values().enumerate() {
                let place = format!("events[{index}]");
                let wrong = || Error::invalid(place.clone(), "expected a list [event, data, context]");
                let triple = value.dereference().array().ok_or_else(wrong)?;
                let part = |index: i64| triple.get_index(index).map(Zval::dereference);
                let event = part(0).and_then(Zval::str).ok_or_else(wrong)?;
                let data = part(1).and_then(Zval::array).ok_or_else(wrong)?;
                let context = part(2).and_then(Zval::array);
                new.push(self.read_event(event, data, context).map_err(|error| error.within(&place))?);
            }
            Ok(self.queue.dispatch(&new)?.iter().map(ToString::to_string).collect())
        })
    }

    /// Sends an event that is in no queue to an endpoint that need not be configured, now; the page waits.
    /// Returns an attempt, with `ok`.
    pub fn send(
        &self,
        endpoint: &ZendHashTable,
        event: &str,
        data: &ZendHashTable,
        context: Option<&ZendHashTable>,
    ) -> PhpResult<ZBox<ZendHashTable>> {
        guard(|| {
            let (endpoint, event) = unstored(endpoint, event, data, context)?;
            let (rendered, exchange) = runtime::send_now(&endpoint, &event);
            Ok(to_array(&arrays::attempt(&rendered, &exchange)))
        })
    }

    /// The request that `send()` would make: `url`, `headers`, `body`. Nothing is sent.
    pub fn preview(
        &self,
        endpoint: &ZendHashTable,
        event: &str,
        data: &ZendHashTable,
        context: Option<&ZendHashTable>,
    ) -> PhpResult<ZBox<ZendHashTable>> {
        guard(|| {
            let (endpoint, event) = unstored(endpoint, event, data, context)?;
            let rendered = runtime::preview(&endpoint, &event, SystemClock.now());
            Ok(to_array(&arrays::preview(&endpoint.url, &rendered)))
        })
    }

    /// Deliveries, the newest first.
    pub fn deliveries(&self, filter: Option<&ZendHashTable>) -> PhpResult<ZBox<ZendHashTable>> {
        guard(|| {
            let filter = filter.map(selection).transpose()?.unwrap_or_default();
            let rows = self.queue.deliveries(&filter)?;
            Ok(to_array(&rows.iter().map(|row| Value::Object(arrays::delivery(row))).collect()))
        })
    }

    /// How many deliveries `$filter` selects, whatever its `limit`.
    pub fn count(&self, filter: Option<&ZendHashTable>) -> PhpResult<i64> {
        guard(|| Ok(self.queue.count(&filter.map(selection).transpose()?.unwrap_or_default())? as i64))
    }

    /// One delivery with its event's `data` and its `attempts_log`.
    ///
    /// Throws `Posthorn\InvalidArgument` if there is none with this id.
    pub fn delivery(&self, id: &str) -> PhpResult<ZBox<ZendHashTable>> {
        guard(|| {
            let filter = arrays::filter(&json!({"id": id}))?;
            let missing =
                || Error::invalid("id", format!("there is no delivery '{}'; it may have been pruned", shown(id)));
            let row = self.queue.deliveries(&filter)?.into_iter().next().ok_or_else(missing)?;
            let (event, attempts) = self.queue.attempts(row.id)?.ok_or_else(missing)?;
            let endpoint = self.queue.endpoint_of(row.id)?;
            Ok(to_array(&arrays::delivery_with_attempts(&row, &event, &attempts, endpoint.as_ref())))
        })
    }

    /// Makes the dead deliveries that `$filter` selects pending again, delivered and cancelled ones too if it names their
    /// `state` or an `id`, with a fresh schedule; returns how many. They wait for no other of their record, and no other
    /// waits for them. With a `limit`, the newest so many.
    ///
    /// Throws `Posthorn\InvalidArgument` for a filter that selects everything.
    pub fn replay(&self, filter: &ZendHashTable) -> PhpResult<i64> {
        guard(|| Ok(self.queue.replay(&selection(filter)?)? as i64))
    }

    /// Cancels the pending deliveries that `$filter` selects; returns how many. A request that is under way may still arrive:
    /// `last_error` of its delivery says so. With a `limit`, the newest so many.
    ///
    /// Throws `Posthorn\InvalidArgument` for a filter that selects everything.
    pub fn cancel(&self, filter: &ZendHashTable) -> PhpResult<i64> {
        guard(|| Ok(self.queue.cancel(&selection(filter)?)? as i64))
    }

    /// Counts, of one site or of all; see the manual for the keys.
    pub fn stats(&self, site: Option<String>) -> PhpResult<ZBox<ZendHashTable>> {
        guard(|| {
            let (stats, sending) = self.queue.stats(site.as_deref())?;
            Ok(to_array(&arrays::stats(&stats, sending.as_ref(), self.queue.max_bytes())))
        })
    }

    /// What waits, of all sites: a list with an entry for each endpoint that something waits for.
    pub fn waiting(&self) -> PhpResult<ZBox<ZendHashTable>> {
        guard(|| {
            let now = SystemClock.now();
            Ok(to_array(&self.queue.waiting()?.iter().map(|waiting| arrays::waiting(waiting, now)).collect()))
        })
    }

    /// Makes every retry that waits due at once, of all sites; returns how many there were. Each uses up its attempt.
    /// Pauses and suspensions stay.
    pub fn hurry(&self) -> PhpResult<i64> {
        guard(|| Ok(self.queue.hurry()? as i64))
    }

    /// Takes the queue as this machine's, after it was moved: `host_changed` is false from then on.
    pub fn adopt(&self) -> PhpResult<()> {
        guard(|| self.queue.adopt())
    }

    /// Delivers in this process for `$seconds`; whoever else sends hands over. Returns how many deliveries were
    /// settled meanwhile.
    pub fn work(&self, seconds: f64) -> PhpResult<i64> {
        guard(|| {
            let duration = Duration::try_from_secs_f64(seconds)
                .map_err(|_| Error::invalid("seconds", format!("{seconds} is no number of seconds from 0 on")))?;
            Ok(self.queue.work(duration) as i64)
        })
    }

    /// Pauses a site (nothing is sent for it, nothing is lost), or resumes it.
    pub fn pause(&self, site: &str, paused: bool) -> PhpResult<()> {
        guard(|| self.queue.pause(site, paused))
    }

    /// Whether a site is paused.
    pub fn paused(&self, site: &str) -> PhpResult<bool> {
        guard(|| self.queue.paused(site))
    }

    /// A site's endpoints with the engine's own state: `id`, `site`, `url`, `enabled`, `suspended` (a reason, or
    /// null), `paused_until` (the receiver asked for it), `circuit` (closed, open, half_open), `circuit_open_until`,
    /// `failures` (attempts in a row), `failing_since`, `last_failure_at`, `last_success_at` (up to a minute older). A time
    /// is null where there is none.
    #[php(defaults(site = String::new()))]
    pub fn endpoints(&self, site: String) -> PhpResult<ZBox<ZendHashTable>> {
        guard(|| {
            let states = self.queue.endpoints(&site)?;
            Ok(to_array(&states.iter().map(arrays::endpoint).collect()))
        })
    }

    /// Ends an endpoint's suspension, pause and open circuit breaker; what waits for it is due at once. False if there is no such endpoint.
    #[php(defaults(site = String::new()))]
    pub fn resume(&self, endpoint: &str, site: String) -> PhpResult<bool> {
        guard(|| self.queue.resume(&site, endpoint))
    }
}

impl PhpQueue {
    fn read_event(&self, name: &str, data: &ZendHashTable, context: Option<&ZendHashTable>) -> Result<NewEvent> {
        let mut reader = Reader::default();
        let new = new_event(&mut reader, name, data, context, self.queue.max_data_bytes())?;
        let repairs = reader.repairs;
        if repairs.strings + repairs.numbers > 0 {
            self.queue.log(&format!(
                "{name} {}: replaced {} strings that were not UTF-8 and {} numbers that were not finite",
                new.context.record, repairs.strings, repairs.numbers
            ));
        }
        Ok(new)
    }
}

fn selection(filter: &ZendHashTable) -> Result<Filter> {
    arrays::filter(&read("filter", Some(filter))?).map_err(|error| error.within("filter"))
}

fn unstored(
    endpoint: &ZendHashTable,
    event: &str,
    data: &ZendHashTable,
    context: Option<&ZendHashTable>,
) -> Result<(Endpoint, Event)> {
    let endpoint = Endpoint::from_json(&Reader::strict().array("endpoint", endpoint)?)?;
    let new = new_event(&mut Reader::default(), event, data, context, DEFAULT_MAX_DATA_BYTES)?;
    Ok((endpoint, runtime::unstored_event(new)))
}

fn new_event(
    reader: &mut Reader,
    name: &str,
    data: &ZendHashTable,
    context: Option<&ZendHashTable>,
    max_bytes: usize,
) -> Result<NewEvent> {
    let data = reader.text("data", data)?;
    let context = context.map(|context| reader.context(context, max_bytes)).transpose()?.unwrap_or_default();
    NewEvent::of_text(name, data, context, max_bytes)
}

/// An optional argument; an object, whether or not it has entries.
fn read(key: &str, array: Option<&ZendHashTable>) -> Result<Value> {
    match array {
        Some(array) if !array.is_empty() => Reader::strict().array(key, array),
        _ => Ok(Value::Object(Map::new())),
    }
}

fn queue_options(given: &Value) -> Result<QueueOptions> {
    let mut options = QueueOptions {
        background: ini::background(),
        sync: sync("posthorn.sync", &ini::sync())?,
        max_concurrency: number(
            "posthorn.max_concurrency",
            &json!(ini::max_concurrency().trim().parse::<u64>().ok()),
            1..=256,
        )? as usize,
        ..QueueOptions::default()
    };
    for (key, value) in given.as_object().into_iter().flatten() {
        let place = format!("options.{}", shown(key));
        match key.as_str() {
            "background" => {
                options.background = value.as_bool().ok_or_else(|| {
                    Error::invalid(place, format!("expected true or false, got {}", json::kind(value)))
                })?;
            }
            "sync" => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                options.sync = sync(&place, &text)?;
            }
            "max_concurrency" => options.max_concurrency = number(&place, value, 1..=256)? as usize,
            "max_data_bytes" => options.limits.max_data_bytes = Some(number(&place, value, 1024..=64 << 20)? as usize),
            "max_bytes" => options.limits.max_bytes = Some(number(&place, value, 1 << 20..=1 << 50)?),
            "max_pending_age" => options.limits.max_pending_age = Some(seconds(&place, value)?),
            "keep_delivered" => options.limits.keep_delivered = Some(seconds(&place, value)?),
            "keep_dead" => options.limits.keep_dead = Some(seconds(&place, value)?),
            _ => {
                return Err(Error::invalid(
                    place,
                    "not an option; known are background, sync, max_concurrency, max_data_bytes, max_bytes, max_pending_age, keep_delivered, keep_dead",
                ));
            }
        }
    }
    Ok(options)
}

/// A number of seconds, at most ten years, in milliseconds.
fn seconds(key: &str, value: &Value) -> Result<Millis> {
    Ok(number(key, value, 1..=10 * 366 * 86_400)? as Millis * 1000)
}

fn sync(key: &str, value: &str) -> Result<SyncMode> {
    match value {
        "normal" => Ok(SyncMode::Normal),
        "full" => Ok(SyncMode::Full),
        other => Err(Error::invalid(key, format!("'{}' is neither normal nor full", shown(other)))),
    }
}

fn number(key: &str, value: &Value, range: std::ops::RangeInclusive<u64>) -> Result<u64> {
    value
        .as_u64()
        .filter(|number| range.contains(number))
        .ok_or_else(|| Error::invalid(key, format!("{value} is no number from {} to {}", range.start(), range.end())))
}
