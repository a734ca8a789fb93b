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
    // Nothing leaves this machine, whatever is wrong: what may be called is asked of a proxy, and nobody listens there.
    let settings = json!({"url": text, "timeout": 1, "proxy": "http://127.0.0.1:9"});
    let Ok(endpoint) = Endpoint::from_json(&settings) else { return };
    let url = Url::parse(&endpoint.url).expect("what was read is a URL");
    assert_eq!(url.as_str(), endpoint.url);
    assert!(matches!(url.scheme(), "http" | "https") && url.has_host(), "{url}");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{url}");
    assert!(endpoint.url.bytes().all(|byte| (0x21..0x7f).contains(&byte)), "{url}");
    assert_ne!(url.port(), Some(0));
    assert!(!endpoint.url.contains('\\') || url.query().is_some(), "{url}");
    // Names lead to an address that is refused.
    let public = match url.host() {
        Some(Host::Ipv4(ip)) => not_public(ip.into()).is_none(),
        Some(Host::Ipv6(ip)) => not_public(ip.into()).is_none(),
        _ => false,
    };
    let transport = TRANSPORT.get_or_init(|| {
        let lookup = Arc::new(|_: &str| Ok(vec![[10, 0, 0, 1].into()]));
        HttpTransport::new(Arc::new(ManualClock::at(0))).with_lookup(lookup)
    });
    let failure = transport.send(&endpoint, &[], "{}").result.expect_err("nobody is there");
    match failure.kind {
        FailureKind::Refused => assert!(!public, "{url}: {failure:?}"),
        FailureKind::Connect | FailureKind::Timeout => assert!(public, "{url}: {failure:?}"),
        kind => assert_eq!(kind, FailureKind::Settings, "{url}: {failure:?}"),
    }
}
