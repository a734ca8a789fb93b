//! A receiver on the loopback that does what a test tells it to, over TCP or TLS.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use posthorn::clock::ManualClock;
use posthorn::delivery::{Answer, Exchange, Failure, HttpTransport, Transport};
use posthorn::endpoint::Endpoint;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

/// An answer that keeps the connection.
pub const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A listening receiver; it stops with the test.
pub struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    connections: AtomicUsize,
    requests: Mutex<Vec<Request>>,
    stopping: AtomicBool,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub head: String,
    pub body: String,
}

impl Request {
    /// Whether the head has exactly this line.
    pub fn has_line(&self, line: &str) -> bool {
        self.head.lines().any(|other| other == line)
    }
}

/// One connection, from the receiver's side.
pub struct Conn {
    stream: BufReader<Box<dyn Wire>>,
    socket: TcpStream,
    shared: Arc<Shared>,
    /// The how-manieth connection this is, from 1.
    pub number: usize,
    requests: usize,
}

pub trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

impl Receiver {
    /// Serves each connection, on a thread of its own, with `serve`.
    pub fn start(serve: impl Fn(&mut Conn) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self::listen(|socket| Ok(Box::new(socket)), serve)
    }

    /// The same over TLS.
    pub fn start_tls(
        config: ServerConfig,
        serve: impl Fn(&mut Conn) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(config);
        let wrap = move |socket: TcpStream| {
            let connection = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
            Ok(Box::new(StreamOwned::new(connection, socket)) as Box<dyn Wire>)
        };
        Self::listen(wrap, serve)
    }

    /// Answers every request with `answer`.
    pub fn answering(answer: impl Into<String>) -> Self {
        let answer = answer.into();
        Self::start(move |conn| {
            while conn.request()?.is_some() {
                conn.write(&answer)?;
            }
            Ok(())
        })
    }

    fn listen(
        wrap: impl Fn(TcpStream) -> io::Result<Box<dyn Wire>> + Send + Sync + 'static,
        serve: impl Fn(&mut Conn) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let (inner, serve, wrap) = (shared.clone(), Arc::new(serve), Arc::new(wrap));
        thread::spawn(move || {
            for socket in listener.incoming() {
                if inner.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(socket) = socket else { continue };
                let number = inner.connections.fetch_add(1, Ordering::SeqCst) + 1;
                let (shared, serve, wrap) = (inner.clone(), serve.clone(), wrap.clone());
                thread::spawn(move || {
                    let Ok(stream) = socket.try_clone().and_then(|clone| wrap(clone)) else { return };
                    let mut conn = Conn { stream: BufReader::new(stream), socket, shared, number, requests: 0 };
                    let _ = serve(&mut conn);
                    // A client that broke off is what some tests are about.
                    let _ = conn.stream.get_mut().flush();
                    let _ = conn.socket.shutdown(Shutdown::Write);
                });
            }
        });
        Receiver { address, shared }
    }

    /// Its address as a URL.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections were opened to it.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// What has arrived so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

impl Conn {
    /// Reads a whole request; `None` when the client is done.
    pub fn request(&mut self) -> io::Result<Option<Request>> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Ok(None);
            }
        }
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(|n| n.parse::<usize>()))
            .and_then(Result::ok)
            .unwrap_or(0);
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let request = Request { head, body: String::from_utf8_lossy(&body).into_owned() };
        self.requests += 1;
        self.shared.requests.lock().unwrap().push(request.clone());
        Ok(Some(request))
    }

    /// Reads once and takes what came for a request.
    pub fn request_in_one_read(&mut self) -> io::Result<String> {
        let mut bytes = vec![0; 64 * 1024];
        let amount = self.stream.read(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes[..amount]).into_owned())
    }

    /// How many requests came on this connection.
    pub fn requests_here(&self) -> usize {
        self.requests
    }

    /// Sends bytes at once.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())?;
        self.stream.get_mut().flush()
    }

    /// Waits until the client closes.
    pub fn wait_for_end(&mut self) -> io::Result<()> {
        io::copy(&mut self.stream, &mut io::sink()).map(drop)
    }

    /// The socket below.
    pub fn socket(&self) -> io::Result<TcpStream> {
        self.socket.try_clone()
    }

    /// Passes on what comes until the client closes.
    pub fn copy_to(&mut self, to: &mut impl Write) -> io::Result<()> {
        io::copy(&mut self.stream, to).map(drop)
    }

    /// Tells the client nothing, and takes nothing any more.
    pub fn stop_reading(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Closes so that the client sees a reset instead of an end.
    pub fn reset(&mut self) {
        rustix::net::sockopt::set_socket_linger(&self.socket, Some(std::time::Duration::ZERO)).unwrap();
        // It is sent when the last descriptor goes; serving a connection shuts down what stands here then.
        self.stream = BufReader::new(Box::new(io::Cursor::new(Vec::new())));
        self.socket = TcpListener::bind("127.0.0.1:0").and_then(|l| TcpStream::connect(l.local_addr()?)).unwrap();
    }
}

/// An endpoint that may call the loopback, with `keys` beside.
pub fn endpoint(url: &str, keys: Value) -> Endpoint {
    let mut all = json!({"url": url, "allow_private": true, "timeout": 5});
    for (key, value) in keys.as_object().unwrap() {
        all[key] = value.clone();
    }
    Endpoint::from_json(&all).unwrap()
}

/// The real transport.
pub fn transport() -> HttpTransport {
    HttpTransport::new(Arc::new(ManualClock::at(1_800_000_000_000)))
}

/// Sends a small JSON body.
pub fn post(transport: &HttpTransport, endpoint: &Endpoint) -> Exchange {
    transport.send(endpoint, &[("Content-Type".into(), "application/json".into())], r#"{"event":"test"}"#)
}

/// Sends and expects an answer.
pub fn answer(transport: &HttpTransport, endpoint: &Endpoint) -> Answer {
    post(transport, endpoint).result.unwrap()
}

/// Sends and expects none.
pub fn failure(transport: &HttpTransport, endpoint: &Endpoint) -> Failure {
    post(transport, endpoint).result.unwrap_err()
}
