//! A way through an HTTP proxy: `CONNECT`, for http and https targets alike.

use std::fmt;
use std::io::{Read, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::target::{Place, host_and_port, parse};
use super::wire::Wire;
use super::{Failure, FailureKind, failure};
use crate::secret::Secret;

/// A proxy's answer to `CONNECT` is at most this long.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// An http proxy.
#[derive(Clone, PartialEq)]
pub(super) struct Proxy {
    /// The whole address.
    url: Secret,
    pub host: String,
    pub place: Place,
    pub port: u16,
    /// The value of `Proxy-Authorization`.
    authorization: Option<String>,
}

impl Proxy {
    /// Reads `http://user:password@host:port`, checked; a missing port is 80.
    pub fn read(address: &Secret) -> Result<Self, Failure> {
        let url = parse(address.expose(), "the proxy's URL")?;
        let (host, place, port) = host_and_port(&url, "the proxy's URL")?;
        let authorization = (!url.username().is_empty() || url.password().is_some()).then(|| {
            let decode = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
            let credentials = format!("{}:{}", decode(url.username()), decode(url.password().unwrap_or_default()));
            format!("Basic {}", BASE64_STANDARD.encode(credentials))
        });
        Ok(Proxy { url: address.clone(), host, place, port, authorization })
    }

    /// Asks, on a connection to the proxy, for a way to `host` and `port`.
    pub fn open_way(&self, wire: &mut Wire, host: &str, port: u16) -> Result<(), Failure> {
        let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some(authorization) = &self.authorization {
            request.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
        }
        request.push_str("\r\n");
        let broken = |error| failure::of_io(error, &format!("the proxy {}", self.host), false);
        wire.write_all(request.as_bytes()).map_err(broken)?;

        // One byte at a time: what follows the empty line belongs to the receiver.
        let mut answer = Vec::with_capacity(256);
        while !answer.ends_with(b"\r\n\r\n") && answer.len() < MAX_ANSWER_BYTES {
            let mut byte = [0];
            if wire.read(&mut byte).map_err(broken)? == 0 {
                break;
            }
            answer.push(byte[0]);
        }
        match status(&answer) {
            Some(200..=299) if answer.ends_with(b"\r\n\r\n") => Ok(()),
            Some(407) => Err(self.refused(FailureKind::Settings, "wants a user name and a password, or others")),
            Some(status) => Err(self.refused(
                FailureKind::Connect,
                &format!("does not let through to {host} port {port}: it answered {status}"),
            )),
            None => Err(self.refused(FailureKind::Protocol, "did not answer as an HTTP proxy does")),
        }
    }

    fn refused(&self, kind: FailureKind, what: &str) -> Failure {
        Failure { kind, message: format!("the proxy {} {what}", self.host) }
    }
}

/// The password stays out of whatever is printed.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.strip_prefix(b"HTTP/1.")?.split(|&byte| byte == b'\r').next()?;
    let code = line.split(|&byte| byte == b' ').nth(1)?;
    std::str::from_utf8(code).ok()?.parse().ok()
}
