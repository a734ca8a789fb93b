//! An endpoint's array, as PHP hands it over and as the queue stores it: JSON.

use posthorn::delivery::address::may_call;
use posthorn::endpoint::{AllowPrivate, Endpoint};
use serde_json::Value;

pub fn run(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    let endpoint = match Endpoint::from_json(&value) {
        Ok(endpoint) => endpoint,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let stored = endpoint.to_stored_json();
    let again = Endpoint::from_json(&stored).unwrap_or_else(|error| panic!("{stored}: {error}"));
    assert!(again == endpoint, "{stored}");
    for (name, text) in &endpoint.headers {
        assert!(!name.is_empty() && !name.contains([':', ' ', '\r', '\n']), "{name}");
        assert!(text.bytes().all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte)), "{name}");
    }
    // Debug shows what the owner calls things, and nothing of what is secret.
    let shown = Endpoint {
        id: String::new(),
        site: String::new(),
        url: "https://a.example/hush".to_owned(),
        events: Vec::new(),
        headers: vec![("X".to_owned(), "hush".to_owned())],
        allow_private: AllowPrivate::No,
        ..endpoint.clone()
    };
    assert!(!format!("{shown:?}").contains("hush"), "{shown:?}");
    for ip in ["169.254.169.254", "10.0.0.1", "8.8.8.8"] {
        may_call("a.example", ip.parse().expect("an address"), &endpoint.allow_private);
    }
}
