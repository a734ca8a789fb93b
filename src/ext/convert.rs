//! PHP values and JSON values, both ways.

use std::borrow::Cow;
use std::ffi::c_int;
use std::ptr;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::convert::IntoZval;
use ext_php_rs::flags::{ClassFlags, DataType};
use ext_php_rs::types::{ZendHashTable, ZendObject, Zval};
use ext_php_rs::zend::ExecutorGlobals;
use serde_json::{Map, Number, Value};

use crate::error::{Error, Result, shown};

/// As deep as PHP's own `json_encode` goes.
pub(super) const MAX_DEPTH: usize = 512;

/// What had to be changed for a value to become JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Repairs {
    /// Strings that were not UTF-8, whose bad bytes became U+FFFD.
    pub strings: usize,
    /// NaN and infinities, which became null.
    pub numbers: usize,
}

/// Turns PHP values into JSON, as `json_encode` would but for dates, which become ISO 8601 with their offset, and keeps
/// count of what it repaired.
#[derive(Default)]
pub(super) struct Reader {
    pub repairs: Repairs,
    /// Nothing is replaced, as in an event's data: a setting that is no number is a mistake.
    strict: bool,
}

impl Reader {
    /// For settings.
    pub fn strict() -> Self {
        Reader { strict: true, ..Reader::default() }
    }

    /// Reads `array`, the argument called `key`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for what JSON has no word for (resources, closures), for recursion, and for an
    /// object whose `jsonSerialize()` throws.
    pub fn array(&mut self, key: &str, array: &ZendHashTable) -> Result<Value> {
        self.table(array, key, 1)
    }

    pub(super) fn value(&mut self, value: &Zval, key: &str, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(Error::invalid(
                key,
                format!(
                    "it is nested deeper than {MAX_DEPTH} levels, or contains itself; send a flatter copy of the data"
                ),
            ));
        }
        let value = value.dereference();
        Ok(match value.get_type() {
            DataType::Undef | DataType::Null => Value::Null,
            DataType::False => Value::Bool(false),
            DataType::True => Value::Bool(true),
            DataType::Long => Value::Number(value.long().unwrap_or_default().into()),
            DataType::Double => {
                let number = value.double().unwrap_or_default();
                if self.strict && !number.is_finite() {
                    return Err(Error::invalid(
                        key,
                        format!("{number} is no number that can be kept; give a finite one"),
                    ));
                }
                self.double(number)
            }
            DataType::String => {
                let bytes = value.zend_str().map(|text| text.as_bytes()).unwrap_or_default();
                if self.strict && std::str::from_utf8(bytes).is_err() {
                    return Err(Error::invalid(key, "it is not UTF-8; convert the text"));
                }
                Value::String(self.utf8(bytes).into_owned())
            }
            DataType::Array => match value.array() {
                Some(array) => self.table(array, key, depth)?,
                None => Value::Null,
            },
            DataType::Object(_) => match value.object() {
                Some(object) => self.object(value, object, key, depth)?,
                None => Value::Null,
            },
            DataType::Indirect => match value.indirect() {
                Some(inner) => self.value(inner, key, depth)?,
                None => Value::Null,
            },
            other => {
                return Err(Error::invalid(
                    key,
                    format!("it contains a {other}, which JSON has no form for; leave it out"),
                ));
            }
        })
    }

    fn double(&mut self, number: f64) -> Value {
        Number::from_f64(number).map(Value::Number).unwrap_or_else(|| {
            self.repairs.numbers += 1;
            Value::Null
        })
    }

    pub(super) fn utf8<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, str> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                self.repairs.strings += 1;
                String::from_utf8_lossy(bytes)
            }
        }
    }

    pub(super) fn table(&mut self, array: &ZendHashTable, key: &str, depth: usize) -> Result<Value> {
        if is_list(array) {
            let list = array.values().enumerate().map(|(index, value)| {
                if self.strict {
                    return self.value(value, &format!("{key}[{index}]"), depth + 1);
                }
                self.value(value, key, depth + 1)
            });
            return list.collect::<Result<_>>().map(Value::Array);
        }
        self.map(array, key, depth)
    }

    fn map(&mut self, array: &ZendHashTable, key: &str, depth: usize) -> Result<Value> {
        let mut map = Map::with_capacity(array.len());
        // Not `for (key, value) in`: that panics at a key that is not UTF-8.
        let mut entries = array.iter();
        while let Some((name, value)) = entries.next_zval() {
            let name = match name.long() {
                Some(index) => index.to_string(),
                None => self.utf8(name.zend_str().map(|name| name.as_bytes()).unwrap_or_default()).into_owned(),
            };
            // A property that is not public has its class's name before it, between zero bytes.
            if !name.starts_with('\0') {
                let value = match self.strict {
                    true => self.value(value, &format!("{key}.{}", shown(&name)), depth + 1)?,
                    false => self.value(value, key, depth + 1)?,
                };
                map.insert(name, value);
            }
        }
        Ok(Value::Object(map))
    }

    fn object(&mut self, value: &Zval, object: &ZendObject, key: &str, depth: usize) -> Result<Value> {
        let class = object.get_class_name().unwrap_or_else(|_| "object".to_owned());
        let failed =
            |what: &str| Error::invalid(key, format!("an object of class {class} {what}; send an array instead"));
        if object.get_class_entry().flags().contains(ClassFlags::Enum) {
            // Reading the property would fetch it for writing, which an enum refuses.
            let properties = object.get_properties().map_err(|_| failed("does not tell its properties"))?;
            let backing = properties.get("value").ok_or_else(|| failed("is an enum case without a value"))?;
            return self.value(backing, key, depth + 1);
        }
        if class == "Closure" || class == "Generator" {
            return Err(failed("has no form in JSON"));
        }
        if is_a(object, "DateTimeInterface") {
            // json_encode shows three properties, which no receiver reads as a time.
            let text = value.try_call_method("format", vec![&"Y-m-d\\TH:i:sP"]).map_err(|_| failed("tells no time"))?;
            return self.value(&text, key, depth + 1);
        }
        if is_a(object, "JsonSerializable") {
            let serialized = value.try_call_method("jsonSerialize", vec![]);
            if is_ending() {
                return Err(failed("ended the script"));
            }
            // Ours is thrown in its place.
            let thrown = ExecutorGlobals::take_exception();
            let serialized = match (serialized, thrown) {
                (Ok(serialized), None) => serialized,
                (_, thrown) => {
                    let what = thrown.and_then(|thrown| thrown.get_class_name().ok());
                    return Err(failed(&format!(
                        "threw {} in jsonSerialize()",
                        what.as_deref().unwrap_or("an exception")
                    )));
                }
            };
            // What it returns may be the object itself, which json_encode takes by its properties.
            return match serialized.object() {
                Some(inner) if inner.get_id() == object.get_id() => self.properties(value, key, depth),
                _ => self.value(&serialized, key, depth + 1),
            };
        }
        self.properties(value, key, depth)
    }

    fn properties(&mut self, value: &Zval, key: &str, depth: usize) -> Result<Value> {
        let mut properties = Zval::new();
        // SAFETY: `value` is an object. PHP returns a table that we own a reference to, or null; the value that it is
        // put into gives the reference back.
        unsafe {
            match ptr::NonNull::new(zend_get_properties_for(ptr::from_ref(value).cast_mut(), PURPOSE_JSON)) {
                Some(table) => properties.set_hashtable(ZBox::from_raw(table.as_ptr())),
                None => return Ok(Value::Object(Map::new())),
            }
        }
        match properties.array() {
            Some(table) => self.map(table, key, depth),
            None => Ok(Value::Object(Map::new())),
        }
    }
}

unsafe extern "C" {
    /// The properties that an object shows for a purpose: dates and ArrayObject have others than their own.
    fn zend_get_properties_for(object: *mut Zval, purpose: c_int) -> *mut ZendHashTable;
}

/// `ZEND_PROP_PURPOSE_JSON`, what `json_encode` asks for.
const PURPOSE_JSON: c_int = 4;

/// Whether PHP is unwinding because of `exit()`: that is no exception of anybody's, and stays.
fn is_ending() -> bool {
    let class = ExecutorGlobals::get().exception().and_then(|pending| pending.get_class_name().ok());
    matches!(class.as_deref(), Some("UnwindExit" | "GracefulExit"))
}

/// Whether the keys are 0, 1, 2, … in this order; ext-php-rs's own way panics at a key that is not UTF-8.
fn is_list(array: &ZendHashTable) -> bool {
    let (mut entries, mut next) = (array.iter(), 0);
    while let Some((key, _)) = entries.next_zval() {
        if key.long() != Some(next) {
            return false;
        }
        next += 1;
    }
    true
}

fn is_a(object: &ZendObject, class: &str) -> bool {
    ext_php_rs::zend::ClassEntry::try_find(class).is_some_and(|class| object.instance_of(class))
}

/// Turns JSON into PHP: objects become arrays with named keys.
pub(super) fn to_php(value: &Value) -> Zval {
    match value {
        Value::Null => Zval::null(),
        Value::Bool(flag) => php(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => php(number),
            None => php(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => php(text.as_str()),
        Value::Array(_) | Value::Object(_) => {
            let mut array = Zval::new();
            array.set_hashtable(to_array(value));
            array
        }
    }
}

/// Turns a JSON list or object into a PHP array; anything else has no elements.
pub(super) fn to_array(value: &Value) -> ZBox<ZendHashTable> {
    let mut array = ZendHashTable::new();
    // Inserting fails only into an array with 2^63 elements.
    match value {
        Value::Array(list) => list.iter().for_each(|value| array.push(to_php(value)).unwrap_or_default()),
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| array.insert(key.as_str(), to_php(value)).unwrap_or_default())
        }
        _ => {}
    }
    array
}

fn php(value: impl IntoZval) -> Zval {
    value.into_zval(false).unwrap_or_else(|_| Zval::null())
}
