//! Which proxy an endpoint's requests go through: its own, the environment's, or none.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;
use url::{Host, Url};

use crate::error::{Error, Result};
use crate::json;
use crate::secret::Secret;

/// Which proxy an endpoint's requests go through.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Proxy {
    /// The one that the environment of the sending process names for the URL, if it does.
    #[default]
    Environment,
    /// None, whatever the environment names.
    None,
    /// The one at this address, `http://user:password@host:port`.
    At(Secret),
}

impl Proxy {
    /// As an endpoint's `proxy` is written, **its password exposed**: null, false, or the address.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Proxy::Environment => Value::Null,
            Proxy::None => Value::Bool(false),
            Proxy::At(address) => address.expose().into(),
        }
    }
}

/// Reads `proxy`.
pub(super) fn read(value: Option<&Value>) -> Result<Proxy> {
    match value {
        None => Ok(Proxy::Environment),
        Some(Value::Bool(false)) => Ok(Proxy::None),
        Some(Value::String(text)) if text.is_empty() => Ok(Proxy::None),
        Some(Value::String(text)) => match address(text) {
            Ok(url) => Ok(Proxy::At(Secret::new(url))),
            Err(rule) => Err(Error::invalid("proxy", rule)),
        },
        Some(other) => Err(Error::invalid(
            "proxy",
            format!("expected an address, http://host:port, or false for none; got {}", json::kind(other)),
        )),
    }
}

/// Checks a proxy's address. No rule shows anything of it: it may hold a password.
fn address(text: &str) -> std::result::Result<Url, &'static str> {
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("it contains a space, line break or other control character; remove it, or encode it as in %20");
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("it is no absolute address; write http://host:port");
    };
    if !scheme.eq_ignore_ascii_case("http") {
        return Err("only proxies addressed by http:// are supported, which take https receivers too");
    }
    const NO_ADDRESS: &str = "it is no address; write http://host:port, or http://user:password@host:port with the special \
         characters of the password encoded, as in %40 for @";
    // A parser would take the next word for the host: http:///host.
    if rest.starts_with(['/', '\\', ':', '?', '#']) {
        return Err(NO_ADDRESS);
    }
    let url = Url::parse(text).map_err(|_| NO_ADDRESS)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("a proxy's address is http://host:port and nothing more; remove the rest, or encode it if it \
                    belongs to the password");
    }
    if url.port() == Some(0) {
        return Err("port 0 cannot be called; give the proxy's port");
    }
    Ok(url)
}

/// The proxies that the environment of a process names. Made from what is given, so that only a thread that may read the
/// environment does.
///
/// `HTTPS_PROXY` (or in lower case) is for https receivers, `http_proxy` for http ones and in lower case only: where PHP
/// runs as CGI, `HTTP_PROXY` is a request's header `Proxy`, which anybody can send (CVE-2016-5385, "httpoxy"). `NO_PROXY`
/// (or in lower case) lists what is called directly: names with the names below them, addresses, CIDR ranges, each with a
/// port or without; `*` is everything. Receivers on this machine are always called directly.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ProxyEnvironment {
    https: Option<Named>,
    http: Option<Named>,
    exempt: Vec<Exempt>,
    exempt_all: bool,
}

/// A proxy and the variable that names it; or what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
struct Named {
    variable: &'static str,
    address: std::result::Result<Secret, &'static str>,
}

#[derive(Clone, Debug, PartialEq)]
struct Exempt {
    place: Place,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq)]
enum Place {
    Range(IpNet),
    /// Without leading dot.
    Name(String),
}

impl ProxyEnvironment {
    /// What the variables say; `get` returns the value of one.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let value = |variable: &str| get(variable).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let proxy = |variables: &[&'static str]| {
            variables.iter().find_map(|variable| {
                let text = value(variable)?;
                // As curl takes it: http is what is meant where nothing is said.
                let text = if text.contains("://") { text } else { format!("http://{text}") };
                Some(Named { variable, address: address(&text).map(Secret::new) })
            })
        };
        let exempt = ["no_proxy", "NO_PROXY"].iter().find_map(|variable| value(variable)).unwrap_or_default();
        let listed = || exempt.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
        ProxyEnvironment {
            https: proxy(&["https_proxy", "HTTPS_PROXY"]),
            http: proxy(&["http_proxy"]),
            exempt: listed().filter_map(Exempt::read).collect(),
            exempt_all: listed().any(|entry| entry == "*"),
        }
    }

    /// The proxy for `url`, if there is one.
    ///
    /// # Errors
    /// Which variable cannot be used, and why; nothing of its value.
    pub fn proxy_of(&self, url: &Url) -> std::result::Result<Option<&Secret>, String> {
        let named = if url.scheme() == "https" { &self.https } else { &self.http };
        let Some(named) = named else { return Ok(None) };
        let Some(host) = url.host() else { return Ok(None) };
        if self.exempt_all || is_this_machine(&host) {
            return Ok(None);
        }
        let port = url.port_or_known_default();
        if self.exempt.iter().any(|exempt| exempt.covers(&host, port)) {
            return Ok(None);
        }
        match &named.address {
            Ok(address) => Ok(Some(address)),
            Err(rule) => Err(format!("the proxy that {} names cannot be used: {rule}", named.variable)),
        }
    }
}

/// Asked for these, a proxy would call itself.
fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(ip) => ip.is_loopback() || ip.is_unspecified(),
        Host::Ipv6(ip) => {
            let ip = ip.to_canonical();
            ip.is_loopback() || ip.is_unspecified()
        }
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

impl Exempt {
    fn read(entry: &str) -> Option<Self> {
        let whole = |place| Some(Exempt { place, port: None });
        if let Ok(range) = entry.parse::<IpNet>() {
            return whole(Place::Range(range.trunc()));
        }
        if let Ok(ip) = entry.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return whole(Place::Range(ip.into()));
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        let host = host.strip_prefix("*.").unwrap_or(host).trim_matches('.');
        let place = match Host::parse(host).ok()? {
            Host::Domain(name) => Place::Name(name),
            Host::Ipv4(ip) => Place::Range(IpAddr::from(ip).into()),
            Host::Ipv6(ip) => Place::Range(IpAddr::from(ip).into()),
        };
        Some(Exempt { place, port })
    }

    fn covers(&self, host: &Host<&str>, port: Option<u16>) -> bool {
        if self.port.is_some() && self.port != port {
            return false;
        }
        match (&self.place, host) {
            (Place::Range(range), Host::Ipv4(ip)) => range.contains(&IpAddr::V4(*ip)),
            (Place::Range(range), Host::Ipv6(ip)) => range.contains(&IpAddr::V6(*ip).to_canonical()),
            (Place::Name(name), Host::Domain(host)) => {
                let host = host.trim_end_matches('.');
                host.strip_suffix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            _ => false,
        }
    }
}
