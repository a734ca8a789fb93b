//! How processes tell each other: a datagram wakes the dispatcher, and a connection to it breaks when it is
//! gone.
//!
//! The connection says at once, and across process id namespaces too, what watching the holder's process
//! would say: the kernel closes it however the holder ends.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

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

/// What a process that waits to send says when its owner asked it to work.
const WANTS_TO_WORK: u8 = b'w';

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
    standing_by: Vec<Listed>,
    descriptors: Arc<Descriptors>,
    /// A process that stands by was asked to work.
    pub wanted: bool,
}

impl Station {
    /// Opens them. Only the holder of the lock may.
    pub fn open(directory: &Path, descriptors: &Arc<Descriptors>) -> Result<Self> {
        let open = || -> rustix::io::Result<Station> {
            let wake = descriptors.open(|| bound(directory, WAKE, SocketType::DGRAM))?;
            let listener = descriptors.open(|| bound(directory, STAND_BY, SocketType::STREAM))?;
            listen(&listener, 128)?;
            let descriptors = descriptors.clone();
            Ok(Station { wake, listener, standing_by: Vec::new(), descriptors, wanted: false })
        };
        open().map_err(|error| Error::unavailable(format!("cannot make sockets in {}: {error}", directory.display())))
    }

    /// What to wait for.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [&self.wake, &self.listener].into_iter().chain(&self.standing_by).map(AsFd::as_fd)
    }

    /// Whether another process could take over.
    pub fn has_stand_by(&self) -> bool {
        !self.standing_by.is_empty()
    }

    /// Takes in what has arrived. Returns how many times pages have called.
    pub fn read(&mut self) -> usize {
        let mut buffer = [0u8; 16];
        let mut calls = 0;
        while recv(&self.wake, &mut buffer[..], RecvFlags::empty()).is_ok() {
            calls += 1;
        }
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        while let Ok(connection) = self.descriptors.open(|| accept_with(&self.listener, flags)) {
            self.standing_by.push(connection);
        }
        let wanted = &mut self.wanted;
        self.standing_by.retain(|connection| match recv(connection, &mut buffer[..], RecvFlags::empty()) {
            Ok((0, _)) => false,
            Ok((read, _)) => {
                *wanted |= buffer[..read].contains(&WANTS_TO_WORK);
                true
            }
            Err(Errno::AGAIN | Errno::INTR) => true,
            Err(_) => false,
        });
        *wanted &= !self.standing_by.is_empty();
        calls
    }
}

/// A stand-by's connection to the dispatcher.
pub(super) struct StandBy(Listed);

impl StandBy {
    /// Connects; `None` if nobody is there to connect to.
    pub fn connect(directory: &Path, descriptors: &Arc<Descriptors>) -> Option<Self> {
        let connected = descriptors.open(|| {
            let socket = unix_socket(SocketType::STREAM)?;
            connect(&socket, &Address::new(directory, STAND_BY)?.address)?;
            rustix::io::Result::Ok(socket)
        });
        connected.ok().map(StandBy)
    }

    /// Asks the dispatcher to hand over.
    pub fn ask_for_work(&self) {
        let _ = send(&self.0, &[WANTS_TO_WORK], SendFlags::NOSIGNAL);
    }

    /// Readable when the dispatcher is gone.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
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
