//! Filters: which records an endpoint is sent. Conditions and operators are those of Winnerr's webhook API (formats.md, S2).
//!
//! A filter is a path → condition; all conditions must hold. A condition is a plain value, which the field must equal, or an
//! array of operators, all of which must hold.

mod javascript;

use std::cell::OnceCell;
use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::error::{Error, Result, shown};
use crate::event::NewEvent;
use crate::{catalogue, json};

/// More than anybody reads at a glance; each is looked at while a page waits.
const MAX_CONDITIONS: usize = 50;

/// Bytes of a path.
const MAX_PATH_BYTES: usize = 200;

/// Bytes of all conditions as JSON: every page keeps them in memory.
const MAX_BYTES: usize = 65_536;

/// Arrays in arrays of a condition. The stored copy is read by a parser that stops at 128.
const MAX_DEPTH: usize = 16;

const OPERATORS: &[&str] = &["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"];

/// An endpoint's filters, checked. Without any, every record passes.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    given: Map<String, Value>,
    conditions: Vec<(Vec<String>, Vec<Test>)>,
}

impl PartialEq for Filters {
    fn eq(&self, other: &Self) -> bool {
        // The conditions follow from it.
        self.given == other.given
    }
}

/// One operator and what it compares with.
#[derive(Clone, Debug)]
enum Test {
    Equals(Value),
    Differs(Value),
    Order(fn(Ordering) -> bool, Value),
    In(Vec<Value>),
    NotIn(Vec<Value>),
    /// An unknown operator, `{}`, a list: holds for nothing. With the reason, for a warning.
    Never(String),
}

/// The data of one event, read when the first filter asks for it.
pub struct Record<'a> {
    /// What it is called: the entity, and the word that its event's name begins with.
    words: [&'a str; 2],
    data: &'a str,
    read: OnceCell<Value>,
}

impl<'a> Record<'a> {
    /// A record called `entity`, with its data as JSON.
    pub fn new(entity: &'a str, data: &'a str) -> Self {
        Record { words: [entity, entity], data, read: OnceCell::new() }
    }

    /// The same of an event called `name`: the entity of `communication.call_ended` is a `call`, and Winnerr's users know it
    /// as a `communication`.
    pub fn of_event(name: &'a str, entity: &'a str, data: &'a str) -> Self {
        let word = name.split('.').next().unwrap_or_default();
        Record { words: [entity, word], ..Record::new(entity, data) }
    }

    /// The field at `path`, which may begin with what the record is called. One of more than 127 levels is missing.
    fn field(&self, path: &[String]) -> Option<&Value> {
        let data = self.read.get_or_init(|| Value::Object(json::read_object(self.data)));
        let without_entity = || match path {
            [first, rest @ ..] if !rest.is_empty() && self.words.contains(&first.as_str()) => at(data, rest),
            _ => None,
        };
        at(data, path).or_else(without_entity)
    }
}

fn at<'a>(data: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(data, |value, name| match value {
        Value::Object(map) => map.get(name),
        Value::Array(list) if json::is_array_index(name) => list.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

impl Filters {
    /// Checks filters as the PHP API takes them. A condition that can hold for nothing is no error, because Winnerr's API
    /// takes it; [`Filters::warnings`] tells of it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for anything but paths with conditions, and for too many or too large ones.
    pub fn from_json(value: Option<&Value>) -> Result<Self> {
        let map = match value {
            None | Some(Value::Null) => return Ok(Filters::default()),
            // PHP has one type for lists and maps, and an empty one looks like a list.
            Some(Value::Array(list)) if list.is_empty() => return Ok(Filters::default()),
            Some(Value::Object(map)) => map,
            Some(other) => {
                return Err(Error::invalid(
                    "filters",
                    format!(
                        "expected field => condition, such as 'leadScore' => ['gte' => 70], got {}",
                        json::kind(other)
                    ),
                ));
            }
        };
        if map.len() > MAX_CONDITIONS {
            return Err(Error::invalid(
                "filters",
                format!("it has {} conditions, the limit is {MAX_CONDITIONS}; use in instead of several", map.len()),
            ));
        }
        let mut conditions = Vec::with_capacity(map.len());
        for (path, condition) in map {
            let wrong = |rule: String| Err(Error::invalid(format!("filters.{}", shown(path)), rule));
            if path.is_empty() || path.len() > MAX_PATH_BYTES || path.split('.').any(str::is_empty) {
                return wrong(format!(
                    "it is no path of a field, such as status or address.city, of at most {MAX_PATH_BYTES} bytes"
                ));
            }
            if depth(condition) > MAX_DEPTH {
                return wrong(format!("it is nested deeper than {MAX_DEPTH} levels; compare with plain values"));
            }
            conditions.push((path.split('.').map(str::to_owned).collect(), tests(condition)));
        }
        let bytes = serde_json::to_string(map).map_or(0, |text| text.len());
        if bytes > MAX_BYTES {
            return Err(Error::invalid(
                "filters",
                format!("it is {bytes} bytes as JSON, the limit is {MAX_BYTES}; filter by fewer values"),
            ));
        }
        Ok(Filters { given: map.clone(), conditions })
    }

    /// The filters as they were given.
    pub fn to_json(&self) -> Value {
        Value::Object(self.given.clone())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Whether `event` passes. A test passes every filter.
    pub fn pass_event(&self, event: &NewEvent) -> bool {
        self.pass_record(event, &event.record())
    }

    /// The same, of an event whose data several endpoints ask for.
    pub(crate) fn pass_record(&self, event: &NewEvent, record: &Record) -> bool {
        self.is_empty() || event.name == catalogue::TEST || self.pass(record)
    }

    /// Whether all conditions hold for `record`.
    pub fn pass(&self, record: &Record) -> bool {
        self.conditions.iter().all(|(path, tests)| {
            let field = record.field(path);
            tests.iter().all(|test| test.holds(field))
        })
    }

    /// Conditions that hold for no record: the path, and why.
    pub fn warnings(&self) -> Vec<(String, String)> {
        let mut warnings = Vec::new();
        for (path, tests) in &self.conditions {
            for test in tests {
                if let Test::Never(why) = test {
                    warnings.push((path.join("."), why.clone()));
                }
            }
        }
        warnings
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn tests(condition: &Value) -> Vec<Test> {
    match condition {
        Value::Object(operators) if operators.is_empty() => vec![Test::Never("it names no operator".to_owned())],
        Value::Object(operators) => operators.iter().map(|(name, operand)| test(name, operand)).collect(),
        Value::Array(list) if list.is_empty() => vec![Test::Never("it names no operator".to_owned())],
        Value::Array(_) => vec![Test::Never("a list is no condition; write in => [ … ]".to_owned())],
        plain => vec![Test::Equals(as_sent(plain))],
    }
}

fn test(operator: &str, operand: &Value) -> Test {
    let order = |holds| Test::Order(holds, operand.clone());
    match (operator, operand) {
        ("eq", _) => Test::Equals(as_sent(operand)),
        ("ne", _) => Test::Differs(as_sent(operand)),
        ("gt", _) => order(Ordering::is_gt),
        ("gte", _) => order(Ordering::is_ge),
        ("lt", _) => order(Ordering::is_lt),
        ("lte", _) => order(Ordering::is_le),
        ("in", Value::Array(list)) => Test::In(list.iter().map(as_sent).collect()),
        ("nin", Value::Array(list)) => Test::NotIn(list.iter().map(as_sent).collect()),
        ("in" | "nin", other) => Test::Never(format!("{operator} needs a list, not {}", json::kind(other))),
        _ => Test::Never(format!("'{}' is none of the operators {}", shown(operator), OPERATORS.join(", "))),
    }
}

/// `value` as a record would have it: an integer that JavaScript cannot hold is text there.
fn as_sent(value: &Value) -> Value {
    json::read(&json::to_js_string(value)).unwrap_or_default()
}

impl Test {
    fn holds(&self, field: Option<&Value>) -> bool {
        let Some(field) = field else { return matches!(self, Test::Differs(_) | Test::NotIn(_)) };
        match self {
            Test::Equals(value) => same(field, value),
            Test::Differs(value) => !same(field, value),
            Test::Order(holds, value) => javascript::compare(field, value).is_some_and(holds),
            Test::In(list) => list.iter().any(|value| same(field, value)),
            Test::NotIn(list) => !list.iter().any(|value| same(field, value)),
            Test::Never(_) => false,
        }
    }
}

/// Whether type and value are the same, of lists and arrays with named keys those of all that is in them. JavaScript has
/// one type of number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}
