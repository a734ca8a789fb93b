//! The receiver's URL: a line with it, and a line with an entry of `allow_private`.

use std::sync::{Arc, OnceLock};

use posthorn::clock::ManualClock;
use posthorn::delivery::address::not_public;
use posthorn::delivery::{FailureKind, HttpTransport, Transport};
use posthorn::endpoint::Endpoint;
use serde_json::json;
use url::{Host, Url};

pub fn run(data: &[u8]) {
    static TRANSPORT: OnceLock<HttpTransport> = OnceLock::new();
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (text, allowed) = text.split_once('\n').unwrap_or((text, ""));
    let _ = Endpoint::from_json(&json!({"url": "https://a.example/", "allow_private": [allowed]}));
    let Ok(endpoint) = Endpoint::from_json(&json!({"url": text, "timeout": 1, "proxy": false})) else { return };
    let url = Url::parse(&endpoint.url).expect("what was read is a URL");
    assert_eq!(url.as_str(), endpoint.url);
    assert!(matches!(url.scheme(), "http" | "https") && url.has_host(), "{url}");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{url}");
    assert!(endpoint.url.bytes().all(|byte| (0x21..0x7f).contains(&byte)), "{url}");
    assert_ne!(url.port(), Some(0));
    assert!(!endpoint.url.contains('\\') || url.query().is_some(), "{url}");
    // No request leaves this machine: names lead to an address that is refused, and public addresses are not called.
    let public = match url.host() {
        Some(Host::Ipv4(ip)) => not_public(ip.into()).is_none(),
        Some(Host::Ipv6(ip)) => not_public(ip.into()).is_none(),
        _ => false,
    };
    if !public {
        let transport = TRANSPORT.get_or_init(|| {
            let lookup = Arc::new(|_: &str| Ok(vec![[10, 0, 0, 1].into()]));
            HttpTransport::new(Arc::new(ManualClock::at(0))).with_lookup(lookup)
        });
        let failure = transport.send(&endpoint, &[], "{}").result.expect_err("nothing private is called");
        assert!(matches!(failure.kind, FailureKind::Refused | FailureKind::Settings), "{url}: {failure:?}");
    }
}
