//! Through a proxy: the receiver is checked before the proxy is asked.

use std::io;
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use posthorn::delivery::{FailureKind, HttpTransport};
use posthorn::endpoint::ProxyEnvironment;
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

/// A transport whose environment names `proxy` for everything.
fn through(proxy: &Receiver) -> HttpTransport {
    let url = proxy.url("");
    let get = |variable: &str| matches!(variable, "https_proxy" | "http_proxy").then(|| url.clone());
    transport().with_environment(ProxyEnvironment::read(get))
}

#[test]
fn the_environments_proxy_is_for_endpoints_without_one_of_their_own() {
    let receiver = Receiver::answering(OK);
    let (of_environment, own) = (proxy(&receiver), proxy(&receiver));
    let lookup: posthorn::delivery::resolver::Lookup = Arc::new(|_| Ok(vec![IpAddr::from([127, 0, 0, 1])]));
    let transport = through(&of_environment).with_lookup(lookup);
    let url = format!("http://hook.example:{}/", receiver.address.port());
    assert_eq!(answer(&transport, &endpoint(&url, json!({}))).status, 200);
    assert_eq!((of_environment.connections(), own.connections()), (1, 0));
    assert_eq!(answer(&transport, &endpoint(&url, json!({"proxy": own.url("")}))).status, 200);
    assert_eq!((of_environment.connections(), own.connections()), (1, 1));
    // Neither is used where none is wanted, nor for this machine.
    assert_eq!(answer(&transport, &endpoint(&url, json!({"proxy": false}))).status, 200);
    assert_eq!(answer(&transport, &endpoint(&receiver.url("/"), json!({}))).status, 200);
    assert_eq!((of_environment.connections(), own.connections()), (1, 1));
}

#[test]
fn a_proxy_of_the_environment_that_cannot_be_used_stops_the_request() {
    let receiver = Receiver::answering(OK);
    let environment =
        ProxyEnvironment::read(|variable| (variable == "http_proxy").then(|| "socks5://me:hush@a".into()));
    let transport = transport().with_environment(environment);
    let url = format!("http://hook.example:{}/", receiver.address.port());
    let refused = failure(&transport, &endpoint(&url, json!({})));
    assert_eq!(refused.kind, FailureKind::Settings);
    assert!(refused.message.contains("http_proxy") && !refused.message.contains("hush"), "{}", refused.message);
    assert_eq!(receiver.connections(), 0);
}

#[test]
fn the_proxy_is_told_its_user_and_the_receiver_is_not() {
    let receiver = Receiver::answering(OK);
    let proxy = proxy(&receiver);
    let keys = json!({"proxy": format!("http://me:hu%40sh@{}", proxy.address)});
    assert_eq!(answer(&transport(), &endpoint("http://hook.example/", keys)).status, 200);
    // base64 of me:hu@sh
    assert!(proxy.requests()[0].has_line("Proxy-Authorization: Basic bWU6aHVAc2g="), "{}", proxy.requests()[0].head);
    assert!(!receiver.requests()[0].head.to_lowercase().contains("proxy"));
}

#[test]
fn metadata_is_not_asked_of_a_proxy_by_address_or_name() {
    let receiver = Receiver::answering(OK);
    let proxy = proxy(&receiver);
    let transport = transport().with_lookup(Arc::new(|_| Ok(vec![IpAddr::from([169, 254, 169, 254])])));
    for url in [
        "http://169.254.169.254/latest/",
        "http://[fd00:ec2::254]/latest/",
        "http://metadata.google.internal/computeMetadata/",
        "http://2852039166/",
    ] {
        let refused = failure(&transport, &endpoint(url, json!({"proxy": proxy.url(""), "allow_private": true})));
        assert_eq!(refused.kind, FailureKind::Refused, "{url}: {}", refused.message);
    }
    let keys = json!({"proxy": proxy.url(""), "allow_private": ["169.254.169.254"]});
    assert_eq!(answer(&transport, &endpoint("http://169.254.169.254/latest/", keys)).status, 200);
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn a_name_that_only_the_proxy_knows_is_named_in_the_remedy_and_reached_when_allowed() {
    let receiver = Receiver::answering(OK);
    let proxy = proxy(&receiver);
    let transport = transport().with_lookup(Arc::new(|_| Err(io::ErrorKind::NotFound.into())));
    let url = "http://only-there.example/";
    let unknown = failure(&transport, &endpoint(url, json!({"proxy": proxy.url(""), "allow_private": false})));
    assert_eq!(unknown.kind, FailureKind::Dns);
    assert!(
        unknown.message.contains("if only the proxy can look names up, list it in allow_private"),
        "{}",
        unknown.message
    );
    assert_eq!(proxy.connections(), 0);
    let allowed = json!({"proxy": proxy.url(""), "allow_private": ["only-there.example"]});
    assert_eq!(answer(&transport, &endpoint(url, allowed.clone())).status, 200);
    // Kept, and not for an endpoint that could not have opened it.
    assert_eq!(answer(&transport, &endpoint(url, allowed)).status, 200);
    let other = json!({"proxy": proxy.url(""), "allow_private": ["other.example"]});
    assert_eq!(failure(&transport, &endpoint(url, other)).kind, FailureKind::Dns);
    assert_eq!((proxy.connections(), receiver.requests().len()), (1, 2));
}

#[test]
fn a_proxy_that_trickles_or_never_ends_its_answer_is_under_the_deadline() {
    for (start, again) in [("HTTP/1.1 200 OK\r\n", "X"), ("", "H"), ("HTTP/1.1 200 OK\r\nX: ", "0123456789")] {
        let slow = again.len() == 1;
        let proxy = Receiver::start(move |conn| {
            conn.request()?;
            conn.write(start)?;
            loop {
                conn.write(again)?;
                if slow {
                    thread::sleep(Duration::from_millis(10));
                }
            }
        });
        let began = Instant::now();
        let failure =
            failure(&transport(), &endpoint("http://127.0.0.1:9/", json!({"proxy": proxy.url(""), "timeout": 0.5})));
        assert!(
            matches!(failure.kind, FailureKind::Timeout | FailureKind::Protocol | FailureKind::Connect),
            "{failure:?}"
        );
        assert!(failure.message.contains("the proxy 127.0.0.1"), "{}", failure.message);
        assert!(began.elapsed() < Duration::from_millis(1500));
    }
}
