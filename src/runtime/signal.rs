//! How processes tell each other: a datagram wakes the dispatcher, and a connection to it breaks when it is
//! gone.
//!
//! The connection says at once, and across process id namespaces too, what watching the holder's process
//! would say: the kernel closes it however the holder ends.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect, listen,
    recv, send, socket_with,
};

use super::descriptors::{Descriptors, Listed};
use crate::error::{Error, Result};
use crate::store::give_to_owner_of_parent;

const WAKE: &str = "wake.sock";
const STAND_BY: &str = "dispatcher.sock";

/// What a process says to the dispatcher: that it stands by …
const STANDS_BY: u8 = b's';

/// … that its owner asked it to work …
const WANTS_TO_WORK: u8 = b'w';

/// … and that it wants a sign of life. The dispatcher answers with the same.
const ANSWER_ME: u8 = b'a';

/// A connection is tried again so soon where a new dispatcher has none yet, or an old one takes none.
const CONNECT_AGAIN: Duration = Duration::from_millis(10);

/// A socket's address may have 107 bytes; this form has, whatever the directory's length.
struct Address {
    address: SocketAddrUnix,
    _directory: Option<OwnedFd>,
}

impl Address {
    fn new(directory: &Path, name: &str) -> rustix::io::Result<Self> {
        if let Ok(address) = SocketAddrUnix::new(directory.join(name)) {
            return Ok(Address { address, _directory: None });
        }
        let opened = rustix::fs::open(directory, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let short = format!("/proc/self/fd/{}/{name}", opened.as_raw_fd());
        Ok(Address { address: SocketAddrUnix::new(short)?, _directory: Some(opened) })
    }
}

fn unix_socket(kind: SocketType) -> rustix::io::Result<OwnedFd> {
    socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
}

fn bound(directory: &Path, name: &str, kind: SocketType) -> rustix::io::Result<OwnedFd> {
    let path = directory.join(name);
    let _ = std::fs::remove_file(&path);
    let socket = unix_socket(kind)?;
    bind(&socket, &Address::new(directory, name)?.address)?;
    // The directory is 0700 already.
    rustix::fs::chmod(&path, Mode::RUSR | Mode::WUSR)?;
    let _ = give_to_owner_of_parent(&path);
    Ok(socket)
}

/// The dispatcher's ends.
pub(super) struct Station {
    wake: Listed,
    listener: Listed,
    connections: Vec<Connection>,
    descriptors: Arc<Descriptors>,
    /// A process that stands by was asked to work.
    pub wanted: bool,
}

/// Another process's connection.
struct Connection {
    socket: Listed,
    /// Who only asks for a sign of life does not.
    stands_by: bool,
}

impl Station {
    /// Opens them. Only the holder of the lock may.
    pub fn open(directory: &Path, descriptors: &Arc<Descriptors>) -> Result<Self> {
        let open = || -> rustix::io::Result<Station> {
            let wake = descriptors.open(|| bound(directory, WAKE, SocketType::DGRAM))?;
            let listener = descriptors.open(|| bound(directory, STAND_BY, SocketType::STREAM))?;
            listen(&listener, 128)?;
            let descriptors = descriptors.clone();
            Ok(Station { wake, listener, connections: Vec::new(), descriptors, wanted: false })
        };
        open().map_err(|error| Error::unavailable(format!("cannot make sockets in {}: {error}", directory.display())))
    }

    /// What to wait for.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let connections = self.connections.iter().map(|connection| &connection.socket);
        [&self.wake, &self.listener].into_iter().chain(connections).map(AsFd::as_fd)
    }

    /// Whether another process could take over.
    pub fn has_stand_by(&self) -> bool {
        self.connections.iter().any(|connection| connection.stands_by)
    }

    /// Takes in what has arrived, and answers who asks for a sign of life. Returns how many times pages have called.
    pub fn read(&mut self) -> usize {
        let mut buffer = [0u8; 16];
        let mut calls = 0;
        while recv(&self.wake, &mut buffer[..], RecvFlags::empty()).is_ok() {
            calls += 1;
        }
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        while let Ok(socket) = self.descriptors.open(|| accept_with(&self.listener, flags)) {
            self.connections.push(Connection { socket, stands_by: false });
        }
        let wanted = &mut self.wanted;
        self.connections.retain_mut(|connection| match recv(&connection.socket, &mut buffer[..], RecvFlags::empty()) {
            Ok((0, _)) => false,
            Ok((read, _)) => {
                let said = &buffer[..read];
                *wanted |= said.contains(&WANTS_TO_WORK);
                connection.stands_by |= said.contains(&STANDS_BY);
                if said.contains(&ANSWER_ME) {
                    let _ = send(&connection.socket, &[ANSWER_ME], SendFlags::NOSIGNAL);
                }
                connection.stands_by || !said.contains(&ANSWER_ME)
            }
            Err(Errno::AGAIN | Errno::INTR) => true,
            Err(_) => false,
        });
        self.wanted &= self.has_stand_by();
        calls
    }
}

/// A stand-by's connection to the dispatcher.
pub(super) struct StandBy {
    socket: Listed,
    /// Since when it owes an answer.
    asked: Option<Instant>,
    /// It was said that it does not answer.
    pub told_frozen: bool,
}

/// What a stand-by hears from the dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing.
    Silence,
    /// A sign of life.
    Answer,
    /// That it is gone.
    Gone,
}

impl StandBy {
    /// Connects; `None` if nobody is there to connect to.
    pub fn connect(directory: &Path, descriptors: &Arc<Descriptors>) -> Option<Self> {
        let connected = descriptors.open(|| {
            let socket = unix_socket(SocketType::STREAM)?;
            connect(&socket, &Address::new(directory, STAND_BY)?.address)?;
            send(&socket, &[STANDS_BY], SendFlags::NOSIGNAL)?;
            rustix::io::Result::Ok(socket)
        });
        connected.ok().map(|socket| StandBy { socket, asked: None, told_frozen: false })
    }

    /// Asks the dispatcher to hand over.
    pub fn ask_for_work(&self) {
        let _ = send(&self.socket, &[WANTS_TO_WORK], SendFlags::NOSIGNAL);
    }

    /// Asks the dispatcher for a sign of life, unless it owes one. Returns for how long it has owed it.
    pub fn ask_for_answer(&mut self) -> Duration {
        let asked = *self.asked.get_or_insert_with(|| {
            let _ = send(&self.socket, &[ANSWER_ME], SendFlags::NOSIGNAL);
            Instant::now()
        });
        asked.elapsed()
    }

    /// Takes in what the dispatcher has said.
    pub fn read(&mut self) -> Heard {
        let mut buffer = [0u8; 16];
        match recv(&self.socket, &mut buffer[..], RecvFlags::empty()) {
            Ok((read, _)) if read > 0 => {
                self.asked = None;
                Heard::Answer
            }
            Err(Errno::AGAIN | Errno::INTR) => Heard::Silence,
            _ => Heard::Gone,
        }
    }

    /// Readable when the dispatcher has answered or is gone.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Asks the dispatcher of the queue in `directory` for a sign of life and waits for it, for `patience` at most. `None` if
/// it cannot be asked: it has no socket, or one that is not to be reached from here.
pub(super) fn is_alive(directory: &Path, patience: Duration) -> Option<bool> {
    let deadline = Instant::now() + patience;
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut asked = false;
    while !left().is_zero() {
        let connected = || -> rustix::io::Result<OwnedFd> {
            let socket = unix_socket(SocketType::STREAM)?;
            connect(&socket, &Address::new(directory, STAND_BY)?.address)?;
            send(&socket, &[ANSWER_ME], SendFlags::NOSIGNAL)?;
            Ok(socket)
        };
        let socket = match connected() {
            Ok(socket) => socket,
            Err(error) => {
                // So many wait to be taken that no more may: it has taken none for long.
                asked |= error == Errno::AGAIN;
                std::thread::sleep(CONNECT_AGAIN.min(left()));
                continue;
            }
        };
        asked = true;
        while !left().is_zero() {
            let timeout = Timespec { tv_sec: left().as_secs() as i64, tv_nsec: left().subsec_nanos() as i64 };
            let _ = poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&timeout));
            let mut buffer = [0u8; 1];
            match recv(&socket, &mut buffer[..], RecvFlags::empty()) {
                Ok((read, _)) if read > 0 => return Some(true),
                Err(Errno::AGAIN | Errno::INTR) => {}
                // It has just handed over; whoever sends now is asked.
                _ => break,
            }
        }
    }
    asked.then_some(false)
}

/// The page's end: wakes whoever sends.
pub(super) struct Waker {
    directory: PathBuf,
    socket: Option<OwnedFd>,
    nobody_at: Option<Instant>,
}

/// Where nobody sends, looking for somebody with every event would cost the page more than it is worth: who
/// becomes the dispatcher looks for itself.
const LOOK_FOR_DISPATCHER_EVERY: Duration = Duration::from_millis(2);

impl Waker {
    /// Wakes the dispatcher of the queue in `directory`.
    pub fn new(directory: &Path) -> Self {
        Waker { directory: directory.to_owned(), socket: None, nobody_at: None }
    }

    /// Wakes it. If there is none, whoever becomes it looks for itself; if its buffer is full, it is awake.
    pub fn wake(&mut self) {
        if let Some(socket) = &self.socket {
            match send(socket, b"e", SendFlags::NOSIGNAL) {
                Ok(_) | Err(Errno::AGAIN | Errno::NOBUFS | Errno::INTR) => return,
                // Another dispatcher with another socket.
                Err(_) => self.socket = None,
            }
        }
        if self.nobody_at.is_some_and(|at| at.elapsed() < LOOK_FOR_DISPATCHER_EVERY) {
            return;
        }
        let connected = || -> rustix::io::Result<OwnedFd> {
            let socket = unix_socket(SocketType::DGRAM)?;
            connect(&socket, &Address::new(&self.directory, WAKE)?.address)?;
            send(&socket, b"e", SendFlags::NOSIGNAL)?;
            Ok(socket)
        };
        self.socket = connected().ok();
        self.nobody_at = self.socket.is_none().then(Instant::now);
    }
}
