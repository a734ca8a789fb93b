//! What of an endpoint matters to a connection: where it leads and what it may be trusted with.

use std::net::IpAddr;

use rustls::pki_types::ServerName;
use ureq::http::Uri;
use url::{Host, Url};

use super::proxy::Proxy;
use super::{Failure, FailureKind, address};
use crate::endpoint::{self, AllowPrivate, Endpoint, ProxyEnvironment};

/// Where an endpoint's requests go. Read once and kept, so that a request parses no URL.
#[derive(Debug)]
pub(super) struct Target {
    /// As the endpoint has it; tells whether this target is still the endpoint's.
    url: String,
    /// As ureq takes it.
    pub uri: Uri,
    /// As a URL writes it: an IPv6 address has brackets, a name no trailing dot.
    pub host: String,
    pub place: Place,
    pub port: u16,
    pub https: bool,
    pub allow: AllowPrivate,
    /// As the endpoint has it.
    via: endpoint::Proxy,
    pub identity: Identity,
}

/// A name to look up or an address.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    Name(String),
    Address(IpAddr),
}

/// What connections have in common that may stand in for each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Identity {
    pub ca: Option<String>,
    pub client_cert: Option<String>,
    pub proxy: Option<Proxy>,
}

impl Target {
    /// Reads the URL of `endpoint` and its proxy, or else the environment's.
    pub fn read(endpoint: &Endpoint, environment: &ProxyEnvironment) -> Result<Self, Failure> {
        let url = parse(&endpoint.url, "the URL")?;
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(settings(format!("the URL begins with {other}:; only http: and https: are sent"))),
        };
        let (host, place, port) = host_and_port(&url, "the URL")?;
        let uri = Uri::try_from(url.as_str()).map_err(|error| settings(format!("the URL cannot be sent: {error}")))?;
        let via = endpoint.proxy.clone();
        let proxy = match &via {
            endpoint::Proxy::Environment => environment.proxy_of(&url).map_err(settings)?,
            endpoint::Proxy::None => None,
            endpoint::Proxy::At(address) => Some(address),
        };
        let proxy = proxy.map(Proxy::read).transpose()?;
        let identity = Identity { ca: endpoint.ca.clone(), client_cert: endpoint.client_cert.clone(), proxy };
        let allow = endpoint.allow_private.clone();
        Ok(Target { url: endpoint.url.clone(), uri, host, place, port, https, allow, via, identity })
    }

    /// Whether this is what `endpoint` would be read as.
    pub fn is_of(&self, endpoint: &Endpoint) -> bool {
        self.url == endpoint.url
            && self.allow == endpoint.allow_private
            && self.identity.ca == endpoint.ca
            && self.identity.client_cert == endpoint.client_cert
            && self.via == endpoint.proxy
    }

    /// Whether the endpoint may call `ip`.
    pub fn permits(&self, ip: IpAddr) -> bool {
        address::may_call(&self.host, ip, &self.allow)
    }

    /// Whether the endpoint may call the receiver's name whatever it resolves to.
    pub fn permits_unresolved(&self) -> bool {
        matches!(self.place, Place::Name(_)) && address::may_call_unresolved(&self.host, &self.allow)
    }

    /// The name that the receiver's certificate has to have.
    pub fn server_name(&self) -> Result<ServerName<'static>, Failure> {
        match &self.place {
            Place::Address(ip) => Ok(ServerName::IpAddress((*ip).into())),
            Place::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| settings(format!("{name} is no name that a certificate can have"))),
        }
    }
}

/// Host as written, place and port of a URL without credentials.
pub(super) fn host_and_port(url: &Url, what: &str) -> Result<(String, Place, u16), Failure> {
    let place = match url.host() {
        Some(Host::Ipv4(ip)) => Place::Address(ip.into()),
        // A mapped address is the IPv4 address it maps, so that what is judged is what is called.
        Some(Host::Ipv6(ip)) => Place::Address(IpAddr::V6(ip).to_canonical()),
        Some(Host::Domain(name)) => Place::Name(name.to_owned()),
        None => return Err(settings(format!("{what} names no host"))),
    };
    let port = url.port_or_known_default().ok_or_else(|| settings(format!("{what} has no port")))?;
    Ok((url.host_str().unwrap_or_default().to_owned(), place, port))
}

/// Parses a URL; a trailing dot of the host goes, as certificates and receivers know names without it.
pub(super) fn parse(text: &str, what: &str) -> Result<Url, Failure> {
    let mut url = Url::parse(text).map_err(|error| settings(format!("{what} is not valid: {error}")))?;
    if let Some(bare) = url.domain().and_then(|name| name.strip_suffix('.')).map(str::to_owned) {
        url.set_host(Some(&bare)).map_err(|error| settings(format!("{what} is not valid: {error}")))?;
        // `1.2.3.4..` is a name, without one of its dots an address: what was judged elsewhere must be what is called.
        if url.domain() != Some(&bare) {
            return Err(settings(format!("{what} is not valid: its host has two dots in a row")));
        }
    }
    Ok(url)
}

fn settings(message: String) -> Failure {
    Failure { kind: FailureKind::Settings, message }
}
