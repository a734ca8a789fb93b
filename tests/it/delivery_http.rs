//! What goes over the wire and what comes back.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use posthorn::delivery::{FailureKind, Transport};
use serde_json::json;

use crate::delivery_receiver::{OK, Receiver, answer, endpoint, failure, post, transport};

fn headers(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_request_is_a_post_with_exactly_the_given_headers() {
    let receiver = Receiver::answering(OK);
    let endpoint = endpoint(&receiver.url("/a/b%20c?x=1&y=%C3%A9"), json!({}));
    let given = headers(&[
        ("Content-Type", "application/json"),
        ("X-CRM-Signature", "abc123"),
        ("User-Agent", "Posthorn/0.1.0"),
    ]);
    transport().send(&endpoint, &given, r#"{"name":"Zoë"}"#).result.unwrap();

    let request = &receiver.requests()[0];
    let mut lines: Vec<&str> = request.head.trim_end().lines().collect();
    assert_eq!(lines.remove(0), "POST /a/b%20c?x=1&y=%C3%A9 HTTP/1.1");
    lines.sort_unstable_by_key(|line| line.to_lowercase());
    let host = format!("host: {}", receiver.address);
    assert_eq!(
        lines,
        [
            "content-length: 15",
            "Content-Type: application/json",
            host.as_str(),
            "User-Agent: Posthorn/0.1.0",
            "X-CRM-Signature: abc123"
        ]
    );
    assert_eq!(request.body, r#"{"name":"Zoë"}"#);
}

#[test]
fn head_and_body_leave_in_one_packet() {
    // A receiver that reads once sees all of it.
    let receiver = Receiver::start(|conn| {
        let request = conn.request_in_one_read()?;
        assert!(request.ends_with(r#"{"event":"test"}"#), "{request}");
        conn.write(OK)
    });
    assert_eq!(answer(&transport(), &endpoint(&receiver.url("/"), json!({}))).status, 200);
}

#[test]
fn a_large_body_arrives_whole() {
    let receiver = Receiver::answering(OK);
    let body = "x".repeat(1 << 20);
    let exchange = transport().send(&endpoint(&receiver.url("/"), json!({})), &[], &body);
    assert_eq!(exchange.result.unwrap().status, 200);
    let request = &receiver.requests()[0];
    assert!(request.has_line("content-length: 1048576"));
    assert!(!request.head.to_lowercase().contains("transfer-encoding"));
    assert_eq!(request.body, body);
}

#[test]
fn every_status_is_an_answer() {
    for status in [200, 202, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503, 599] {
        let receiver = Receiver::answering(format!(
            "HTTP/1.1 {status} Whatever\r\nLocation: /elsewhere\r\nRetry-After: 7\r\nX-Count: a\r\nX-Count: b\r\nContent-Length: 4\r\n\r\nbody"
        ));
        let answer = answer(&transport(), &endpoint(&receiver.url("/"), json!({})));
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("location"), Some("/elsewhere"));
        assert_eq!(answer.header("retry-after"), Some("7"));
        assert_eq!(answer.headers.iter().filter(|(name, _)| name == "x-count").count(), 2);
        assert_eq!(answer.body, b"body");
        assert!(!answer.truncated);
        assert_eq!(receiver.requests().len(), 1, "no redirect is followed");
    }
}

#[test]
fn a_redirect_without_a_usable_target_is_still_an_answer() {
    for location in ["", "Location:\r\n", "Location: http://[broken\r\n", "Location: /a\r\nLocation: /b\r\n"] {
        let receiver = Receiver::answering(format!("HTTP/1.1 302 Found\r\n{location}Content-Length: 2\r\n\r\nno"));
        assert_eq!(answer(&transport(), &endpoint(&receiver.url("/"), json!({}))).status, 302);
    }
}

#[test]
fn an_old_receiver_ends_its_answer_by_closing() {
    let receiver = Receiver::start(|conn| {
        conn.request()?;
        conn.write("HTTP/1.0 200 OK\r\nServer: old\r\n\r\nfine")
    });
    let (transport, endpoint) = (transport(), endpoint(&receiver.url("/"), json!({})));
    for _ in 0..2 {
        assert_eq!(answer(&transport, &endpoint).body, b"fine");
    }
    assert_eq!(receiver.connections(), 2);
}

#[test]
fn an_answer_without_a_body_is_complete() {
    for head in ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"] {
        let receiver = Receiver::answering(head);
        let (transport, endpoint) = (transport(), endpoint(&receiver.url("/"), json!({})));
        for _ in 0..3 {
            assert!(answer(&transport, &endpoint).body.is_empty());
        }
        assert_eq!(receiver.connections(), 1);
    }
}

#[test]
fn interim_answers_are_passed_over() {
    let receiver = Receiver::answering(format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{OK}"));
    assert_eq!(answer(&transport(), &endpoint(&receiver.url("/"), json!({}))).status, 200);
}

#[test]
fn compressed_answers_are_left_as_they_are() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc");
    let answer = answer(&transport(), &endpoint(&receiver.url("/"), json!({})));
    assert_eq!((answer.header("content-encoding"), answer.body.as_slice()), (Some("gzip"), b"abc".as_slice()));
}

#[test]
fn at_most_64_kib_of_a_body_are_kept() {
    let chunk = format!("10000\r\n{}\r\n", "y".repeat(0x10000));
    for (head, body, expected, truncated) in [
        ("Content-Length: 65535", "y".repeat(65535), 65535, false),
        ("Content-Length: 65536", "y".repeat(65536), 65536, false),
        ("Content-Length: 65537", "y".repeat(65537), 65536, true),
        ("Content-Length: 1073741824", "y".repeat(1 << 20), 65536, true),
        ("Transfer-Encoding: chunked", format!("{chunk}0\r\n\r\n"), 65536, false),
        ("Transfer-Encoding: chunked", format!("{chunk}1\r\ny\r\n0\r\n\r\n"), 65536, true),
        ("Connection: close", "y".repeat(100_000), 65536, true),
    ] {
        let receiver = Receiver::start(move |conn| {
            conn.request()?;
            conn.write(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}"))
        });
        let answer = answer(&transport(), &endpoint(&receiver.url("/"), json!({})));
        assert_eq!((answer.body.len(), answer.truncated), (expected, truncated), "{head}");
    }
}

#[test]
fn a_connection_is_kept_and_its_timings_tell() {
    let receiver = Receiver::answering(OK);
    let (transport, endpoint) = (transport(), endpoint(&receiver.url("/"), json!({})));
    let first = post(&transport, &endpoint);
    let second = post(&transport, &endpoint);
    assert_eq!(receiver.connections(), 1);
    assert_eq!(first.started_at, 1_800_000_000_000);
    assert!(first.timings.connect.is_some() && first.timings.dns.is_none() && first.timings.tls.is_none());
    assert!(second.timings.connect.is_none());
    for exchange in [first, second] {
        let timings = exchange.timings;
        let sum = timings.connect.unwrap_or_default()
            + timings.send.unwrap()
            + timings.wait.unwrap()
            + timings.receive.unwrap();
        assert!(sum <= exchange.duration, "{sum:?} of {:?}", exchange.duration);
    }
}

#[test]
fn a_body_that_was_not_read_to_its_end_takes_its_connection_with_it() {
    let receiver = Receiver::start(|conn| {
        while conn.request()?.is_some() {
            conn.write(format!("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{}", "z".repeat(100_000)))?;
        }
        Ok(())
    });
    let (transport, endpoint) = (transport(), endpoint(&receiver.url("/"), json!({})));
    assert!(answer(&transport, &endpoint).truncated);
    assert!(answer(&transport, &endpoint).truncated);
    assert_eq!(receiver.connections(), 2);
}

#[test]
fn a_kept_connection_that_died_is_replaced_within_the_attempt() {
    // The first connection dies when its second request has arrived: the client cannot have seen it before.
    let receiver = Receiver::start(|conn| {
        while conn.request()?.is_some() {
            if conn.number == 1 && conn.requests_here() == 2 {
                conn.reset();
                return Ok(());
            }
            conn.write(OK)?;
        }
        Ok(())
    });
    let (transport, endpoint) = (transport(), endpoint(&receiver.url("/"), json!({})));
    assert_eq!(answer(&transport, &endpoint).status, 200);
    assert_eq!(answer(&transport, &endpoint).status, 200);
    assert_eq!((receiver.connections(), receiver.requests().len()), (2, 3));
}

#[test]
fn a_fresh_connection_that_dies_is_not_tried_again() {
    let receiver = Receiver::start(|conn| conn.request().map(drop));
    let failure = failure(&transport(), &endpoint(&receiver.url("/"), json!({})));
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert_eq!(failure.message, "the receiver closed the connection without an answer");
    assert_eq!(receiver.connections(), 1);
}

#[test]
fn a_connection_that_the_receiver_closed_meanwhile_is_not_used() {
    let receiver = Receiver::start(|conn| {
        conn.request()?;
        conn.write(OK)
    });
    let (transport, endpoint) = (transport(), endpoint(&receiver.url("/"), json!({})));
    for _ in 0..3 {
        assert_eq!(answer(&transport, &endpoint).status, 200);
    }
    assert_eq!(receiver.requests().len(), 3);
}

#[test]
fn idle_connections_are_closed_when_asked() {
    let (closed, seen) = std::sync::mpsc::channel();
    let closed = std::sync::Mutex::new(closed);
    let receiver = Receiver::start(move |conn| {
        conn.request()?;
        conn.write(OK)?;
        conn.wait_for_end()?;
        closed.lock().unwrap().send(Instant::now()).unwrap();
        Ok(())
    });
    let transport = transport();
    answer(&transport, &endpoint(&receiver.url("/"), json!({})));
    let answered = Instant::now();
    let closed_at = loop {
        transport.close_idle();
        if let Ok(at) = seen.recv_timeout(Duration::from_millis(50)) {
            break at;
        }
        assert!(answered.elapsed() < Duration::from_secs(6));
    };
    assert!(closed_at.duration_since(answered) > Duration::from_secs(3));
}

#[test]
fn an_endpoint_does_not_use_a_connection_it_could_not_have_opened() {
    let receiver = Receiver::answering(OK);
    let transport = transport();
    let trusted = endpoint(&receiver.url("/"), json!({"id": "a"}));
    let public_only = endpoint(&receiver.url("/"), json!({"id": "b", "allow_private": false}));
    assert_eq!(answer(&transport, &trusted).status, 200);
    assert_eq!(failure(&transport, &public_only).kind, FailureKind::Refused);
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn interrupting_ends_what_is_being_sent() {
    let receiver = Receiver::start(|conn| {
        conn.request()?;
        conn.wait_for_end()
    });
    let transport = Arc::new(transport());
    let endpoint = endpoint(&receiver.url("/"), json!({"timeout": 20}));
    let sender = {
        let (transport, endpoint) = (transport.clone(), endpoint.clone());
        thread::spawn(move || failure(&transport, &endpoint))
    };
    while receiver.requests().is_empty() {
        thread::yield_now();
    }
    let began = Instant::now();
    transport.interrupt();
    assert!(sender.join().unwrap().message.contains("this process is ending"));
    assert!(failure(&transport, &endpoint).message.contains("this process is ending"));
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_header_that_breaks_the_line_or_frames_the_message_is_refused_without_its_value() {
    let receiver = Receiver::answering(OK);
    let endpoint = endpoint(&receiver.url("/"), json!({}));
    for (name, value) in [
        ("X-Token", "hush\r\nX-Evil: 1"),
        ("X-Tok\nen", "hush"),
        ("Transfer-Encoding", "hush"),
        ("content-length", "hush"),
    ] {
        let failure = transport().send(&endpoint, &headers(&[(name, value)]), "{}").result.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Settings, "{}", failure.message);
        assert!(!failure.message.contains("hush"), "{}", failure.message);
    }
    assert!(receiver.requests().is_empty());
}
