//! Through a proxy: the receiver is checked before the proxy is asked.

use std::io;
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use posthorn::delivery::FailureKind;
use serde_json::json;

use crate::delivery_receiver::{OK, Receiver, answer, endpoint, failure, post, transport};

/// A proxy that leads every way to `to`.
pub fn proxy(to: &Receiver) -> Receiver {
    let to = to.address;
    Receiver::start(move |conn| {
        conn.request()?;
        let far = TcpStream::connect(to)?;
        conn.write("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")?;
        let (mut near, mut far_out) = (conn.socket()?, far.try_clone()?);
        let back = thread::spawn(move || io::copy(&mut &far, &mut near));
        conn.copy_to(&mut far_out)?;
        far_out.shutdown(std::net::Shutdown::Both)?;
        let _ = back.join();
        Ok(())
    })
}

#[test]
fn the_proxy_is_asked_for_the_way_and_the_way_is_kept() {
    let receiver = Receiver::answering(OK);
    let proxy = proxy(&receiver);
    let transport = transport().with_lookup(Arc::new(|_| Ok(vec![IpAddr::from([127, 0, 0, 1])])));
    let keys = json!({"proxy": proxy.url(""), "allow_private": ["hook.example"]});
    let endpoint = endpoint("http://hook.example:8080/path", keys);
    assert_eq!(answer(&transport, &endpoint).status, 200);
    assert!(post(&transport, &endpoint).timings.connect.is_none());
    assert_eq!(proxy.requests().len(), 1);
    let asked = &proxy.requests()[0];
    assert!(
        asked.head.starts_with("CONNECT hook.example:8080 HTTP/1.1\r\nHost: hook.example:8080\r\n"),
        "{}",
        asked.head
    );
    assert!(!asked.head.contains("/path"));
    assert!(receiver.requests()[0].has_line("host: hook.example:8080"));
}

#[test]
fn a_receiver_that_may_not_be_called_is_not_asked_for() {
    let receiver = Receiver::answering(OK);
    let proxy = proxy(&receiver);
    let transport = transport().with_lookup(Arc::new(|_| Ok(vec![IpAddr::from([10, 0, 0, 7])])));
    for url in ["http://inside.example/", "http://169.254.169.254/latest/meta-data/", "https://10.0.0.1/"] {
        let keys = json!({"proxy": proxy.url(""), "allow_private": false});
        assert_eq!(failure(&transport, &endpoint(url, keys)).kind, FailureKind::Refused);
    }
    assert_eq!(proxy.connections(), 0);
}

#[test]
fn with_every_address_allowed_the_proxy_alone_knows_the_name() {
    let receiver = Receiver::answering(OK);
    let proxy = proxy(&receiver);
    let asked = Arc::new(AtomicUsize::new(0));
    let transport = {
        let asked = asked.clone();
        transport().with_lookup(Arc::new(move |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            Err(io::Error::other("no DNS here"))
        }))
    };
    let endpoint = endpoint("http://only-there.example/", json!({"proxy": proxy.url("")}));
    assert_eq!(answer(&transport, &endpoint).status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_proxy_that_refuses_says_why() {
    for (answer, kind, says) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", FailureKind::Connect, "does not let through"),
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", FailureKind::Settings, "user name"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", FailureKind::Connect, "502"),
        ("SSH-2.0-OpenSSH\r\n\r\n", FailureKind::Protocol, "did not answer as an HTTP proxy does"),
        ("", FailureKind::Protocol, "did not answer as an HTTP proxy does"),
    ] {
        let proxy = Receiver::start(move |conn| {
            conn.request()?;
            conn.write(answer)
        });
        let failure = failure(&transport(), &endpoint("http://127.0.0.1:9/", json!({"proxy": proxy.url("")})));
        assert_eq!(failure.kind, kind, "{}", failure.message);
        assert!(failure.message.starts_with("the proxy 127.0.0.1 "), "{}", failure.message);
        assert!(failure.message.contains(says), "{}", failure.message);
    }
}

#[test]
fn a_proxy_that_is_not_there_or_hangs_is_named() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let keys = json!({"proxy": format!("http://{gone}")});
    let missing = failure(&transport(), &endpoint("http://127.0.0.1:9/", keys));
    assert_eq!(missing.kind, FailureKind::Connect);
    assert!(missing.message.starts_with("the proxy 127.0.0.1: connection refused"), "{}", missing.message);

    let hanging = Receiver::start(|conn| {
        conn.request()?;
        conn.wait_for_end()
    });
    let keys = json!({"proxy": hanging.url(""), "timeout": 0.3});
    let hung = failure(&transport(), &endpoint("http://127.0.0.1:9/", keys));
    assert_eq!(hung.kind, FailureKind::Timeout);
    assert!(hung.message.contains("the proxy 127.0.0.1"), "{}", hung.message);
}
