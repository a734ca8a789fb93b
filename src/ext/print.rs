//! PHP arrays as JSON text. What most records are made of is printed where it stands, because the page waits; the rest
//! is read into a value first.

use std::borrow::Cow;

use ext_php_rs::flags::DataType;
use ext_php_rs::types::{ZendHashTable, Zval};

use super::convert::{MAX_DEPTH, Reader};
use crate::error::{Error, Result};
use crate::event::{Context, Given, named_keys_expected};
use crate::json;

/// Enough for the usual record without growing.
const INITIAL_CAPACITY_BYTES: usize = 2048;

/// What an array's keys make of it.
#[derive(PartialEq)]
enum Keys {
    /// 0, 1, 2, … in this order.
    Count,
    /// Names that stay where they are and as they are.
    Name,
    /// Some that JavaScript moves, that are not UTF-8, or that hide a property.
    Other,
}

impl Reader {
    /// Reads `array`, the argument called `key`, and prints it as [`json::to_js_string`] does. Returns also what it is, in
    /// the words of [`json::kind`].
    ///
    /// # Errors
    /// As [`Reader::array`].
    pub fn text(&mut self, key: &str, array: &ZendHashTable) -> Result<(String, &'static str)> {
        let mut out = String::with_capacity(INITIAL_CAPACITY_BYTES);
        self.print_table(&mut out, array, key, 1)?;
        let kind = kind(&out);
        Ok((out, kind))
    }

    /// Reads and checks a context.
    ///
    /// # Errors
    /// As [`Reader::array`] and [`Context::set`]; the keys begin with `context`.
    pub fn context(&mut self, array: &ZendHashTable, max_bytes: usize) -> Result<Context> {
        let mut context = Context::default();
        if !array.is_empty() && keys(array) == Keys::Count {
            return Err(Error::invalid("context", named_keys_expected("a list")));
        }
        let mut entries = array.iter();
        while let Some((key, value)) = entries.next_zval() {
            let key = match key.long() {
                Some(index) => Cow::Owned(index.to_string()),
                None => self.utf8(bytes(&key)),
            };
            if !key.starts_with('\0') {
                let given = self.given(value.dereference())?;
                context.set(&key, given, max_bytes).map_err(|error| error.within("context"))?;
            }
        }
        Ok(context)
    }

    fn given<'a>(&mut self, value: &'a Zval) -> Result<Given<'a>> {
        Ok(match value.get_type() {
            DataType::String => Given::Text(self.utf8(bytes(value))),
            DataType::Array => {
                let mut out = String::new();
                self.print(&mut out, value, "context", 2)?;
                let kind = kind(&out);
                Given::Other(out, kind)
            }
            _ => Given::from(&self.value(value, "context", 2)?),
        })
    }

    fn print(&mut self, out: &mut String, value: &Zval, key: &str, depth: usize) -> Result<()> {
        let value = value.dereference();
        match value.get_type() {
            _ if depth > MAX_DEPTH => json::write_value(out, &self.value(value, key, depth)?),
            DataType::Null => out.push_str("null"),
            DataType::False => out.push_str("false"),
            DataType::True => out.push_str("true"),
            DataType::Long => json::write_integer(out, value.long().unwrap_or_default()),
            DataType::String => json::write_str(out, &self.utf8(bytes(value))),
            DataType::Array => match value.array() {
                Some(array) => self.print_table(out, array, key, depth)?,
                None => out.push_str("null"),
            },
            _ => json::write_value(out, &self.value(value, key, depth)?),
        }
        Ok(())
    }

    fn print_table(&mut self, out: &mut String, array: &ZendHashTable, key: &str, depth: usize) -> Result<()> {
        let keys = keys(array);
        let (open, close) = match keys {
            Keys::Count => ('[', ']'),
            Keys::Name => ('{', '}'),
            Keys::Other => {
                json::write_value(out, &self.table(array, key, depth)?);
                return Ok(());
            }
        };
        let mut before = open;
        let mut entries = array.iter();
        while let Some((name, value)) = entries.next_zval() {
            out.push(std::mem::replace(&mut before, ','));
            if keys == Keys::Name {
                json::write_str(out, &self.utf8(bytes(&name)));
                out.push(':');
            }
            self.print(out, value, key, depth + 1)?;
        }
        if before == open {
            out.push(open);
        }
        out.push(close);
        Ok(())
    }
}

fn keys(array: &ZendHashTable) -> Keys {
    let (mut count, mut names) = (0, 0);
    let mut entries = array.iter();
    while let Some((key, _)) = entries.next_zval() {
        match key.long() {
            Some(index) if index == count && names == 0 => count += 1,
            None if count == 0 && stays(bytes(&key)) => names += 1,
            _ => return Keys::Other,
        }
    }
    if names == 0 { Keys::Count } else { Keys::Name }
}

/// Whether a key is printed as it is and where it is; see [`Reader::array`] for those that are not.
fn stays(key: &[u8]) -> bool {
    !key.starts_with(b"\0") && std::str::from_utf8(key).is_ok_and(|key| !json::is_array_index(key))
}

fn bytes(text: &Zval) -> &[u8] {
    text.zend_str().map(|text| text.as_bytes()).unwrap_or_default()
}

fn kind(printed: &str) -> &'static str {
    match printed.as_bytes() {
        b"[]" => "an empty array",
        [b'[', ..] => "a list",
        _ => "an array with named keys",
    }
}
