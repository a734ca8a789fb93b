//! The real transport: HTTP/1.1 by ureq, over connections of our own.

use std::array;
use std::collections::HashMap;
use std::env;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ureq::config::{AutoHeaderValue, Config};
use ureq::{Agent, Error};

use super::buffers::MAX_HEAD_BYTES;
use super::call::{Call, Notes};
use super::connect::Connect;
use super::resolver::{Lookup, Names, Spawn, plain_threads, system_lookup};
use super::target::{Identity, Target};
use super::tls::TlsConfigs;
use super::unresolved::Unasked;
use super::{Answer, Exchange, Failure, Transport, failure, request};
use crate::clock::Clock;
use crate::endpoint::{Endpoint, ProxyEnvironment};

/// A kept connection that was not used for this long is closed.
pub const MAX_IDLE: Duration = Duration::from_secs(4);
/// Kept connections to one receiver, twice the default of senders.
const MAX_KEPT_PER_HOST: usize = 64;
/// Kept connections in all.
const MAX_KEPT: usize = 256;
/// Kept connections are divided among the threads, because ureq asks each, under one lock, whether it is still alive.
const SHARDS: usize = 4;
/// Endpoints whose targets are kept.
const MAX_ROUTES: usize = 256;
/// How often a busy transport looks for idle connections.
const SWEEP: Duration = Duration::from_secs(1);

/// The same for all agents: what endpoints differ in is in the connector.
static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let none = || AutoHeaderValue::None;
    Config::builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(none())
        .accept(none())
        .accept_encoding(none())
        .max_response_header_size(MAX_HEAD_BYTES)
        .max_idle_connections(MAX_KEPT / SHARDS)
        .max_idle_connections_per_host(MAX_KEPT_PER_HOST / SHARDS)
        .max_idle_age(MAX_IDLE)
        .build()
});

/// The proxies that the environment names, read by [`prepare`].
static ENVIRONMENT: OnceLock<Arc<ProxyEnvironment>> = OnceLock::new();

/// Reads the environment, once in a process: which proxies it names for endpoints that have none of their own. To be
/// called on a thread that may read it, before senders start. ureq's configuration is made here too, because its defaults
/// look for proxies in the environment, although ours uses none of those.
pub fn prepare() {
    LazyLock::force(&CONFIG);
    ENVIRONMENT.get_or_init(|| Arc::new(ProxyEnvironment::read(|variable| env::var(variable).ok())));
}

/// Sends over HTTP/1.1, keeping connections open between requests.
///
/// * One deadline, the endpoint's timeout, covers the name's lookup, the connection, TLS, the request and the answer.
/// * Every address is judged by [`super::address::may_call`] when it is connected to, and again when a kept connection
///   is used. Behind a proxy the receiver's name is looked up and judged before the proxy is asked.
/// * At most 64 KiB of an answer's body and 32 KiB of its head are read; a redirect is an answer; nothing is unpacked.
/// * A request whose kept connection turns out dead before a byte of the answer came is sent once more on a new one.
///
/// Certificates are read when the first https connection is opened. No thread is started but for looking up a name that
/// is not known from the last ten seconds. Not to be used across a fork: the child makes its own.
pub struct HttpTransport {
    clock: Arc<dyn Clock>,
    connect: Connect,
    environment: Arc<ProxyEnvironment>,
    spawn: Spawn,
    lookup: Lookup,
    agents: Mutex<Vec<Arc<Kept>>>,
    routes: RwLock<HashMap<String, Vec<Arc<Route>>>>,
    began: Instant,
    swept: AtomicU64,
    stopped: AtomicBool,
}

/// The connections that endpoints with one identity share.
struct Kept {
    identity: Identity,
    agents: [Agent; SHARDS],
}

impl Kept {
    /// Whose connections this thread uses.
    fn agent(&self) -> &Agent {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local!(static THREAD: usize = THREADS.fetch_add(1, Ordering::Relaxed));
        &self.agents[THREAD.with(|thread| thread % SHARDS)]
    }
}

/// An endpoint's target and connections.
struct Route {
    target: Arc<Target>,
    kept: Arc<Kept>,
    /// Milliseconds after the transport began.
    used: AtomicU64,
}

impl HttpTransport {
    /// A transport that stamps exchanges with `clock`'s time. Costs nothing to speak of; see [`prepare`].
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (lookup, spawn) = (system_lookup(), plain_threads());
        let connect = Connect {
            names: Arc::new(Names::new(lookup.clone(), spawn.clone())),
            tls: Arc::new(TlsConfigs::default()),
        };
        HttpTransport {
            clock,
            connect,
            environment: ENVIRONMENT.get().cloned().unwrap_or_default(),
            spawn,
            lookup,
            agents: Mutex::default(),
            routes: RwLock::default(),
            began: Instant::now(),
            swept: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    /// Looks names up with `lookup` instead of the system's resolver.
    #[must_use]
    pub fn with_lookup(mut self, lookup: Lookup) -> Self {
        self.lookup = lookup;
        self.connect.names = Arc::new(Names::new(self.lookup.clone(), self.spawn.clone()));
        self
    }

    /// Starts lookup threads with `spawn`, which can see to their signal mask.
    #[must_use]
    pub fn with_spawn(mut self, spawn: Spawn) -> Self {
        self.spawn = spawn;
        self.connect.names = Arc::new(Names::new(self.lookup.clone(), self.spawn.clone()));
        self
    }

    /// Uses the proxies of `environment` instead of those of this process's, for endpoints without one of their own.
    #[must_use]
    pub fn with_environment(mut self, environment: ProxyEnvironment) -> Self {
        self.environment = Arc::new(environment);
        self
    }

    fn exchange(
        &self,
        endpoint: &Endpoint,
        headers: &[(String, String)],
        body: &str,
    ) -> (Notes, Result<Answer, Failure>) {
        let deadline = Instant::now() + endpoint.timeout;
        let route = match self.route(endpoint) {
            Ok(route) => route,
            Err(failure) => return (Notes::default(), Err(failure)),
        };
        let mut fresh = false;
        loop {
            let call = Call { target: route.target.clone(), deadline, fresh, notes: Notes::default() };
            let (result, mut notes) = call.run(|| request::run(route.kept.agent(), &route.target.uri, headers, body));
            notes.ended();
            match result {
                // The receiver may close a kept connection at any moment, also while the request is on its way.
                Err(Error::Io(error)) if !fresh && died_unused(&error, &notes) => fresh = true,
                Err(_) if self.stopped.load(Ordering::SeqCst) => return (notes, Err(failure::interrupted())),
                Err(Error::Http(_)) => return (notes, Err(request::bad_header(headers))),
                Err(error) => {
                    let failure = failure::of_exchange(error, &route.target, &notes, endpoint.timeout);
                    return (notes, Err(failure));
                }
                Ok(answer) => return (notes, Ok(answer)),
            }
        }
    }

    /// The endpoint's route, kept or new.
    fn route(&self, endpoint: &Endpoint) -> Result<Arc<Route>, Failure> {
        let now = self.elapsed_ms();
        self.sweep_now_and_then(now);
        let kept = {
            let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
            routes
                .get(&endpoint.url)
                .and_then(|same_url| same_url.iter().find(|route| route.target.is_of(endpoint)).cloned())
        };
        if let Some(route) = kept {
            route.used.store(now, Ordering::Relaxed);
            return Ok(route);
        }
        let target = Target::read(endpoint, &self.environment)?;
        let kept = self.kept(&target.identity);
        let route = Arc::new(Route { target: Arc::new(target), kept, used: AtomicU64::new(now) });
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        if routes.len() >= MAX_ROUTES {
            routes.clear();
        }
        let same_url = routes.entry(endpoint.url.clone()).or_default();
        same_url.retain(|other| !other.target.is_of(endpoint));
        same_url.push(route.clone());
        Ok(route)
    }

    fn kept(&self, identity: &Identity) -> Arc<Kept> {
        let mut all = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = all.iter().find(|kept| kept.identity == *identity) {
            return kept.clone();
        }
        all.retain(|kept| Arc::strong_count(kept) > 1);
        let agents = array::from_fn(|_| Agent::with_parts(CONFIG.clone(), self.connect.clone(), Unasked));
        let kept = Arc::new(Kept { identity: identity.clone(), agents });
        all.push(kept.clone());
        kept
    }

    fn sweep_now_and_then(&self, now: u64) {
        let swept = self.swept.load(Ordering::Relaxed);
        let due = now.saturating_sub(swept) >= SWEEP.as_millis() as u64;
        if due && self.swept.compare_exchange(swept, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.close_idle();
        }
    }

    fn elapsed_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}

impl Transport for HttpTransport {
    fn send(&self, endpoint: &Endpoint, headers: &[(String, String)], body: &str) -> Exchange {
        let started_at = self.clock.now();
        let began = Instant::now();
        let (notes, result) = self.exchange(endpoint, headers, body);
        Exchange { started_at, duration: began.elapsed(), timings: notes.timings, result }
    }

    fn close_idle(&self) {
        let idle_since = self.elapsed_ms().saturating_sub(MAX_IDLE.as_millis() as u64);
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        if self.began.elapsed() >= MAX_IDLE {
            routes.retain(|_, same_url| {
                same_url.retain(|route| route.used.load(Ordering::Relaxed) > idle_since);
                !same_url.is_empty()
            });
        }
        drop(routes);
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        agents.retain(|kept| Arc::strong_count(kept) > 1);
    }

    fn interrupt(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.connect.names.stop();
        let agents: Vec<Agent> = {
            let agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
            agents.iter().flat_map(|kept| kept.agents.clone()).collect()
        };
        agents.into_iter().for_each(Agent::shutdown);
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}

/// Whether a kept connection broke before the receiver said anything.
fn died_unused(error: &io::Error, notes: &Notes) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    !notes.connected
        && notes.answered_at.is_none()
        && matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}
