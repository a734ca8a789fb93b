//! An endpoint's files and proxy, and the proxies that the environment names.

use posthorn::endpoint::{Endpoint, Proxy, ProxyEnvironment};
use posthorn::secret::Secret;
use serde_json::json;

use crate::endpoint::{assert_refused, complete, with};

#[test]
fn files_are_absolute_paths_and_a_proxy_is_http() {
    let endpoint =
        with(json!({"ca": "/etc/ssl/own.pem", "client_cert": "/etc/ssl/me.pem", "proxy": "http://proxy.example:3128"}));
    assert_eq!(endpoint.ca.as_deref(), Some("/etc/ssl/own.pem"));
    assert_eq!(endpoint.proxy, Proxy::At(Secret::new("http://proxy.example:3128/")));
    assert_refused(json!({"ca": "own.pem"}), "ca", "absolute path");
    assert_refused(json!({"client_cert": "../me.pem"}), "client_cert", "absolute path");
    assert_refused(json!({"proxy": "https://proxy.example"}), "proxy", "http://");
    assert_refused(json!({"proxy": "socks5://proxy.example"}), "proxy", "only proxies addressed by http://");
    assert_refused(json!({"proxy": "http://proxy.example/path"}), "proxy", "nothing more");
    assert_refused(json!({"proxy": "http://proxy.example:0"}), "proxy", "port 0");
    assert_refused(json!({"proxy": "http:///proxy.example"}), "proxy", "no address");
    assert_refused(json!({"proxy": "proxy.example:3128"}), "proxy", "http://host:port");
    assert_refused(json!({"proxy": true}), "proxy", "false for none");
    assert_eq!(with(json!({})).proxy, Proxy::Environment);
    assert_eq!(with(json!({"proxy": false})).proxy, Proxy::None);
    assert_eq!(with(json!({"proxy": ""})).proxy, Proxy::None);
}

#[test]
fn a_proxys_password_is_kept_and_never_shown() {
    let endpoint = with(json!({"proxy": "http://me:hush%40@proxy.example:3128"}));
    assert_eq!(endpoint.proxy, Proxy::At(Secret::new("http://me:hush%40@proxy.example:3128/")));
    assert!(!format!("{:?} {:?}", endpoint, endpoint.proxy).contains("hush"));
    for wrong in [
        "http://me:hush#@proxy.example:3128",
        "http://me:hu sh@proxy.example:3128",
        "http://me:hush/@proxy.example:3128",
        "https://me:hush@proxy.example:3128",
        "http://me:hush@proxy.example:99999",
        "http://me:hush@[proxy]",
        "me:hush@proxy.example:3128",
    ] {
        let error = Endpoint::from_json(&complete(json!({"proxy": wrong}))).unwrap_err().to_string();
        assert!(error.starts_with("proxy") && !error.contains("hush") && !error.contains("hu sh"), "{error}");
    }
}

/// The proxy that an environment names for a URL.
fn environments_proxy(variables: &[(&str, &str)], url: &str) -> Result<Option<String>, String> {
    let get = |name: &str| variables.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
    let url = url::Url::parse(url).unwrap();
    ProxyEnvironment::read(get).proxy_of(&url).map(|found| found.map(|secret| secret.expose().to_owned()))
}

#[test]
fn the_environment_names_a_proxy_for_each_scheme_and_a_request_cannot() {
    const ALL: &[(&str, &str)] = &[("HTTPS_PROXY", "http://a:1"), ("http_proxy", "b:2")];
    let proxy = |variables: &[(&str, &str)], url: &str| environments_proxy(variables, url).unwrap();
    assert_eq!(proxy(ALL, "https://x.example/").as_deref(), Some("http://a:1/"));
    assert_eq!(proxy(ALL, "http://x.example/").as_deref(), Some("http://b:2/"));
    let both = &[("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://c:3")];
    assert_eq!(proxy(both, "https://x.example/").as_deref(), Some("http://c:3/"));
    // What a CGI server makes of the request's header `Proxy: …`.
    assert_eq!(proxy(&[("HTTP_PROXY", "http://evil:1")], "http://x.example/"), None);
    assert_eq!(proxy(&[("HTTP_PROXY", "http://evil:1")], "https://x.example/"), None);
    assert_eq!(proxy(&[("HTTPS_PROXY", " ")], "https://x.example/"), None);
    for local in
        ["localhost", "app.localhost", "localhost.", "127.0.0.1", "127.9.9.9", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"]
    {
        assert_eq!(proxy(ALL, &format!("https://{local}/")), None, "{local}");
    }
}

#[test]
fn a_proxy_of_the_environment_that_cannot_be_used_is_an_error_and_not_left_out() {
    for value in ["socks5://me:hush@a:1", "https://me:hush@a:1", "http://me:hush@", "http://a b", "http://a/hush"] {
        let error = environments_proxy(&[("HTTPS_PROXY", value)], "https://x.example/").unwrap_err();
        assert!(error.contains("HTTPS_PROXY") && !error.contains("hush"), "{error}");
        assert_eq!(environments_proxy(&[("HTTPS_PROXY", value)], "http://x.example/"), Ok(None));
    }
}

#[test]
fn what_no_proxy_lists_is_called_directly() {
    for (list, url, direct) in [
        ("x.example", "https://x.example/", true),
        ("x.example", "https://X.example./", true),
        ("x.example", "https://a.x.example/", true),
        (".x.example", "https://a.x.example/", true),
        ("*.x.example", "https://a.x.example/", true),
        ("x.example", "https://ax.example/", false),
        ("example", "https://x.example.org/", false),
        ("a.example, x.example", "https://x.example/", true),
        ("a.example x.example", "https://x.example/", true),
        ("x.example:8443", "https://x.example:8443/", true),
        ("x.example:8443", "https://x.example/", false),
        ("x.example:443", "https://x.example/", true),
        ("*", "https://x.example/", true),
        ("10.0.0.0/8", "https://10.1.2.3/", true),
        ("10.0.0.0/8", "https://[::ffff:10.1.2.3]/", true),
        ("10.0.0.0/8", "https://11.1.2.3/", false),
        ("10.1.2.3", "https://167838211/", true),
        ("2001:db8::/32", "https://[2001:db8::1]/", true),
        ("2001:db8::1", "https://[2001:db8::1]/", true),
        ("x.example:no, ,:,[", "https://x.example/", false),
    ] {
        let found = environments_proxy(&[("https_proxy", "http://a:1"), ("no_proxy", list)], url).unwrap();
        assert_eq!(found.is_none(), direct, "{list}: {url}");
    }
}
