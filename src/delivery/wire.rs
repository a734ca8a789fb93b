//! A socket that obeys the deadline of the call it is used for.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{error, fmt};

use rustix::net::RecvFlags;

use super::call;

/// The longest single wait. The socket's timeout is this nearly always, so a request on a kept connection sets none.
const WAIT: Duration = Duration::from_secs(1);

/// The call's deadline passed. A type of its own, because the kernel's time-outs have the same error kind.
#[derive(Debug)]
pub(super) struct DeadlinePassed;

impl fmt::Display for DeadlinePassed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline passed")
    }
}

impl error::Error for DeadlinePassed {}

/// A connected socket.
#[derive(Debug)]
pub(super) struct Wire {
    /// Shared with ureq's shutdown handles only.
    stream: Arc<TcpStream>,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

impl Wire {
    pub fn new(stream: TcpStream) -> Self {
        Wire { stream: Arc::new(stream), read_timeout: None, write_timeout: None }
    }

    /// The socket, for a handle that shuts it down.
    pub fn stream(&self) -> &Arc<TcpStream> {
        &self.stream
    }

    /// Whether nothing has come on it, not even its end.
    pub fn is_quiet(&self) -> bool {
        let mut byte = [0];
        let peeked = rustix::net::recv(&self.stream, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT);
        matches!(peeked, Err(rustix::io::Errno::AGAIN))
    }
}

/// How long a single wait may be now.
fn wait() -> io::Result<Duration> {
    let deadline = call::with(|call| call.deadline);
    match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
        None => Ok(WAIT),
        Some(Duration::ZERO) => Err(io::Error::new(ErrorKind::TimedOut, DeadlinePassed)),
        Some(left) => Ok(left.min(WAIT)),
    }
}

/// Whether to look at the clock and wait on. Sockets with a timeout are interrupted by every signal.
fn waits_on(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let wait = Some(wait()?);
            if self.read_timeout != wait {
                self.stream.set_read_timeout(wait)?;
                self.read_timeout = wait;
            }
            match (&*self.stream).read(buffer) {
                Err(error) if waits_on(&error) => {}
                done => return done,
            }
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let wait = Some(wait()?);
            if self.write_timeout != wait {
                self.stream.set_write_timeout(wait)?;
                self.write_timeout = wait;
            }
            match (&*self.stream).write(bytes) {
                Err(error) if waits_on(&error) => {}
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
