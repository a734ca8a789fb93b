//! `Posthorn\read_statement`: a statement's bytes in, PHP arrays out. Conditions hold the statement's own bytes, so nothing
//! here goes through JSON.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::convert::IntoZval;
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};

use crate::error::{Error, Result};
use crate::statement::{self, Reading, Step, Watched, Write};

/// The argument `$tables`: name → keys, each a list of columns; name → the primary key's column; or a name alone.
pub(super) fn tables<'a>(array: &'a ZendHashTable) -> Result<Vec<Watched<'a>>> {
    let mut tables = Vec::with_capacity(array.len());
    let mut entries = array.iter();
    while let Some((name, value)) = entries.next_zval() {
        let value = value.dereference();
        if let Some(index) = name.long() {
            let key = format!("tables[{index}]");
            let watched =
                text(value, &key).and_then(|name| Watched::new(name, Vec::new()).map_err(|e| e.within(&key)))?;
            tables.push(watched);
            continue;
        }
        let bytes = name.zend_str().map(|name| name.as_bytes()).unwrap_or_default();
        let within = || format!("tables.{}", String::from_utf8_lossy(bytes));
        let name = std::str::from_utf8(bytes)
            .map_err(|_| Error::invalid(within(), "a table's name that is not UTF-8; write it in UTF-8"))?;
        let keys = keys(value).map_err(|error| error.within(&within()))?;
        tables.push(Watched::new(name.to_owned(), keys).map_err(|error| error.within(&within()))?);
    }
    Ok(tables)
}

fn any_name(array: &ZendHashTable, is_named: &dyn Fn(&[u8]) -> bool) -> bool {
    let mut entries = array.iter();
    while let Some((name, value)) = entries.next_zval() {
        let name = if name.long().is_some() { value.dereference().zend_str() } else { name.zend_str() };
        // What is no name must not go by unseen.
        if name.is_none_or(|name| is_named(name.as_bytes())) {
            return true;
        }
    }
    false
}

fn keys(value: &Zval) -> Result<Vec<Vec<&str>>> {
    let Some(array) = value.array() else {
        return match text(value, "")? {
            "" => Err(Error::invalid("", "an empty column name; give the primary key's column")),
            column => Ok(vec![vec![column]]),
        };
    };
    let mut keys = Vec::with_capacity(array.len());
    for (n, key) in array.values().enumerate() {
        let at = format!("[{n}]");
        let Some(columns) = key.dereference().array() else {
            return Err(Error::invalid(at, format!("expected a list of columns, got {}", kind(key))));
        };
        let columns: Result<Vec<&str>> =
            columns.values().enumerate().map(|(m, column)| text(column, &format!("[{n}][{m}]"))).collect();
        keys.push(columns?);
    }
    Ok(keys)
}

fn text<'a>(value: &'a Zval, key: &str) -> Result<&'a str> {
    let Some(text) = value.dereference().zend_str() else {
        return Err(Error::invalid(key, format!("expected a name, a string, got {}", kind(value))));
    };
    std::str::from_utf8(text.as_bytes()).map_err(|_| Error::invalid(key, "a name that is not UTF-8; write it in UTF-8"))
}

fn kind(value: &Zval) -> String {
    value.dereference().get_type().to_string()
}

/// Reads a statement; `None` is PHP's null.
pub(super) fn read(sql: &[u8], array: &ZendHashTable) -> Result<Option<ZBox<ZendHashTable>>> {
    // Most of a page's statements end here, before the tables are checked.
    if !statement::may_matter(sql, |is_named| any_name(array, is_named)) {
        return Ok(None);
    }
    Ok(match statement::read(sql, &tables(array)?) {
        Some(Reading::Writes(writes)) => {
            let mut entries = writes.iter();
            let first = entries.next().map(write);
            first.map(|mut first| {
                let mut also = ZendHashTable::new();
                // Inserting fails only into an array with 2^63 elements.
                entries.for_each(|other| also.push(write(other)).unwrap_or_default());
                set(&mut first, "also", also);
                first
            })
        }
        Some(Reading::Transaction(step)) => Some(transaction(&step)),
        None => None,
    })
}

fn write(write: &Write) -> ZBox<ZendHashTable> {
    let mut array = ZendHashTable::new();
    set(&mut array, "verb", write.verb.as_str());
    set(&mut array, "table", bytes(&write.table));
    set(&mut array, "schema", write.schema.as_deref().map(bytes));
    set(&mut array, "condition", write.condition.as_deref().map(bytes));
    set(&mut array, "bounded", write.bounded.as_deref().map(bytes));
    set(&mut array, "adds", write.adds);
    set(&mut array, "rows", write.rows.map(|rows| i64::try_from(rows).unwrap_or(i64::MAX)));
    set(&mut array, "replaces", write.replaces);
    set(&mut array, "implicit_commit", write.implicit_commit);
    array
}

fn transaction(step: &Step) -> ZBox<ZendHashTable> {
    let mut array = ZendHashTable::new();
    match step {
        Step::Begin => set(&mut array, "verb", "begin"),
        Step::Commit { implicit, chain } => {
            set(&mut array, "verb", "commit");
            set(&mut array, "implicit", *implicit);
            set(&mut array, "chain", *chain);
        }
        Step::Rollback { savepoint, chain } => {
            set(&mut array, "verb", "rollback");
            set(&mut array, "savepoint", savepoint.as_deref().map(bytes));
            set(&mut array, "chain", *chain);
        }
        Step::Savepoint(name) => {
            set(&mut array, "verb", "savepoint");
            set(&mut array, "savepoint", bytes(name));
        }
        Step::Release(name) => {
            set(&mut array, "verb", "release");
            set(&mut array, "savepoint", bytes(name));
        }
        Step::Autocommit(on) => {
            set(&mut array, "verb", "autocommit");
            set(&mut array, "on", *on);
        }
    }
    array
}

fn set(array: &mut ZendHashTable, key: &str, value: impl IntoZval) {
    array.insert(key, value).unwrap_or_default();
}

fn bytes(text: &[u8]) -> Zval {
    let mut value = Zval::new();
    value.set_zend_string(ZendStr::new(text, false));
    value
}
