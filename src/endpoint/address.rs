//! Addresses: the receiver's URL, and the id that follows from it.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use crate::error::{Error, Result, shown};
use crate::format::Format;
use crate::json;

/// Bytes of a URL: what browsers, proxies and log files take without fail.
const MAX_URL_BYTES: usize = 2048;

/// Reads the receiver's URL, as browsers read it: hosts in lower case and ASCII, paths percent-encoded. No error shows
/// more of it than scheme and host: for many receivers the rest is the secret.
pub(super) fn url(value: &Value, format: &Format) -> Result<Url> {
    let url = absolute("url", value)?;
    // Without one of its two dots `127.0.0.1..` would be another host: an address.
    if url.domain().is_some_and(|name| name.strip_suffix('.').unwrap_or(name).split('.').any(str::is_empty)) {
        return Err(Error::invalid("url", "its host begins with a dot or has two in a row; remove what is too much"));
    }
    if url.port() == Some(0) {
        return Err(Error::invalid("url", "port 0 cannot be called; give the receiver's port or none"));
    }
    if format.https_only && url.scheme() != "https" {
        return Err(Error::invalid(
            "url",
            format!("the format {} is sent over https only; begin it with https://", format.name),
        ));
    }
    if url.fragment().is_some() {
        return Err(Error::invalid("url", "it has a fragment, the part from # on, which is never sent; remove it"));
    }
    Ok(url)
}

/// The id of an endpoint that was given none: the first 16 hex digits of the SHA-256 of its URL. It stays the same for as
/// long as the URL does.
pub(super) fn derived_id(url: &Url) -> String {
    let mut id = String::with_capacity(16);
    for byte in &Sha256::digest(url.as_str())[..8] {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// Scheme, host and port of a URL, and an ellipsis for the rest.
pub(super) fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "…".to_owned(), |url| format!("{}/…", url.origin().ascii_serialization()))
}

fn absolute(key: &str, value: &Value) -> Result<Url> {
    let Value::String(text) = value else {
        return Err(Error::invalid(key, format!("expected a string, got {}", json::kind(value))));
    };
    let refuse = |rule: &str| Err(Error::invalid(key, rule));
    if text.is_empty() {
        return refuse("it is empty; give the address of the receiver, beginning with https://");
    }
    if text.len() > MAX_URL_BYTES {
        return refuse(&format!(
            "it has {} bytes, the limit is {MAX_URL_BYTES}; ask the receiver for a shorter address",
            text.len()
        ));
    }
    // A URL parser drops some of these silently, and what was typed would not be what is called.
    if text.chars().any(char::is_control) {
        return refuse("it contains a line break, tab or other control character; remove it");
    }
    if text.chars().any(char::is_whitespace) {
        return refuse("it contains a space; remove it, or write %20 where the receiver really wants one");
    }
    // For a browser it is a slash, for other programs a part of a user name: who reads it decides where it leads.
    if text.contains('\\') {
        return refuse("it contains a backslash; write / for it, or %5C where the receiver really wants one");
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return refuse("this is not a complete web address; begin it with https://");
    };
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return refuse(&format!("'{}://' is not supported; begin it with https:// (or http://)", shown(scheme)));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return refuse(
            "it contains a user name or password before an @; remove them and put a token into headers instead",
        );
    }
    // A parser would take the next word for the host: https:///path.
    if authority.is_empty() || authority.starts_with(':') {
        return refuse("it names no host; write https://host/path");
    }
    let url = Url::parse(text).map_err(|error| {
        let remedy = "check the host and the port";
        Error::invalid(
            key,
            format!("'{}://{}' is no address: {error}; {remedy}", scheme.to_lowercase(), shown(authority)),
        )
    })?;
    Ok(url)
}
