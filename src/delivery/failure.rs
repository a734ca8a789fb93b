//! What went wrong, in words that a site owner understands. Errors are told apart by type.
//!
//! No message holds a header's value, a secret, or more of the URL than its host and port.

use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::time::Duration;

use rustix::io::Errno;
use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};
use ureq::Error;

use super::call::Notes;
use super::link::EndlessAnswer;
use super::self_signed::is_authority_as_server;
use super::target::{Place, Target};
use super::wire::DeadlinePassed;
use super::{Failure, FailureKind, address};
use crate::clock::{Millis, iso_seconds};

/// What ureq or the connection below it reports.
pub(super) fn of_exchange(error: Error, target: &Target, notes: &Notes, timeout: Duration) -> Failure {
    let receiver = "the receiver";
    match error {
        Error::Other(error) => match error.downcast::<Failure>() {
            Ok(failure) => *failure,
            Err(error) => Failure::new(FailureKind::Protocol, format!("the request failed: {error}")),
        },
        Error::Io(error) if is_deadline(&error) => Failure::new(FailureKind::Timeout, timed_out(notes, timeout)),
        Error::Io(error) => match tls_error(&error) {
            Some(error) => of_tls(error, target),
            None if error.get_ref().is_some_and(|error| error.is::<EndlessAnswer>()) => endless(),
            None => of_io(error, receiver, notes.answered_at.is_some()),
        },
        Error::Protocol(error) if notes.answered_at.is_some() => match error {
            ureq_proto::Error::HttpParseTooManyHeaders => too_large_a_head(),
            _ => Failure::new(
                FailureKind::Protocol,
                format!("the answer was not HTTP ({error}); does the URL lead to a web server's port?"),
            ),
        },
        Error::LargeResponseHeader(..) => too_large_a_head(),
        // Their texts hold the whole URL.
        Error::BadUri(_) | Error::RequireHttpsOnly(_) => Failure::new(FailureKind::Settings, "the URL cannot be sent"),
        error => Failure::new(FailureKind::Protocol, format!("the request failed: {error}")),
    }
}

/// A connection that broke.
pub(super) fn of_io(error: io::Error, who: &str, answering: bool) -> Failure {
    if is_deadline(&error) {
        return Failure::new(FailureKind::Timeout, format!("no answer from {who} in time"));
    }
    let message = match (error.kind(), answering) {
        (ErrorKind::UnexpectedEof, false) => format!("{who} closed the connection without an answer"),
        (ErrorKind::UnexpectedEof, true) => format!("{who} closed the connection in the middle of its answer"),
        (ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe, false) => {
            format!("{who} broke off the connection without an answer")
        }
        (ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe, true) => {
            format!("{who} broke off the connection in the middle of its answer")
        }
        _ => format!("the connection to {who} failed: {error}"),
    };
    Failure::new(FailureKind::Protocol, message)
}

/// A name that the resolver does not know, or that has no address.
pub(super) fn missing_name(name: &str) -> Failure {
    Failure::new(FailureKind::Dns, format!("the name {name} was not found; check the spelling"))
}

/// A name that could not be looked up; `words` are the resolver's.
pub(super) fn of_lookup(name: &str, words: &str) -> Failure {
    let message = format!("the name {name} could not be looked up now ({words}); check this server's DNS");
    Failure::new(FailureKind::Dns, message)
}

/// An address that the guard keeps from being called. The words must fit whoever reads them: on a network of sites the
/// owner of one cannot allow it.
pub(super) fn refused(place: &Place, ip: IpAddr, what: &str) -> Failure {
    let subject = match place {
        Place::Name(name) => format!("{name} is at {ip}, which"),
        Place::Address(_) => ip.to_string(),
    };
    let remedy = if address::is_metadata(ip) {
        "; it is called only if allow_private lists that very address"
    } else {
        "; an administrator (of a multisite, the network's) can allow it: tick “This receiver is on my own network”, \
         or list it in allow_private"
    };
    Failure::new(FailureKind::Refused, format!("{subject} is not a public address ({what}){remedy}"))
}

/// What this server has run out of, if a system call failed for that reason.
pub(super) fn shortage(error: &io::Error) -> Option<Failure> {
    let (what, remedy) = match Errno::from_io_error(error)? {
        Errno::MFILE => ("file descriptors for this process", "raise its limit (LimitNOFILE, rlimit_files)"),
        Errno::NFILE => ("file descriptors", "raise fs.file-max"),
        Errno::NOMEM | Errno::NOBUFS => ("memory", "see what uses it"),
        Errno::ADDRNOTAVAIL => ("local ports", "widen net.ipv4.ip_local_port_range"),
        // What a thread that cannot be started reports.
        Errno::AGAIN => ("threads", "raise the limit of processes (LimitNPROC, pids)"),
        _ => return None,
    };
    let message = format!("not sent yet: this server has no more {what}; {remedy}");
    Some(Failure::new(FailureKind::Shortage, message))
}

/// A connection that could not be opened.
pub(super) fn of_connect(error: &io::Error, ip: IpAddr, port: u16) -> Failure {
    if let Some(shortage) = shortage(error) {
        return shortage;
    }
    let message = match error.kind() {
        ErrorKind::ConnectionRefused => {
            format!("connection refused by {ip} port {port}: nothing is listening there")
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            format!("this server's network knows no way to {ip} port {port}")
        }
        ErrorKind::PermissionDenied => format!("a firewall on this server forbids connections to {ip} port {port}"),
        _ => format!("no connection to {ip} port {port}: {error}"),
    };
    Failure::new(FailureKind::Connect, message)
}

/// Nothing came back from the address, not even a refusal.
pub(super) fn connect_timed_out(ip: IpAddr, port: u16) -> Failure {
    let message =
        format!("{ip} port {port} does not react: the machine is off, or a firewall drops what is sent there");
    Failure::new(FailureKind::Timeout, message)
}

/// This process is ending.
pub(super) fn interrupted() -> Failure {
    Failure::new(FailureKind::Protocol, "the request was broken off because this process is ending")
}

/// A handshake that did not come to its end.
pub(super) fn of_handshake(error: io::Error, target: &Target) -> Failure {
    let (host, port) = (&target.host, target.port);
    match tls_error(&error) {
        Some(error) => of_tls(error, target),
        None if is_deadline(&error) => {
            Failure::new(FailureKind::Timeout, format!("{host} port {port} did not finish the TLS handshake in time"))
        }
        None => Failure::new(
            FailureKind::Tls,
            format!("{host} port {port} closed the connection during the TLS handshake; does it speak https there?"),
        ),
    }
}

/// What rustls found wrong.
pub(super) fn of_tls(error: &rustls::Error, target: &Target) -> Failure {
    use rustls::Error as Tls;
    let (host, port) = (target.host.as_str(), target.port);
    let message = match error {
        Tls::InvalidCertificate(error) => of_certificate(error, host),
        Tls::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            format!("{host} speaks no TLS on port {port}; should the URL begin with http: instead of https:?")
        }
        Tls::AlertReceived(AlertDescription::CertificateRequired) => {
            format!("{host} wants a client certificate; name its file with client_cert")
        }
        Tls::AlertReceived(AlertDescription::ProtocolVersion)
        | Tls::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
            format!("{host} only speaks versions of TLS that are no longer safe; it needs 1.2 or 1.3")
        }
        Tls::AlertReceived(AlertDescription::UnrecognisedName) => {
            format!("the server that {host} leads to does not know that name")
        }
        Tls::AlertReceived(
            alert @ (AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError),
        ) => match &target.identity.client_cert {
            Some(path) if *alert == AlertDescription::CertificateExpired => {
                format!("{host} says that the client certificate in {path} has expired; put a renewed one there")
            }
            Some(path) => format!(
                "{host} does not accept the client certificate in {path} ({alert:?}); is it the one that was issued for \
                 this receiver, with its intermediate certificates?"
            ),
            None if *alert == AlertDescription::DecryptError => {
                format!("{host} broke off the TLS handshake ({alert:?})")
            }
            None => format!("{host} wants a client certificate ({alert:?}); name its file with client_cert"),
        },
        Tls::AlertReceived(alert) => format!("{host} broke off the TLS handshake ({alert:?})"),
        other => format!("TLS with {host} failed: {other}"),
    };
    Failure::new(FailureKind::Tls, message)
}

fn of_certificate(error: &CertificateError, host: &str) -> String {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate of {host} expired on {}", day(not_after.as_secs()))
        }
        CertificateError::Expired => format!("the certificate of {host} has expired"),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!(
                "the certificate of {host} is not valid before {}; are both clocks right?",
                day(not_before.as_secs())
            )
        }
        CertificateError::NotValidYet => format!("the certificate of {host} is not valid yet; are both clocks right?"),
        CertificateError::NotValidForNameContext { presented, .. } => {
            // Each is written as `DnsName("example.com")`.
            let bare = |name: &String| name.split('"').nth(1).unwrap_or(name).to_owned();
            let mut names: Vec<String> = presented.iter().take(4).map(bare).collect();
            if presented.len() > names.len() {
                names.push("…".to_owned());
            }
            match names.is_empty() {
                true => format!("the certificate of {host} names no host"),
                false => format!("the certificate is for other names ({}), not for {host}", names.join(", ")),
            }
        }
        CertificateError::NotValidForName => format!("the certificate is for other names, not for {host}"),
        // A bad signature: an authority of the same name, made again.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
            "the certificate of {host} is signed by nobody this server trusts (unknown issuer); it may be self-signed, \
             or an intermediate certificate is missing there. Name the issuer's file with ca to trust it"
        ),
        self_signed if is_authority_as_server(self_signed) => {
            format!("the certificate of {host} is self-signed; name its own file with ca to trust it")
        }
        CertificateError::Revoked => format!("the certificate of {host} has been revoked"),
        other => format!("the certificate of {host} is not accepted: {other}"),
    }
}

fn timed_out(notes: &Notes, timeout: Duration) -> String {
    let timeout = seconds(timeout);
    if notes.answered_at.is_some() {
        format!("the answer began but was not complete within {timeout}")
    } else if notes.sent_at.is_some() {
        format!("no answer within {timeout}")
    } else {
        format!("the request could not be sent within {timeout}")
    }
}

fn endless() -> Failure {
    Failure::new(FailureKind::Protocol, "the answer does not end; it was broken off")
}

fn too_large_a_head() -> Failure {
    Failure::new(FailureKind::Protocol, "the answer's headers are larger than any receiver's should be")
}

/// `15 s`, `0.5 s`.
fn seconds(duration: Duration) -> String {
    format!("{} s", (duration.as_secs_f64() * 1000.0).round() / 1000.0)
}

fn day(unix_seconds: u64) -> String {
    let at = Millis::try_from(unix_seconds.saturating_mul(1000)).unwrap_or(Millis::MAX);
    iso_seconds(at).chars().take(10).collect()
}

/// Whether it was the call's own deadline. rustls and ureq pass it on wrapped.
fn is_deadline(error: &io::Error) -> bool {
    caused_by::<DeadlinePassed>(error).is_some()
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    caused_by::<rustls::Error>(error)
}

fn caused_by<E: std::error::Error + 'static>(error: &io::Error) -> Option<&E> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.get_ref().map(|inner| inner as _);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
