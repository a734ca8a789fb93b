//! JSON, as JavaScript prints it: what is printed reads back as the same.

use posthorn::json::{read, to_js_string, without, write_str};
use serde_json::Value;

pub fn run(data: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<Value>(data) {
        let printed = to_js_string(&value);
        let again = read(&printed).unwrap_or_else(|| panic!("{printed} is no JSON"));
        assert!(same(&value, &again), "{value} became {printed}");
        assert_eq!(to_js_string(&again), printed, "printed twice");
        for path in paths(&again) {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let mut less = again.clone();
            remove(&mut less, &path);
            assert_eq!(
                without(&printed, std::slice::from_ref(&path)),
                to_js_string(&less),
                "{printed} without {path:?}"
            );
        }
    }
    let text = String::from_utf8_lossy(data);
    let mut printed = String::new();
    write_str(&mut printed, &text);
    assert_eq!(serde_json::from_str::<String>(&printed).expect("a string"), text);
}

/// Some paths of fields that `value` has.
fn paths(value: &Value) -> Vec<Vec<String>> {
    match value {
        Value::Object(map) => {
            let mut found = Vec::new();
            for (name, value) in map {
                found.push(vec![name.clone()]);
                let inner = paths(value).into_iter().take(3);
                found.extend(inner.map(|rest| [vec![name.clone()], rest].concat()));
            }
            found
        }
        Value::Array(list) => list.iter().flat_map(paths).take(3).collect(),
        _ => Vec::new(),
    }
}

fn remove(value: &mut Value, path: &[&str]) {
    match value {
        Value::Object(map) => match path {
            [name] => {
                map.shift_remove(*name);
            }
            [name, rest @ ..] => {
                if let Some(inner) = map.get_mut(*name) {
                    remove(inner, rest);
                }
            }
            [] => {}
        },
        Value::Array(list) => list.iter_mut().for_each(|item| remove(item, path)),
        _ => {}
    }
}

/// JavaScript has no other zero in JSON and writes a whole number as one; an integer past 2^53 is sent as text.
fn same(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Number(one), Value::String(two)) if !one.is_f64() => one.to_string() == *two,
        (Value::Number(one), Value::Number(two)) => one == two || one.as_f64() == two.as_f64(),
        (Value::Array(one), Value::Array(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same(one, two))
        }
        (Value::Object(one), Value::Object(two)) => {
            one.len() == two.len() && one.iter().all(|(key, one)| two.get(key).is_some_and(|two| same(one, two)))
        }
        (one, two) => one == two,
    }
}
