//! Presets: receivers that many people use.

use posthorn::endpoint::Endpoint;
use posthorn::{format, preset};
use serde_json::{Value, json};

fn endpoint(config: Value) -> Endpoint {
    let mut config = config;
    config["url"] = json!("https://hooks.zapier.com/hooks/catch/1/abc/");
    Endpoint::from_json(&config).unwrap()
}

#[test]
fn a_url_is_recognised_by_its_host_and_what_is_below_it() {
    for (url, name) in [
        ("https://hooks.zapier.com/hooks/catch/123/abc/", Some("zapier")),
        ("https://HOOKS.zapier.com:443/hooks/catch/123/abc/?a=b", Some("zapier")),
        ("https://hooks.zapier.com./hooks/catch/1/", Some("zapier")),
        ("https://hook.eu2.make.com/abcdef", Some("make")),
        ("https://hook.integromat.com/abcdef", Some("make")),
        ("https://mysite.app.n8n.cloud/webhook/1", Some("n8n")),
        ("https://webhooks.workato.com/webhooks/rest/1/x", Some("workato")),
        ("https://hooks.slack.com/services/T0/B0/x", Some("slack")),
        // It takes such messages at other paths than this one only.
        ("https://discord.com/api/webhooks/1/x", None),
        // Not theirs, however alike.
        ("https://zapier.com/", None),
        ("https://hooks.zapier.com.evil.example/", None),
        ("https://nothooks.zapier.com.example/", None),
        ("https://remake.com/in", None),
        ("https://crm.example/hooks.zapier.com", None),
        ("https://crm.example/?to=hook.eu2.make.com", None),
        ("https://192.0.2.1/", None),
        ("make.com", None),
    ] {
        assert_eq!(preset::of_url(url).map(|preset| preset.name), name, "{url}");
    }
}

#[test]
fn a_preset_fills_in_what_is_left_open_and_nothing_else() {
    let zapier = endpoint(json!({"preset": "zapier"}));
    assert_eq!((zapier.rate_per_second, zapier.max_body_bytes), (Some(30.0), Some(10_000_000)));
    let format = format::find(format::DEFAULT).unwrap();
    assert_eq!(
        (zapier.format.name.as_str(), zapier.timeout, zapier.schedule),
        (format.name.as_str(), format.timeout(), format.schedule())
    );
    let own = endpoint(json!({"preset": "zapier", "rate_per_second": 2, "max_body_bytes": 2048, "timeout": 3}));
    assert_eq!((own.rate_per_second, own.max_body_bytes, own.timeout.as_secs()), (Some(2.0), Some(2048), 3));
    let rate = |name: &str| endpoint(json!({"preset": name})).rate_per_second;
    assert_eq!([rate("workato"), rate("make"), rate("n8n"), rate("plain")], [Some(20.0), None, None, None]);
}

#[test]
fn without_a_preset_there_is_no_rate_limit_whatever_the_url() {
    let endpoint = endpoint(json!({}));
    assert_eq!((endpoint.rate_per_second, endpoint.max_body_bytes, endpoint.preset), (None, None, None));
}

#[test]
fn an_unknown_preset_is_refused_with_the_known_ones() {
    let error =
        Endpoint::from_json(&json!({"url": "https://a.example/", "preset": "zappier"})).unwrap_err().to_string();
    assert!(error.starts_with("preset: ") && error.contains("'zappier'") && error.contains("zapier, make"), "{error}");
}
