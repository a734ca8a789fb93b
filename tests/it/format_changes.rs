//! What changed, told with names that nobody expects.

use posthorn::clock::ManualClock;
use posthorn::endpoint::Endpoint;
use posthorn::event::{Event, NewEvent};
use posthorn::format;
use serde_json::{Value, json};

fn event(data: Value, context: Value) -> Event {
    Event::unstored(NewEvent::new("contact.updated", &data, &context, 1 << 20).unwrap(), &ManualClock::at(0))
}

#[test]
fn a_changed_field_whose_name_is_all_dots_costs_no_stack() {
    const SENDER_STACK_BYTES: usize = 512 * 1024;
    let name = vec!["a"; 200_000].join(".");
    let shallow = vec!["b"; 32].join(".");
    for changes in [json!([name, shallow]), Value::Null] {
        let event = event(
            json!({"id": 7}),
            json!({"previous": {(name.as_str()): 1, (shallow.as_str()): 2}, "changes": changes}),
        );
        let endpoint = Endpoint::from_json(&json!({"url": "https://hooks.example/in", "format": "winnerr"})).unwrap();
        let body = std::thread::Builder::new()
            .stack_size(SENDER_STACK_BYTES)
            .spawn(move || format::body(&endpoint, &event))
            .unwrap()
            .join()
            .unwrap();
        assert!(body.contains(&format!("\"previousAttributes\":{{\"{name}\":1,\"b\":{{\"b\":")), "{}", &body[..200]);
    }
}
