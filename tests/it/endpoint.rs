//! Endpoints as the owner configures them.

use std::time::Duration;

use posthorn::endpoint::{AllowPrivate, Endpoint};
use posthorn::error::Error;
use posthorn::event::NewEvent;
use posthorn::format;
use posthorn::secret::Secret;
use serde_json::{Value, json};

const URL: &str = "https://hooks.example/in";

/// An endpoint with a URL and what is given.
pub fn with(config: Value) -> Endpoint {
    Endpoint::from_json(&complete(config)).unwrap_or_else(|error| panic!("{error}"))
}

pub fn complete(mut config: Value) -> Value {
    if config.get("url").is_none() {
        config["url"] = json!(URL);
    }
    config
}

/// Key and message of the refusal.
fn refused(config: Value) -> (String, String) {
    match Endpoint::from_json(&complete(config.clone())) {
        Err(Error::InvalidArgument { key, message }) => (key, message),
        other => panic!("{config} was not refused: {other:?}"),
    }
}

#[track_caller]
pub fn assert_refused(config: Value, key: &str, rule: &str) {
    let (got_key, message) = refused(config.clone());
    assert_eq!(got_key, key, "{config}: {message}");
    assert!(message.contains(rule), "{config}: {message}");
}

#[test]
fn only_a_url_is_required_and_the_rest_has_the_defaults_of_s1() {
    let endpoint = with(json!({}));
    assert_eq!(endpoint.url, URL);
    assert_eq!(endpoint.format.name, "wpresidence");
    assert_eq!(endpoint.events, ["*"]);
    assert_eq!(endpoint.timeout, Duration::from_secs(15));
    assert_eq!(endpoint.schedule, [Duration::from_secs(300), Duration::from_secs(300)]);
    assert_eq!(endpoint.max_age, Duration::from_secs(259_200));
    assert_eq!(endpoint.secrets, []);
    assert!(endpoint.enabled && !endpoint.ordered && !endpoint.circuit_breaker);
    assert_eq!(endpoint.allow_private, AllowPrivate::No);
    assert_eq!((endpoint.max_concurrency, endpoint.rate_per_second), (None, None));
    assert_refused(json!({"url": null}), "url", "missing");
    assert!(Endpoint::from_json(&json!([])).unwrap_err().to_string().starts_with("url: "));
    assert_eq!(
        Endpoint::from_json(&json!("x")).unwrap_err().within("endpoints[3]").to_string(),
        "endpoints[3]: expected an array with named keys, got a string"
    );
}

#[test]
fn timeout_and_schedule_default_to_those_of_the_format() {
    for format in format::all() {
        let endpoint = with(json!({"format": format.name}));
        assert_eq!((endpoint.timeout, endpoint.schedule), (format.timeout(), format.schedule()));
    }
    assert_refused(json!({"format": "soap"}), "format", "wpresidence, ");
}

#[test]
fn only_the_format_whose_system_documents_a_circuit_breaker_has_one_by_default() {
    for format in format::all() {
        assert_eq!(with(json!({"format": format.name})).circuit_breaker, format.name == "winnerr", "{}", format.name);
    }
    assert!(with(json!({"circuit_breaker": true})).circuit_breaker);
    assert!(!with(json!({"format": "winnerr", "circuit_breaker": false})).circuit_breaker);
}

#[test]
fn a_missing_id_follows_from_the_url() {
    let id = with(json!({})).id;
    assert_eq!(id.len(), 16);
    // The first 16 digits that `printf https://hooks.example/in | sha256sum` prints: stored ids must not change.
    assert_eq!(id, "0b3eddc91c879a31");
    assert_eq!(with(json!({"secret": "x", "url": "HTTPS://Hooks.Example/in"})).id, id);
    assert_ne!(with(json!({"url": "https://hooks.example/other"})).id, id);
    assert_eq!(with(json!({"id": "crm"})).id, "crm");
    assert_eq!(with(json!({"id": 7})).id, "7");
    assert_refused(json!({"id": ""}), "id", "empty");
}

#[test]
fn each_url_that_cannot_be_called_is_refused_in_its_own_words() {
    for (url, rule) in [
        ("", "empty"),
        ("hooks.example/in", "begin it with https://"),
        ("localhost:8080/in", "begin it with https://"),
        ("/in", "begin it with https://"),
        ("javascript:alert(1)", "begin it with https://"),
        ("ftp://hooks.example/in", "'ftp://' is not supported"),
        ("file:///etc/passwd", "'file://' is not supported"),
        ("https://ann:hunter2@hooks.example/in", "user name or password"),
        ("https://@hooks.example/in", "user name or password"),
        ("https://hooks.example/a b", "a space"),
        (" https://hooks.example/in", "a space"),
        ("https://hooks.example/\u{a0}", "a space"),
        ("https://hooks.example/\r\nX-Evil: 1", "line break"),
        ("https://hooks.example/\u{0}", "control character"),
        ("https:///in", "no host"),
        ("https://", "no host"),
        ("https://:443/in", "no host"),
        ("https://hooks.example:99999/", "invalid port"),
        ("https://hooks.example:0/", "port 0"),
        ("https://[::1/", "invalid IPv6"),
        ("https://exa<mple/", "invalid"),
        ("https://1.2.3.4.5/", "IPv4"),
        ("https://hooks.example/in#part", "fragment"),
    ] {
        assert_refused(json!({"url": url}), "url", rule);
    }
    assert_refused(json!({"url": format!("https://hooks.example/{}", "x".repeat(2048))}), "url", "the limit is 2048");
    assert_refused(json!({"url": 5}), "url", "expected a string, got an integer");
}

#[test]
fn a_refused_url_does_not_show_its_secrets() {
    for url in [
        "https://ann:hunter2@hooks.example/",
        "https://hooks.example:99999/hunter2?key=hunter2",
        "http://x.example/hunter2#",
    ] {
        let (_, message) = refused(json!({"url": url, "format": "winnerr"}));
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn urls_are_read_as_browsers_read_them() {
    for (typed, read) in [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("https://hooks.example:443/in?a=1", "https://hooks.example/in?a=1"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://[::1]:9/", "http://[::1]:9/"),
    ] {
        assert_eq!(with(json!({"url": typed})).url, read);
    }
}

#[test]
fn formats_that_want_https_get_nothing_else() {
    for format in format::all() {
        let config = json!({"url": "http://hooks.example/in", "format": format.name});
        match format.https_only {
            true => assert_refused(config, "url", "https only"),
            false => drop(with(config)),
        }
    }
}

#[test]
fn events_are_a_list_or_one_string_with_commas() {
    assert_eq!(with(json!({"events": ["deal.won", "deal.lost", "deal.won"]})).events, ["deal.won", "deal.lost"]);
    assert_eq!(with(json!({"events": " deal.won , contact.*,"})).events, ["deal.won", "contact.*"]);
    assert_eq!(
        with(json!({"events": ["deal.closed_won", "property.sold"]})).events,
        ["deal.closed_won", "property.sold"]
    );
    assert_refused(json!({"events": []}), "events", "names no event");
    assert_refused(json!({"events": ""}), "events", "names no event");
    assert_refused(json!({"events": " , "}), "events", "names no event");
    assert_refused(json!({"events": ["deal.won", "deal.one"]}), "events[1]", "did you mean 'deal.won'");
    assert_refused(json!({"events": "deal.won,deal.one"}), "events", "did you mean 'deal.won'");
    assert_refused(json!({"events": ["dael.*"]}), "events[0]", "'dael.*'");
    assert_refused(json!({"events": ["*.won"]}), "events[0]", "'*.won'");
    assert_refused(json!({"events": [""]}), "events[0]", "''");
    assert_refused(json!({"events": [7]}), "events[0]", "an integer");
    assert_refused(json!({"events": {"a": "deal.won"}}), "events", "an array with named keys");
}

#[test]
fn a_star_means_what_the_format_knows() {
    let star = with(json!({}));
    assert!(star.subscribes("contact.created") && star.subscribes("form_submitted"));
    assert!(!star.subscribes("contact.tagged") && !star.subscribes("bot.created"));
    let standard = with(json!({"format": "standard-webhooks"}));
    assert!(standard.subscribes("contact.tagged") && standard.subscribes("bot.created"));
    let settings = with(json!({"format": "winnerr-settings"}));
    assert!(settings.subscribes("deal.won"), "it knows the fact as deal.closed_won");
    assert!(!settings.subscribes("lead.created"));
}

#[test]
fn a_subscription_accepts_either_name_and_patterns_either_prefix() {
    let to = |format: &str, events: Value| with(json!({"format": format, "events": events}));
    assert!(to("wpresidence", json!(["deal.closed_won"])).subscribes("deal.won"));
    assert!(to("winnerr-settings", json!(["deal.won"])).subscribes("deal.won"));
    assert!(!to("wpresidence", json!(["deal.won"])).subscribes("deal.lost"));
    // What was chosen by its full name is sent, also where the format has no word of its own for it.
    assert!(to("wpresidence", json!(["property.created"])).subscribes("property.created"));

    let deals = to("wpresidence", json!(["deal.*"]));
    assert!(deals.subscribes("deal.stage_changed") && !deals.subscribes("contact.created"));
    assert!(to("realtorbot", json!("email.*")).subscribes("communication.email_sent"));
    assert!(to("winnerr", json!("deal.*")).subscribes("task.completed"));
}

#[test]
fn a_test_is_delivered_to_every_endpoint() {
    for events in [json!("*"), json!(["deal.won"]), json!(["contact.*"])] {
        assert!(with(json!({"events": events})).subscribes("test"));
    }
}

#[test]
fn a_name_that_means_some_records_lets_only_those_through() {
    let wants = |endpoint: &Endpoint, name: &str, data: Value| {
        endpoint.wants(&NewEvent::new(name, &data, &json!({}), 1 << 20).unwrap())
    };
    let sold = with(json!({"format": "real-estate", "events": ["property.sold"]}));
    assert!(sold.subscribes("property.status_changed"));
    assert!(wants(&sold, "property.status_changed", json!({"status": "Sold"})));
    assert!(!wants(&sold, "property.status_changed", json!({"status": "Rented"})));
    assert!(!wants(&sold, "property.updated", json!({"status": "Sold"})));

    let winnerr = with(json!({"format": "winnerr"}));
    assert!(wants(&winnerr, "task.completed", json!({"deal_id": 15})));
    assert!(!wants(&winnerr, "task.completed", json!({"contact_id": 7})));
    assert!(wants(&winnerr, "property.status_changed", json!({"status": "Rented"})));
}

#[test]
fn secrets_are_one_line_of_at_most_1024_bytes_and_never_shown() {
    assert_eq!(with(json!({"secret": ["new", "old"]})).secrets, [Secret::new("new"), Secret::new("old")]);
    assert_eq!(with(json!({"secret": ""})).secrets, []);
    assert_eq!(with(json!({"secret": []})).secrets, []);
    with(json!({"secret": "x".repeat(1024)}));
    for (secret, key, rule) in [
        (json!("hunter2\nhunter2"), "secret", "line break"),
        (json!("hunter2\r"), "secret", "line break"),
        (json!("hunter2\u{0}"), "secret", "control character"),
        (json!("hunter2".repeat(1429)), "secret", "the limit is 1024"),
        (json!(["good", "hunter2\t"]), "secret[1]", "control character"),
        (json!(["good", ""]), "secret[1]", "empty"),
        (json!(5), "secret", "an integer"),
        (json!({"a": "hunter2"}), "secret", "an array with named keys"),
    ] {
        let (got_key, message) = refused(json!({"secret": secret}));
        assert_eq!(got_key, key);
        assert!(message.contains(rule) && !message.contains("hunter2"), "{message}");
    }
}

#[test]
fn standard_webhooks_takes_only_secrets_of_its_own_form() {
    let with_secret = |secret: &str| json!({"format": "standard-webhooks", "secret": secret});
    with(with_secret("whsec_xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmoo="));
    with(with_secret("whsec_xLvLH77JnWW/WdhcjLYu4tuWPw/hBvSD2a+nO9Tjmoo"));
    for wrong in ["xLvLH77JnWW/", "whsec_", "whsec_not base64!"] {
        assert_refused(with_secret(wrong), "secret", "whsec_");
    }
}

#[test]
fn numbers_have_their_ranges() {
    for (key, good, bad) in [
        ("timeout", json!([0.1, 15, 120]), json!([0, 0.09, 121, -1, "15", true])),
        ("max_concurrency", json!([1, 256]), json!([0, 257, -1, 1.5, "4"])),
        ("rate_per_second", json!([0.01, 30, 10000]), json!([0, -1, 10001, "30"])),
        ("max_age", json!([1, 259_200, 31_536_000]), json!([0, -1, 31_536_001, "1"])),
        ("schedule_jitter", json!([0, 0.2, 1]), json!([-0.1, 1.1, "0.2", true])),
        ("max_body_bytes", json!([1024, 10_000_000, 1_073_741_824]), json!([0, 1023, 1_073_741_825, 2048.5, "5 MB"])),
    ] {
        for value in good.as_array().unwrap() {
            with(json!({key: value}));
        }
        for value in bad.as_array().unwrap() {
            assert_refused(json!({key: value}), key, "");
        }
    }
    assert!(with(json!({"schedule": []})).schedule.is_empty());
    assert_eq!(with(json!({"schedule": [0, 0.5, 604_800]})).schedule[1], Duration::from_millis(500));
    assert_refused(json!({"schedule": [1, 2, -1]}), "schedule[2]", "0 to 604800 seconds");
    assert_refused(json!({"schedule": [1, "2"]}), "schedule[1]", "a string");
    assert_refused(json!({"schedule": 300}), "schedule", "expected a list");
    assert_refused(json!({"schedule": vec![1; 21]}), "schedule", "the limit is 20");
}

#[test]
fn private_addresses_are_allowed_by_range_address_or_name() {
    assert_eq!(with(json!({"allow_private": true})).allow_private, AllowPrivate::Any);
    assert_eq!(with(json!({"allow_private": false})).allow_private, AllowPrivate::No);
    assert_eq!(with(json!({"allow_private": []})).allow_private, AllowPrivate::No);
    let list = json!([
        "10.1.2.3/8",
        "192.168.1.20",
        "::1",
        "fd00::/8",
        "CRM.Internal",
        "localhost",
        "::ffff:127.0.0.1",
        "::ffff:10.9.0.0/112"
    ]);
    let AllowPrivate::Only { ranges, hosts } = with(json!({"allow_private": list})).allow_private else { panic!() };
    let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    // What is an IPv4 address in the end is asked about as one.
    assert_eq!(ranges, ["10.0.0.0/8", "192.168.1.20/32", "::1/128", "fd00::/8", "127.0.0.1/32", "10.9.0.0/16"]);
    assert_eq!(hosts, ["crm.internal", "localhost"]);
    for wrong in ["10.0.0.0/33", "localhost:8080", "http://localhost", "*.internal", "", "a b"] {
        assert_refused(json!({"allow_private": ["localhost", wrong]}), "allow_private[1]", "CIDR");
    }
    assert_refused(json!({"allow_private": "localhost"}), "allow_private", "a string");
    assert_refused(json!({"allow_private": [true]}), "allow_private[0]", "true");
}

#[test]
fn unknown_keys_and_wrong_types_are_refused() {
    assert_refused(json!({"urls": "x"}), "urls", "max_concurrency");
    assert_refused(json!({"enabled": 1}), "enabled", "true or false");
    assert_refused(json!({"ordered": "yes"}), "ordered", "true or false");
    assert_refused(json!({"description": ["x"]}), "description", "a list");
    assert_refused(json!({"description": "x".repeat(2001)}), "description", "the limit is 2000");
    assert_refused(json!({"site": "a\nb"}), "site", "line break");
}

#[test]
fn what_is_stored_reads_back_as_the_same_endpoint() {
    for config in [
        json!({}),
        json!({
            "id": "crm", "site": 3, "events": "deal.*,contact.created", "format": "stripe", "secret": ["new", "old"],
            "enabled": false, "description": "two\nlines", "timeout": 0.1, "schedule": [0.001, 5, 604_800], "max_concurrency": 4,
            "rate_per_second": 0.3, "headers": {"Authorization": "Bearer x"}, "ordered": true,
            "allow_private": ["10.0.0.0/8", "crm.internal"], "ca": "/a", "client_cert": "/b", "max_age": 1.5,
            "circuit_breaker": true, "proxy": "http://proxy.example:3128", "schedule_jitter": 0.3, "max_body_bytes": 5000,
            "filters": {"leadScore": {"gte": 70.5, "nonsense": [{}]}, "status": "Active"}, "omit": ["a.b", "c"],
        }),
        json!({"format": "winnerr", "omit": [], "secret": ["new", {"secret": "old", "until": "2026-05-01T00:00:00+02:00"}]}),
        json!({"format": "winnerr", "circuit_breaker": false, "schedule": [1], "preset": "zapier", "rate_per_second": 7}),
        json!({"preset": "make"}),
        json!({"allow_private": true, "schedule": [], "proxy": false}),
    ] {
        let endpoint = with(config);
        let stored = endpoint.to_stored_json();
        let read = Endpoint::from_json(&serde_json::from_str(&stored.to_string()).unwrap()).unwrap();
        assert!(read == endpoint, "{stored}");
    }
}

#[test]
fn debug_shows_neither_secrets_nor_tokens() {
    let endpoint = with(json!({
        "url": "https://hooks.example/hunter2?key=hunter2", "secret": "hunter2", "headers": {"Authorization": "hunter2"},
    }));
    let shown = format!("{endpoint:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("https://hooks.example/") && shown.contains("Authorization"), "{shown}");
}

#[test]
fn a_secret_may_have_an_end_but_one_has_none() {
    let secrets = with(json!({"secret": ["new", {"secret": "old", "until": "2026-05-01T00:00:00Z"}]})).secrets;
    assert_eq!(secrets, [Secret::new("new"), Secret::new("old").ending(1_777_593_600_000)]);
    assert_eq!(with(json!({"secret": [{"secret": "new"}]})).secrets, [Secret::new("new")]);
    assert_refused(
        json!({"secret": [{"secret": "hush", "until": "2026-05-01T00:00:00Z"}]}),
        "secret",
        "leave until out",
    );
    assert_refused(json!({"secret": ["new", {"secret": "hush", "until": "tomorrow"}]}), "secret[1].until", "ISO 8601");
    assert_refused(json!({"secret": ["new", {"secret": "hush", "until": 5}]}), "secret[1].until", "ISO 8601");
    assert_refused(
        json!({"secret": ["new", {"until": "2026-05-01T00:00:00Z"}]}),
        "secret[1].secret",
        "expected a string",
    );
    assert_refused(json!({"secret": ["new", {"secret": "a\nb"}]}), "secret[1].secret", "line break");
    assert_refused(json!({"secret": ["new", {"secret": "a", "hush": 1}]}), "secret[1]", "another key");
    assert_refused(json!({"secret": {"secret": "hush"}}), "secret", "a list of secrets");
}

#[test]
fn what_is_left_out_is_a_list_of_paths() {
    assert_eq!(with(json!({})).omit, ["private_note"]);
    assert_eq!(with(json!({"omit": []})).omit, [""; 0]);
    assert_eq!(with(json!({"omit": ["a.b"]})).omit, ["a.b"]);
    for wrong in [json!(""), json!("a..b"), json!(".a"), json!(5), json!("x".repeat(201))] {
        assert_refused(json!({"omit": ["a", wrong]}), "omit[1]", "a field's path");
    }
    assert_refused(json!({"omit": "private_note"}), "omit", "expected a list");
}
