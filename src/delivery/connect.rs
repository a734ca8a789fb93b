//! Opens a connection: name, guard, socket, proxy, TLS, in this order.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector, ShutdownHandle};

use super::link::{Link, Stream};
use super::resolver::{Names, Unresolved};
use super::target::{Place, Target};
use super::tls::TlsConfigs;
use super::wire::Wire;
use super::{Failure, FailureKind, Timings, address, call, failure};

/// An address that does not react holds up the next one for this long at most.
const MAX_WAIT_BEFORE_NEXT: Duration = Duration::from_secs(3);

/// Opens connections for ureq.
#[derive(Clone, Debug)]
pub(super) struct Connect {
    pub names: Arc<Names>,
    pub tls: Arc<TlsConfigs>,
}

impl Connector for Connect {
    type Out = Link;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Link>, Error> {
        let current = call::with(|call| {
            call.notes.connected = true;
            (call.target.clone(), call.deadline)
        });
        let (target, deadline) = current.ok_or(Error::ConnectionFailed)?;
        let mut timings = Timings::default();
        let opened = self.open(&target, deadline, details, &mut timings);
        call::with(|call| call.notes.timings = timings);
        opened.map(Some)
    }
}

impl Connect {
    fn open(
        &self,
        target: &Target,
        deadline: Instant,
        details: &ConnectionDetails,
        timings: &mut Timings,
    ) -> Result<Link, Error> {
        let proxy = target.identity.proxy.as_ref();
        // Behind a proxy nothing is left to check of a name that is allowed, and often no resolver here knows it.
        let addresses = if proxy.is_some() && target.permits_unresolved() {
            Vec::new()
        } else {
            let found = self.resolve(&target.place, deadline, &mut timings.dns);
            let found = found.map_err(|failure| if proxy.is_some() { failure.behind_a_proxy() } else { failure })?;
            permitted(target, &found)?
        };

        let (stream, address) = match proxy {
            None => connect(&addresses, target.port, deadline, &mut timings.connect)?,
            Some(proxy) => {
                let name = |failure: Failure| failure.about(&format!("the proxy {}", proxy.host));
                let found = self.resolve(&proxy.place, deadline, &mut timings.dns).map_err(name)?;
                let (stream, _) = connect(&found, proxy.port, deadline, &mut timings.connect).map_err(name)?;
                (stream, addresses.first().copied())
            }
        };
        let mut wire = Wire::new(stream);
        // From here on `HttpTransport::interrupt` reaches it.
        let handle: Weak<TcpStream> = Arc::downgrade(wire.stream());
        (details.register_shutdown)(handle as Weak<dyn ShutdownHandle>)?;

        if let Some(proxy) = proxy {
            let began = Instant::now();
            let opened = proxy.open_way(&mut wire, &target.host, target.port);
            timings.connect = Some(timings.connect.unwrap_or_default() + began.elapsed());
            opened?;
        }
        let stream = if target.https {
            let began = Instant::now();
            let encrypted = self.encrypt(target, wire);
            timings.tls = Some(began.elapsed());
            Stream::Encrypted(Box::new(encrypted?))
        } else {
            Stream::Plain(wire)
        };
        Ok(Link::new(stream, address))
    }

    fn resolve(&self, place: &Place, deadline: Instant, took: &mut Option<Duration>) -> Result<Vec<IpAddr>, Failure> {
        let name = match place {
            Place::Address(ip) => return Ok(vec![*ip]),
            Place::Name(name) => name,
        };
        let began = Instant::now();
        let found = self.names.addresses(name, deadline);
        *took = Some(took.unwrap_or_default() + began.elapsed());
        match found {
            Ok(addresses) => Ok(addresses.to_vec()),
            Err(Unresolved::Missing) => Err(failure::missing_name(name)),
            Err(Unresolved::Short(shortage)) => Err(shortage),
            Err(Unresolved::Failed(words)) => Err(failure::of_lookup(name, &words)),
            Err(Unresolved::TimedOut) => Err(Failure::new(
                FailureKind::Timeout,
                format!("the name {name} was not looked up in time; check this server's DNS"),
            )),
            Err(Unresolved::Stopped) => Err(failure::interrupted()),
        }
    }

    fn encrypt(&self, target: &Target, mut wire: Wire) -> Result<StreamOwned<ClientConnection, Wire>, Failure> {
        let identity = &target.identity;
        let config = self.tls.config(identity.ca.as_deref(), identity.client_cert.as_deref())?;
        let mut connection =
            ClientConnection::new(config, target.server_name()?).map_err(|error| failure::of_tls(&error, target))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut wire).map_err(|error| failure::of_handshake(error, target))?;
        }
        Ok(StreamOwned::new(connection, wire))
    }
}

/// The addresses that may be called. A name that has public and other addresses is called at the public ones.
fn permitted(target: &Target, found: &[IpAddr]) -> Result<Vec<IpAddr>, Failure> {
    let permitted: Vec<IpAddr> = found.iter().map(|ip| ip.to_canonical()).filter(|ip| target.permits(*ip)).collect();
    match found.first() {
        Some(first) if permitted.is_empty() => {
            let what = address::not_public(*first).unwrap_or("not allowed");
            Err(failure::refused(&target.place, first.to_canonical(), what))
        }
        _ => Ok(permitted),
    }
}

/// Tries one address after another within the deadline.
fn connect(
    addresses: &[IpAddr],
    port: u16,
    deadline: Instant,
    took: &mut Option<Duration>,
) -> Result<(TcpStream, Option<IpAddr>), Failure> {
    let began = Instant::now();
    let mut last = Failure::new(FailureKind::Connect, "there is no address to connect to");
    for (tried, ip) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let is_last = tried + 1 == addresses.len();
        let wait = if is_last { left } else { (left / 2).min(MAX_WAIT_BEFORE_NEXT) };
        if wait.is_zero() {
            last = failure::connect_timed_out(*ip, port);
            break;
        }
        let opened = TcpStream::connect_timeout(&SocketAddr::new(*ip, port), wait);
        *took = Some(began.elapsed());
        match opened.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Ok((stream, Some(*ip))),
            Err(error) if error.kind() == ErrorKind::TimedOut => last = failure::connect_timed_out(*ip, port),
            Err(error) => last = failure::of_connect(&error, *ip, port),
        }
    }
    Err(last)
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error::Other(Box::new(failure))
    }
}
