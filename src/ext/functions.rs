//! The namespace's functions: what the extension knows without a queue.

use ext_php_rs::binary_slice::BinarySlice;
use std::path::Path;
use std::sync::Arc;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::prelude::*;
use ext_php_rs::types::{ZendHashTable, Zval};
use serde_json::{Value, json};

use super::arrays;
use super::convert::{Reader, to_array};
use super::guard::guard;
use super::statement;
use crate::endpoint;
use crate::error::{Error, Result};
use crate::event::{Context, NewEvent};
use crate::filter::Filters;
use crate::format::{self, Format};
use crate::runtime::Queue;

/// Adds the functions; what the macro makes of them is private to this file.
pub(super) fn register(module: ModuleBuilder) -> ModuleBuilder {
    module
        .function(wrap_function!(posthorn_events))
        .function(wrap_function!(posthorn_formats))
        .function(wrap_function!(posthorn_presets))
        .function(wrap_function!(posthorn_generate_secret))
        .function(wrap_function!(posthorn_read_format))
        .function(wrap_function!(posthorn_try_filters))
        .function(wrap_function!(posthorn_inspect))
        .function(wrap_function!(posthorn_keep_sending))
        .function(wrap_function!(posthorn_read_statement))
        .function(wrap_function!(posthorn_wanted))
}

/// The catalogue: a list of events, each with `name`, `group`, `title`, `meaning`, `note` (more of it, may be empty), `entity`,
/// `source`, `other_names`, `systems` (the formats that have it), `offered` (by the default format's system), `sample`,
/// `previous` (of a change: what fields of the sample held before; else empty).
#[php_function]
#[php(name = "Posthorn\\events")]
pub fn posthorn_events() -> PhpResult<ZBox<ZendHashTable>> {
    guard(|| Ok(to_array(&arrays::events())))
}

/// The presets, or with a `$url` the one that it belongs to, if any: a list, each with `name`, `title`, `hosts` (a URL whose host is one of these, or below one, is of this
/// receiver), `format`, `rate_per_second`, `timeout` in seconds and `max_body_bytes` (null where it sets none).
#[php_function]
#[php(name = "Posthorn\\presets")]
pub fn posthorn_presets(url: Option<&str>) -> PhpResult<ZBox<ZendHashTable>> {
    guard(|| Ok(to_array(&arrays::presets(url))))
}

/// The formats: a list, each with `name`, `title`, `timeout` and `schedule` in seconds, `schedule_jitter` (each delay is
/// longer by up to this share of it), `circuit_breaker` (by default), `https_only`,
/// `needs_secret`, `signature_header`, `events` (empty for no limit), `secret_form` (text, whsec), `signs_with_each_secret`
/// (during a rotation), `definition` (all of it, in the form that an endpoint's `format` takes under another name).
#[php_function]
#[php(name = "Posthorn\\formats")]
pub fn posthorn_formats() -> PhpResult<ZBox<ZendHashTable>> {
    guard(|| Ok(to_array(&arrays::formats())))
}

/// Whether this process has opened the queue of `directory`. If so, its background thread is started again should it have
/// ended. A page that fires no event pays nothing else.
#[php_function]
#[php(name = "Posthorn\\keep_sending")]
pub fn posthorn_keep_sending(directory: String) -> PhpResult<bool> {
    guard(|| Ok(Queue::keep_sending(Path::new(&directory))))
}

/// What can be told of a queue's directory without opening the queue, also of one that cannot be opened: `file_system` (local,
/// memory, overlay, network, unknown), `file_system_type`, `disk_bytes`, `disk_free_bytes`, `host`, `last_host`,
/// `host_changed`, and `dispatcher` with its companions as `stats()` has them. Waits up to a second for a dispatcher that
/// does not answer.
#[php_function]
#[php(name = "Posthorn\\inspect")]
pub fn posthorn_inspect(directory: String) -> PhpResult<ZBox<ZendHashTable>> {
    guard(|| Ok(to_array(&arrays::inspection(Path::new(&directory)))))
}

/// A new random secret of 256 bits in the form that `format`, a name or a definition, wants. Throws
/// `Posthorn\InvalidArgument` for a format that does not exist, or is wrong.
#[php_function]
#[php(name = "Posthorn\\generate_secret")]
pub fn posthorn_generate_secret(format: Option<&Zval>) -> PhpResult<String> {
    guard(|| Ok(format::generate_secret(&*read_format(format)?)?.expose().to_owned()))
}

/// What an endpoint's `format` means, a name or a whole definition: what `formats()` has of each. Throws
/// `Posthorn\InvalidArgument` as `configure()` does.
#[php_function]
#[php(name = "Posthorn\\read_format")]
pub fn posthorn_read_format(format: &Zval) -> PhpResult<ZBox<ZendHashTable>> {
    guard(|| {
        let format = read_format(Some(format))?;
        format.named_apart()?;
        Ok(to_array(&arrays::format(&format)))
    })
}

/// The default, if there is none or it is null.
fn read_format(given: Option<&Zval>) -> Result<Arc<Format>> {
    match given.map(|given| Reader::strict().value(given, "format", 1)).transpose()? {
        None | Some(Value::Null) => format::read(&format::DEFAULT.into()),
        Some(format) => format::read(&format),
    }
}

/// What an endpoint's `filters` do, without a queue: `warnings`, a list of conditions that hold for no record, each with
/// `field` and `why`; `passes`, for each of `events` (a list of `[event, data]`) whether it would be sent. Throws
/// `Posthorn\InvalidArgument` as `configure()` does.
#[php_function]
#[php(name = "Posthorn\\try_filters")]
pub fn posthorn_try_filters(filters: &ZendHashTable, events: Option<&ZendHashTable>) -> PhpResult<ZBox<ZendHashTable>> {
    guard(|| {
        let filters = Filters::from_json(Some(&Reader::default().array("filters", filters)?))?;
        let mut passes = Vec::new();
        for (index, value) in events.iter().flat_map(|events| events.values()).enumerate() {
            let place = format!("events[{index}]");
            let wrong = || Error::invalid(place.clone(), "expected a list [event, data]");
            let pair = value.dereference().array().ok_or_else(wrong)?;
            let name = pair.get_index(0).and_then(|name| name.dereference().str()).ok_or_else(wrong)?;
            let data = pair.get_index(1).and_then(|data| data.dereference().array()).ok_or_else(wrong)?;
            let data = Reader::default().text("data", data);
            let event = data.and_then(|data| NewEvent::of_text(name, data, Context::default(), usize::MAX));
            passes.push(filters.pass_event(&event.map_err(|error| error.within(&place))?));
        }
        let warnings: Vec<Value> =
            filters.warnings().into_iter().map(|(field, why)| json!({"field": field, "why": why})).collect();
        Ok(to_array(&json!({"warnings": warnings, "passes": passes})))
    })
}

/// Which rows of watched tables a statement writes, told before it runs; MySQL's and MariaDB's dialect. `tables` is name →
/// list of unique keys, each a list of columns, the primary key first; a name with `*` before it is how names end.
///
/// Null: it writes none of them and is about no transaction. Else an array. Of a write: `verb` (insert, replace, update,
/// delete), `table`, `schema`, `condition` (what to read at least the touched rows by; null if that cannot be told),
/// `bounded`, `adds`, `rows`, `implicit_commit`, `also` (the other tables that are written). Of a transaction: `verb` (begin,
/// commit, rollback, savepoint, release, autocommit) with `implicit`, `chain`, `savepoint`, `on`. Throws
/// `Posthorn\InvalidArgument` for a table or key that is none.
#[php_function]
#[php(name = "Posthorn\\read_statement")]
pub fn posthorn_read_statement(sql: BinarySlice<u8>, tables: &ZendHashTable) -> PhpResult<Option<ZBox<ZendHashTable>>> {
    guard(|| statement::read(&sql, tables))
}

/// The events of which an endpoint may be sent any: the catalogue's own names, whatever names `events`, a list as the
/// endpoint's key of that name, has for them. Throws `Posthorn\InvalidArgument` for events that such an endpoint would be
/// refused for, and for a `format`, a name or a definition, that does not exist or is wrong.
#[php_function]
#[php(name = "Posthorn\\wanted")]
pub fn posthorn_wanted(events: &ZendHashTable, format: Option<&Zval>) -> PhpResult<ZBox<ZendHashTable>> {
    guard(|| {
        let events = Reader::default().array("events", events)?;
        Ok(to_array(&endpoint::wanted(&events, &*read_format(format)?)?.into()))
    })
}
