//! `[filters, data]`: filters as PHP hands them over, and the data of an event.

use posthorn::filter::{Filters, Record};
use posthorn::json::to_js_string;
use serde_json::{Map, Value};

pub fn run(data: &[u8]) {
    let Ok(Value::Array(pair)) = serde_json::from_slice::<Value>(data) else { return };
    let [given, record] = &pair[..] else { return };
    let filters = match Filters::from_json(Some(given)) {
        Ok(filters) => filters,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let record = to_js_string(record);
    let passes = |filters: &Filters| filters.pass(&Record::new("\u{1}", &record));
    assert!(!passes(&filters) || filters.warnings().is_empty(), "{given} {record}");
    assert!(Filters::from_json(Some(&filters.to_json())).is_ok_and(|again| again == filters), "{given}");
    let Some(conditions) = given.as_object() else { return };
    let prefixed: Map<String, Value> =
        conditions.iter().map(|(path, condition)| (format!("\u{1}.{path}"), condition.clone())).collect();
    // The longer path may be too long, and a field may have that very name.
    let Ok(prefixed) = Filters::from_json(Some(&Value::Object(prefixed))) else { return };
    assert!(record.contains("\\u0001") || passes(&prefixed) == passes(&filters), "{given} {record}");
}
