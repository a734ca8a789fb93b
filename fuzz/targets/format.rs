//! Events in every format: a byte that chooses the event, then JSON with `data` and `context`.

use posthorn::catalogue;
use posthorn::clock::ManualClock;
use posthorn::endpoint::Endpoint;
use posthorn::event::{Event, NewEvent};
use posthorn::format::{self, AttemptInfo};
use serde_json::{Value, json};

pub fn run(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else { return };
    let Ok(value) = serde_json::from_slice::<Value>(rest) else { return };
    let name = catalogue::all()[usize::from(*which) % catalogue::all().len()].name;
    let Ok(new) = NewEvent::new(name, &value["data"], &value["context"], 1 << 20) else { return };
    let event = Event::unstored(new, &ManualClock::at(1_776_429_296_789));
    let given: Value = serde_json::from_str(&event.data).expect("an event's data is JSON");
    for format in format::all() {
        let secret = format::generate_secret(format).expect("the system's randomness");
        let settings = json!({"url": "https://a.example/", "format": format.name,
            "secret": (!format.unsigned).then(|| secret.expose())});
        let endpoint = Endpoint::from_json(&settings).expect("an endpoint");
        let render = |attempt: u32, now: i64| {
            let info = AttemptInfo { delivery: event.id.delivery(1), attempt, now, test: false };
            format::render(&endpoint, &event, &info)
        };
        let (first, second) = (render(1, 0), render(2, 86_400_000));
        assert_eq!(first.body, second.body, "{}", format.name);
        assert_eq!(first.headers.len(), second.headers.len(), "{}", format.name);
        let body: Value = serde_json::from_str(&first.body).unwrap_or_else(|error| panic!("{}: {error}", format.name));
        assert!(body.is_object(), "{}", format.name);
        if format.name == format::DEFAULT {
            assert_eq!(body["data"], given);
        }
        for (name, value) in &first.headers {
            assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{}: {name}: {value}", format.name);
            assert!(!value.contains(secret.expose()), "{}: {name}", format.name);
        }
    }
}
