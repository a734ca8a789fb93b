//! Answers that lie, never end, or are of another protocol: a table of them.

use std::thread;
use std::time::{Duration, Instant};

use posthorn::delivery::{FailureKind, MAX_BODY_BYTES, Transport};
use serde_json::json;

use crate::delivery_receiver::{OK, Receiver, answer, endpoint, post, transport};

/// What is expected of an answer.
enum Expect {
    /// The status, and how the body begins.
    Answer(u16, &'static str),
    /// A failure of this kind whose message holds this.
    Failure(FailureKind, &'static str),
}
use Expect::{Answer, Failure};

#[test]
fn answers_that_lie_are_answers_or_failures_at_once() {
    const NOT_HTTP: Expect = Failure(FailureKind::Protocol, "not HTTP");
    const HEAD: &str = "HTTP/1.1 200 OK\r\n";
    let cases: Vec<(&str, String, Expect)> = vec![
        ("HTTP/0.9", "<html>hello</html>".into(), NOT_HTTP),
        ("an HTTP/2 frame", "\0\0\u{6}\u{4}\0\0\0\0\0\0\u{3}\0\0\0\u{64}".into(), NOT_HTTP),
        ("an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), NOT_HTTP),
        ("a status line of HTTP/2", "HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok".into(), NOT_HTTP),
        ("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n".into(), NOT_HTTP),
        ("status 000", "HTTP/1.1 000 Nothing\r\n\r\n".into(), NOT_HTTP),
        ("a request for an answer", "GET / HTTP/1.1\r\nHost: x\r\n\r\n".into(), NOT_HTTP),
        (
            "a length beyond 64 bits",
            format!("{HEAD}Content-Length: 99999999999999999999999\r\n\r\nok"),
            Failure(FailureKind::Protocol, ""),
        ),
        (
            "a length of 2^64 - 1",
            format!("{HEAD}Content-Length: 18446744073709551615\r\n\r\nok"),
            Failure(FailureKind::Protocol, "middle"),
        ),
        ("a negative length", format!("{HEAD}Content-Length: -5\r\n\r\nok"), Failure(FailureKind::Protocol, "")),
        (
            "two lengths",
            format!("{HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!"),
            Failure(FailureKind::Protocol, ""),
        ),
        ("two lengths in a line", format!("{HEAD}Content-Length: 2, 3\r\n\r\nok!"), Failure(FailureKind::Protocol, "")),
        (
            "a length beside chunks, which count (RFC 9112, 6.3)",
            format!("{HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            Answer(200, "ok"),
        ),
        (
            "a chunk beyond 64 bits",
            format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nok"),
            Failure(FailureKind::Protocol, ""),
        ),
        (
            "a chunk of 2^64 - 1",
            format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nok"),
            Failure(FailureKind::Protocol, "middle"),
        ),
        (
            "a negative chunk",
            format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n"),
            Failure(FailureKind::Protocol, ""),
        ),
        ("an interim answer, then the final one", format!("HTTP/1.1 100 Continue\r\n\r\n{OK}"), Answer(200, "ok")),
        (
            "an upgrade nobody asked for",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n".into(),
            Answer(101, ""),
        ),
        (
            "a gzip bomb",
            format!("{HEAD}Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n\u{1f}\u{8b}bombs!!!"),
            Answer(200, "\u{1f}"),
        ),
        ("101 headers", format!("{HEAD}{}\r\n", "X-A: b\r\n".repeat(1001)), Failure(FailureKind::Protocol, "headers")),
        ("a folded header", format!("{HEAD}X-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok"), NOT_HTTP),
        ("a NUL in a header", format!("{HEAD}X-A: b\0c\r\nContent-Length: 2\r\n\r\nok"), NOT_HTTP),
    ];
    for (what, bytes, expected) in cases {
        let receiver = Receiver::start(move |conn| {
            conn.request()?;
            conn.write(&bytes)
        });
        let began = Instant::now();
        let exchange = post(&transport(), &endpoint(&receiver.url("/"), json!({"timeout": 3})));
        match (exchange.result, expected) {
            (Ok(answer), Answer(status, body)) => {
                assert_eq!(answer.status, status, "{what}");
                assert!(String::from_utf8_lossy(&answer.body).starts_with(body), "{what}: {:?}", answer.body);
            }
            (Err(failure), Failure(kind, words)) => {
                assert_eq!(failure.kind, kind, "{what}: {}", failure.message);
                assert!(failure.message.contains(words), "{what}: {}", failure.message);
            }
            (result, _) => panic!("{what}: {result:?}"),
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{what}");
    }
}

#[test]
fn an_answer_without_end_is_broken_off_long_before_the_deadline() {
    let large_chunk = "4000\r\n".to_owned() + &"y".repeat(0x4000) + "\r\n";
    for (what, start, again) in [
        ("interim answers", "", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
        ("interim answers of the other kind", "", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("headers", "HTTP/1.1 200 OK\r\n", "X-More: 0123456789\r\n"),
        ("a header", "HTTP/1.1 200 OK\r\nX-More: ", "0123456789"),
        ("a status line", "HTTP/1.1 200 ", "OK "),
        ("empty lines", "", "\r\n"),
        ("a chunk's size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0"),
        ("a chunk's extension", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "a=b;"),
        ("trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", "X-More: 1\r\n"),
        ("a trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", "X-More-1-2-3"),
        ("chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &large_chunk),
        ("a body with no length", "HTTP/1.1 200 OK\r\n\r\n", "0123456789"),
        ("a body of a gigabyte", "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", "0123456789"),
    ] {
        let (start, again) = (start.to_owned(), again.repeat(100));
        let (told, sent) = std::sync::mpsc::channel();
        let told = std::sync::Mutex::new(told);
        let receiver = Receiver::start(move |conn| {
            conn.request()?;
            conn.write(&start)?;
            let mut bytes = 0;
            while conn.write(&again).is_ok() {
                bytes += again.len();
            }
            told.lock().unwrap().send(bytes).map_err(std::io::Error::other)
        });
        let transport = transport();
        let exchange = post(&transport, &endpoint(&receiver.url("/"), json!({"timeout": 20})));
        match exchange.result {
            Ok(answer) => assert!(answer.truncated && answer.body.len() == MAX_BODY_BYTES, "{what}"),
            Err(failure) => assert_eq!(failure.kind, FailureKind::Protocol, "{what}: {}", failure.message),
        }
        assert!(exchange.duration < Duration::from_secs(5), "{what}: {:?}", exchange.duration);
        // The connection is closed, so that the receiver stops too; what it got rid of is what buffers of the kernel hold.
        let sent = sent.recv_timeout(Duration::from_secs(5)).expect(what);
        assert!(sent < 32 << 20, "{what}: {sent} bytes were taken");
    }
}

#[test]
fn a_byte_at_a_time_is_under_the_deadline_wherever_it_comes() {
    for (what, start, rest) in [
        ("the status line", "", "HTTP/1.1 200 OK and so on and on and on and on and on and on and on"),
        (
            "the headers",
            "HTTP/1.1 200 OK\r\n",
            "X-A: and so on and on and on and on and on and on and on and on and on",
        ),
        (
            "a body",
            "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
            "and so on and on and on and on and on and on and on",
        ),
        (
            "a chunk's size",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "0000000000000000000000000000000000000",
        ),
        (
            "chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\n",
        ),
        (
            "trailers",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            "A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n",
        ),
    ] {
        let receiver = Receiver::start(move |conn| {
            conn.request()?;
            conn.write(start)?;
            for byte in rest.bytes().cycle().take(200) {
                conn.write([byte])?;
                thread::sleep(Duration::from_millis(15));
            }
            Ok(())
        });
        let exchange = post(&transport(), &endpoint(&receiver.url("/"), json!({"timeout": 0.3})));
        assert!(exchange.duration < Duration::from_millis(900), "{what}: {:?}", exchange.duration);
        let failure = exchange.result.unwrap_err();
        // More than twenty zeros are no size of a chunk, and said to be none at once.
        assert!(matches!(failure.kind, FailureKind::Timeout | FailureKind::Protocol), "{what}: {}", failure.message);
        assert!(exchange.timings.send.is_some() && exchange.timings.wait.is_some(), "{what}");
        assert!(exchange.timings.receive.unwrap() > Duration::from_millis(100), "{what}");
    }
}

#[test]
fn a_redirect_is_not_followed_not_even_to_the_receiver_itself() {
    let elsewhere = Receiver::answering(OK);
    for location in [elsewhere.url("/"), "/again".to_owned(), "http://169.254.169.254/latest/".to_owned()] {
        for status in [301, 302, 303, 307, 308] {
            let line = format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            let receiver = Receiver::answering(line);
            assert_eq!(answer(&transport(), &endpoint(&receiver.url("/"), json!({}))).status, status);
            assert_eq!(receiver.requests().len(), 1);
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_connection_of_a_strange_answer_is_not_used_again() {
    for strange in [
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil",
    ] {
        let receiver = Receiver::start(move |conn| {
            conn.request()?;
            conn.write(strange)?;
            while conn.request()?.is_some() {
                conn.write("HTTP/1.1 500 Second\r\nContent-Length: 0\r\n\r\n")?;
            }
            Ok(())
        });
        let (transport, endpoint) = (transport(), endpoint(&receiver.url("/"), json!({})));
        for _ in 0..2 {
            let answer = answer(&transport, &endpoint);
            assert!(answer.status < 500 && answer.body != b"evil", "{strange}");
        }
        assert_eq!(receiver.connections(), 2, "{strange}");
    }
}

#[test]
fn each_phase_that_was_reached_has_its_time_however_it_ended() {
    let port_of_nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = post(&transport(), &endpoint(&format!("http://localhost:{port_of_nobody}/"), json!({})));
    assert!(refused.result.is_err() && refused.timings.dns.is_some() && refused.timings.connect.is_some());
    assert!(refused.timings.send.is_none() && refused.timings.wait.is_none());

    let no_tls = Receiver::start(|conn| conn.request_in_one_read().map(drop));
    let url = format!("https://{}/", no_tls.address);
    let handshake = post(&transport(), &endpoint(&url, json!({})));
    assert!(handshake.result.is_err() && handshake.timings.connect.is_some() && handshake.timings.send.is_none());
    // Without a bundle of certificates on the machine there is no handshake.
    assert!(handshake.timings.tls.is_some());

    let unknown = post(&transport(), &endpoint("http://no-such-host.invalid/", json!({"timeout": 2})));
    assert!(unknown.timings.dns.is_some() && unknown.timings.connect.is_none());

    let hung = Receiver::start(|conn| {
        conn.request()?;
        conn.wait_for_end()
    });
    let keys = json!({"proxy": hung.url(""), "timeout": 0.2});
    let proxy = post(&transport(), &endpoint("http://127.0.0.1:9/", keys));
    assert!(proxy.timings.connect.unwrap() >= Duration::from_millis(150), "{:?}", proxy.timings);
}

#[test]
fn a_request_that_nobody_reads_is_under_the_deadline_on_a_kept_connection_too() {
    let receiver = Receiver::start(|conn| {
        conn.request()?;
        conn.write(OK)?;
        thread::sleep(Duration::from_secs(2));
        Ok(())
    });
    let (transport, endpoint) = (transport(), endpoint(&receiver.url("/"), json!({"timeout": 0.4})));
    assert_eq!(answer(&transport, &endpoint).status, 200);
    let began = Instant::now();
    let second = transport.send(&endpoint, &[], &"x".repeat(32 << 20));
    assert_eq!(second.result.unwrap_err().kind, FailureKind::Timeout);
    assert!(began.elapsed() < Duration::from_millis(1200));
    assert!(second.timings.connect.is_none());
    assert_eq!(receiver.connections(), 1);
    assert_eq!(answer(&transport, &endpoint).status, 200, "the next one has a connection of its own");
}
