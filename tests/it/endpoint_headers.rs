//! Headers of the owner's own.

use serde_json::json;

use crate::endpoint::{assert_refused, with};

#[test]
fn headers_of_ones_own_must_not_be_posthorns_or_the_connections() {
    let endpoint = with(json!({"headers": {"Authorization": "Bearer x", "X-Number": 7}}));
    assert_eq!(
        endpoint.headers,
        [("Authorization".to_owned(), "Bearer x".to_owned()), ("X-Number".to_owned(), "7".to_owned())]
    );
    assert_eq!(with(json!({"headers": []})).headers, []);
    for name in
        ["Content-Type", "content-length", "Host", "User-Agent", "Webhook-Id", "webhook-anything", "X-CRM-Signature"]
    {
        assert_refused(json!({"headers": {name: "x"}}), &format!("headers.{name}"), "itself");
    }
    for name in ["Connection", "Transfer-Encoding", "TE", "Upgrade", "Expect"] {
        assert_refused(json!({"headers": {name: "x"}}), &format!("headers.{name}"), "connection");
    }
    assert_refused(
        json!({"headers": {"x-winnerr-event": "x"}, "format": "winnerr"}),
        "headers.x-winnerr-event",
        "itself",
    );
    assert_refused(json!({"headers": {"X Foo": "x"}}), "headers.X Foo", "no header name");
    assert_refused(json!({"headers": {"X-Foo\r\n": "x"}}), "headers.X-Foo\\r\\n", "no header name");
    assert_refused(json!({"headers": {"X-Foo": "a", "x-foo": "b"}}), "headers.x-foo", "twice");
    for (value, rule) in [
        (json!("a\r\nb"), "line break"),
        (json!("é"), "ASCII"),
        (json!(" a"), "space"),
        (json!(null), "null"),
        (json!("x".repeat(5000)), "the limit is 4096"),
    ] {
        assert_refused(json!({"headers": {"X-Foo": value}}), "headers.X-Foo", rule);
    }
    assert_refused(json!({"headers": ["a"]}), "headers", "a list");
    let (long, too_long) = ("x".repeat(4000), "x".repeat(4097));
    with(json!({"headers": {"A": long, "B": long, "C": long}}));
    assert_refused(json!({"headers": {"A": too_long}}), "headers.A", "the limit is 4096");
    assert_refused(
        json!({"headers": {"A": long, "B": long, "C": long, "D": "x".repeat(300)}}),
        "headers",
        "bytes together",
    );
}
