//! The variables of a process that name proxies: lines of value of HTTPS_PROXY, of http_proxy, of NO_PROXY, and a URL.

use posthorn::endpoint::ProxyEnvironment;
use url::Url;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines();
    let values = ["HTTPS_PROXY", "http_proxy", "NO_PROXY"].map(|name| (name, lines.next().unwrap_or_default()));
    let environment = ProxyEnvironment::read(|wanted| {
        assert_ne!(wanted, "HTTP_PROXY");
        values.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned())
    });
    let given = lines.next().unwrap_or_default();
    for url in [given, "https://a.example/", "http://10.1.2.3:8080/", "https://[2001:db8::1]/", "http://localhost/"] {
        let Ok(url) = Url::parse(url) else { continue };
        match environment.proxy_of(&url) {
            Ok(Some(proxy)) => {
                let proxy = Url::parse(proxy.expose()).expect("checked when read");
                assert!(proxy.scheme() == "http" && proxy.has_host() && proxy.path() == "/", "{proxy}");
                assert!(!matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")), "{url}");
            }
            Ok(None) => {}
            Err(words) => assert!(words.contains("_PROXY") || words.contains("_proxy"), "{words}"),
        }
    }
}
