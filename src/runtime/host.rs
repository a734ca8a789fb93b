//! What the process that we are a guest in provides. Set once by the PHP boundary; absent in tests.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Builder;

/// Our threads recurse nowhere; PHP's default of 8 MiB would be counted against the pool by some hosts.
const STACK_BYTES: usize = 512 * 1024;

/// The process that our threads are guests in.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// Calls its argument with every signal blocked, so that a thread started by it never receives one.
    pub with_signals_blocked: fn(&mut dyn FnMut()),
    /// Gives the page back the processor time that our threads have used since the last call.
    pub give_time_back: fn(),
    /// What serves requests here: `fpm-fcgi`, `apache2handler`, `cli`, …
    pub name: &'static str,
}

static HOST: OnceLock<Host> = OnceLock::new();
static IN_REQUEST: AtomicBool = AtomicBool::new(false);
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// Tells who the host is. Only the first call has an effect.
pub fn set(host: Host) {
    let _ = HOST.set(host);
}

/// Notes that the process starts to serve a request.
pub fn request_started() {
    IN_REQUEST.store(true, Ordering::Relaxed);
    REQUESTS.fetch_add(1, Ordering::Relaxed);
}

/// Notes that the request is over.
pub fn request_ended() {
    IN_REQUEST.store(false, Ordering::Relaxed);
}

/// Whether the process serves a request.
pub(super) fn in_request() -> bool {
    IN_REQUEST.load(Ordering::Relaxed)
}

/// How many requests the process has started to serve.
pub(super) fn requests() -> u64 {
    REQUESTS.load(Ordering::Relaxed)
}

/// What serves requests here.
pub(super) fn name() -> &'static str {
    HOST.get().map_or("none", |host| host.name)
}

/// Whether somebody waits for a page of this process; at the command line nobody does.
pub(super) fn serves_pages() -> bool {
    !matches!(name(), "none" | "cli" | "phpdbg" | "embed")
}

pub(super) fn with_signals_blocked(act: &mut dyn FnMut()) {
    match HOST.get() {
        Some(host) => (host.with_signals_blocked)(act),
        None => act(),
    }
}

/// Starts a thread of ours with every signal blocked.
pub(super) fn spawn(name: &str, run: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    let (mut run, mut started) = (Some(run), Err(io::ErrorKind::Other.into()));
    with_signals_blocked(&mut || {
        if let Some(run) = run.take() {
            started = Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(run).map(|_| ());
        }
    });
    started
}

pub(super) fn give_time_back() {
    if let Some(host) = HOST.get()
        && in_request()
    {
        (host.give_time_back)();
    }
}
