//! A connection to a receiver, plain or encrypted, as ureq uses and keeps it.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::{Buffers as _, NextTimeout, Transport};

use super::buffers::Buffers;
use super::call;
use super::wire::Wire;

/// A connection is not used longer than this, so that a name that moves is followed under constant load, too.
const MAX_AGE: Duration = Duration::from_secs(60);

/// What is read of one answer at most, headers, chunk sizes and all. 64 KiB of a body that comes in chunks of a byte are
/// 384 KiB; what is more does not mean to end (interim answers without end, for example).
const MAX_ANSWER_BYTES: usize = 512 * 1024;

/// An answer went past [`MAX_ANSWER_BYTES`].
#[derive(Debug)]
pub(super) struct EndlessAnswer;

impl fmt::Display for EndlessAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer does not end")
    }
}

impl std::error::Error for EndlessAnswer {}

/// A connection with its buffers. ureq's own time-outs are off; the call's deadline holds instead.
pub(super) struct Link {
    stream: Stream,
    buffers: Buffers,
    /// The receiver's address, as far as this side knows it: behind a proxy, the one that was checked.
    address: Option<IpAddr>,
    opened: Instant,
    /// A request was written since ureq last looked whether this is open.
    used: bool,
    /// The receiver stopped reading; perhaps it has answered.
    unsendable: Option<io::Error>,
}

/// The two kinds of connection.
pub(super) enum Stream {
    Plain(Wire),
    Encrypted(Box<StreamOwned<ClientConnection, Wire>>),
}

impl Link {
    pub fn new(stream: Stream, address: Option<IpAddr>) -> Self {
        Link { stream, buffers: Buffers::default(), address, opened: Instant::now(), used: false, unsendable: None }
    }

    fn send(&mut self) {
        let unsent = self.buffers.unsent();
        if unsent.is_empty() {
            return;
        }
        if self.unsendable.is_none() {
            let began = Instant::now();
            self.unsendable = self.stream.write_all(unsent).err();
            call::with(|call| call.notes.sent(began, self.unsendable.is_none()));
        }
        self.buffers.output_sent();
    }

    /// A call may use a kept connection if it could have opened it.
    fn is_for_this_call(&self) -> bool {
        let may_use = call::with(|call| {
            let permitted = match self.address {
                Some(address) => call.target.permits(address),
                None => call.target.permits_unresolved(),
            };
            permitted && !call.fresh
        });
        may_use.unwrap_or(false)
    }
}

impl Transport for Link {
    fn buffers(&mut self) -> &mut dyn ureq::unversioned::transport::Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        self.used = true;
        if self.buffers.output_written(amount) {
            self.send();
        }
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        self.send();
        // A receiver that refuses a large body answers and closes; its answer says more than the broken pipe.
        let amount = match (self.stream.read(self.buffers.input_append_buf()), self.unsendable.take()) {
            (Ok(0), Some(unsendable)) => return Err(unsendable.into()),
            (Err(_), Some(unsendable)) => return Err(unsendable.into()),
            (read, unsendable) => {
                self.unsendable = unsendable;
                read?
            }
        };
        if amount > 0 {
            let read = call::with(|call| {
                call.notes.answering(amount);
                call.notes.answer_bytes
            });
            if read.is_some_and(|bytes| bytes > MAX_ANSWER_BYTES) {
                return Err(io::Error::other(EndlessAnswer).into());
            }
        }
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Asked when ureq takes the connection back and when it hands it out again. The socket is looked at the second time
    /// only: what a receiver sends or does too much is most likely to have come by then.
    fn is_open(&mut self) -> bool {
        let taken_back = std::mem::take(&mut self.used);
        self.unsendable.is_none()
            && self.buffers.is_clean()
            && (taken_back
                || self.opened.elapsed() < MAX_AGE && self.is_for_this_call() && self.stream.wire().is_quiet())
    }

    fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Encrypted(_))
    }
}

impl Stream {
    fn wire(&self) -> &Wire {
        match self {
            Stream::Plain(wire) => wire,
            Stream::Encrypted(stream) => &stream.sock,
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Plain(wire) => wire.write_all(bytes),
            Stream::Encrypted(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(wire) => wire.read(buffer),
            Stream::Encrypted(stream) => stream.read(buffer),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}
