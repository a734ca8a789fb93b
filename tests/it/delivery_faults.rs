//! Receivers that misbehave: each failure has its kind and a sentence that an owner understands.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use posthorn::delivery::FailureKind;
use serde_json::json;

use crate::delivery_receiver::{OK, Receiver, answer, endpoint, failure, post, transport};

#[test]
fn nobody_listening_is_a_refused_connection() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let failure = failure(&transport(), &endpoint(&format!("http://127.0.0.1:{port}/"), json!({})));
    assert_eq!(failure.kind, FailureKind::Connect);
    assert_eq!(failure.message, format!("connection refused by 127.0.0.1 port {port}: nothing is listening there"));
}

#[test]
fn a_receiver_that_says_nothing_times_out() {
    let receiver = Receiver::start(|conn| {
        conn.request()?;
        conn.wait_for_end()
    });
    let began = Instant::now();
    let exchange = post(&transport(), &endpoint(&receiver.url("/"), json!({"timeout": 0.3})));
    let took = began.elapsed();
    let failure = exchange.result.unwrap_err();
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Timeout, "no answer within 0.3 s"));
    assert!(took >= Duration::from_millis(290) && took < Duration::from_millis(1000), "{took:?}");
    assert!(exchange.timings.send.is_some() && exchange.timings.wait.is_none());
}

#[test]
fn trickled_heads_and_bodies_are_under_the_same_deadline() {
    for start in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
        let receiver = Receiver::start(move |conn| {
            conn.request()?;
            conn.write(start)?;
            loop {
                conn.write("H")?;
                thread::sleep(Duration::from_millis(20));
            }
        });
        let began = Instant::now();
        let failure = failure(&transport(), &endpoint(&receiver.url("/"), json!({"timeout": 0.5})));
        // A stream of H is no status line, so the first ends at once.
        assert!(matches!(failure.kind, FailureKind::Timeout | FailureKind::Protocol), "{}", failure.message);
        if !start.is_empty() {
            assert_eq!(failure.message, "the answer began but was not complete within 0.5 s");
        }
        assert!(began.elapsed() < Duration::from_millis(1200));
    }
}

#[test]
fn an_endless_head_is_cut_off() {
    for line in ["X-More: 0123456789012345678901234567890123456789\r\n", "X-More: 01234567890123456789"] {
        let receiver = Receiver::start(move |conn| {
            conn.request()?;
            conn.write("HTTP/1.1 200 OK\r\nX-First: 1\r\n")?;
            loop {
                conn.write(line)?;
            }
        });
        let failure = failure(&transport(), &endpoint(&receiver.url("/"), json!({})));
        assert_eq!(failure.kind, FailureKind::Protocol);
        assert!(failure.message.contains("headers"), "{}", failure.message);
    }
}

#[test]
fn a_large_head_that_is_still_reasonable_is_read() {
    let cookies = format!("Set-Cookie: a={}\r\n", "c".repeat(4000)).repeat(7);
    let receiver = Receiver::answering(format!("HTTP/1.1 200 OK\r\n{cookies}Content-Length: 2\r\n\r\nok"));
    let answer = answer(&transport(), &endpoint(&receiver.url("/"), json!({})));
    assert_eq!((answer.headers.len(), answer.body.as_slice()), (8, b"ok".as_slice()));
}

#[test]
fn garbage_is_not_http() {
    for garbage in
        ["SSH-2.0-OpenSSH_9.2\r\n", "220 mail.example ESMTP\r\n", "\0\u{1}\u{2}\u{3}", "HTTP/1.1 nonsense\r\n\r\n"]
    {
        let receiver = Receiver::start(move |conn| {
            conn.request()?;
            conn.write(garbage)?;
            conn.wait_for_end()
        });
        let failure = failure(&transport(), &endpoint(&receiver.url("/"), json!({"timeout": 2})));
        assert_eq!(failure.kind, FailureKind::Protocol, "{}", failure.message);
        assert!(failure.message.starts_with("the answer was not HTTP"), "{}", failure.message);
    }
}

#[test]
fn mangled_answers_are_answers_or_failures_and_never_panics() {
    let whole = "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 04:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\
                 Content-Type: text/plain\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let round = AtomicUsize::new(0);
    let receiver = Receiver::start(move |conn| {
        conn.request()?;
        let mut bytes = whole.as_bytes().to_vec();
        // A small generator of its own, so that every run mangles alike (Knuth's MMIX constants).
        let mut state = round.fetch_add(1, Ordering::SeqCst) as u64;
        let mut next = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for _ in 0..=next(4) {
            let at = next(bytes.len());
            match next(4) {
                0 => bytes[at] = next(256) as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\r\n:; 0fF\0\xff"[next(10)]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        conn.write(bytes)
    });
    let (transport, endpoint) = (transport(), endpoint(&receiver.url("/"), json!({"timeout": 2})));
    for _ in 0..1000 {
        if let Err(failure) = post(&transport, &endpoint).result {
            assert_eq!(failure.kind, FailureKind::Protocol, "{}", failure.message);
        }
    }
}

#[test]
fn a_connection_that_ends_early_says_where() {
    for (part, message) in [
        ("", "the receiver closed the connection without an answer"),
        ("HTTP/1.1 200 OK\r\nContent-", "the receiver closed the connection in the middle of its answer"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
            "the receiver closed the connection in the middle of its answer",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            "the receiver closed the connection in the middle of its answer",
        ),
    ] {
        let receiver = Receiver::start(move |conn| {
            conn.request()?;
            conn.write(part)
        });
        let failure = failure(&transport(), &endpoint(&receiver.url("/"), json!({})));
        assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Protocol, message), "{part}");
    }
}

#[test]
fn a_reset_is_a_broken_connection() {
    let receiver = Receiver::start(|conn| {
        conn.request()?;
        conn.reset();
        Ok(())
    });
    let failure = failure(&transport(), &endpoint(&receiver.url("/"), json!({})));
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert_eq!(failure.message, "the receiver broke off the connection without an answer");
}

#[test]
fn a_length_that_is_no_number_or_contradicts_itself_is_not_believed() {
    for length in ["Content-Length: many", "Content-Length: -1", "Content-Length: 3\r\nContent-Length: 4"] {
        let receiver = Receiver::answering(format!("HTTP/1.1 200 OK\r\n{length}\r\n\r\nabcd"));
        let failure = failure(&transport(), &endpoint(&receiver.url("/"), json!({"timeout": 1})));
        assert_eq!(failure.kind, FailureKind::Protocol, "{}", failure.message);
    }
}

#[test]
fn bytes_after_the_announced_length_end_the_connection() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more");
    let (transport, endpoint) = (transport(), endpoint(&receiver.url("/"), json!({})));
    for _ in 0..3 {
        assert_eq!(answer(&transport, &endpoint).body, b"ok");
    }
    assert_eq!(receiver.connections(), 3);
}

#[test]
fn an_answer_given_before_the_body_was_read_counts() {
    let receiver = Receiver::start(|conn| {
        conn.request_in_one_read()?;
        conn.write("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")?;
        conn.stop_reading();
        conn.wait_for_end()
    });
    let body = "x".repeat(8 << 20);
    let endpoint = endpoint(&receiver.url("/"), json!({}));
    let exchange = posthorn::delivery::Transport::send(&transport(), &endpoint, &[], &body);
    assert_eq!(exchange.result.unwrap().status, 413);
}

#[test]
fn a_receiver_that_stops_reading_times_out() {
    let receiver = Receiver::start(|conn| {
        conn.request_in_one_read()?;
        thread::sleep(Duration::from_secs(3));
        Ok(())
    });
    let body = "x".repeat(32 << 20);
    let began = Instant::now();
    let endpoint = endpoint(&receiver.url("/"), json!({"timeout": 0.5}));
    let failure = posthorn::delivery::Transport::send(&transport(), &endpoint, &[], &body).result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout, "{}", failure.message);
    assert_eq!(failure.message, "the request could not be sent within 0.5 s");
    assert!(began.elapsed() < Duration::from_millis(1500));
}

#[test]
fn one_receiver_that_hangs_does_not_slow_another() {
    let hanging = Receiver::start(|conn| {
        conn.request()?;
        conn.wait_for_end()
    });
    let healthy = Receiver::answering(OK);
    let transport = std::sync::Arc::new(transport());
    let slow = endpoint(&hanging.url("/"), json!({"timeout": 2}));
    let waiting: Vec<_> = (0..16)
        .map(|_| {
            let (transport, slow) = (transport.clone(), slow.clone());
            thread::spawn(move || failure(&transport, &slow).kind)
        })
        .collect();
    let began = Instant::now();
    let quick = endpoint(&healthy.url("/"), json!({}));
    for _ in 0..200 {
        assert_eq!(answer(&transport, &quick).status, 200);
    }
    assert!(began.elapsed() < Duration::from_secs(1));
    for thread in waiting {
        assert_eq!(thread.join().unwrap(), FailureKind::Timeout);
    }
}

#[test]
fn no_message_shows_the_path_or_the_query() {
    let receiver = Receiver::start(|conn| conn.request().map(drop));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [
        receiver.url("/hooks/catch/123/hush?token=hush"),
        format!("http://{closed}/hush?token=hush"),
        "http://10.9.9.9/hush?token=hush".to_owned(),
        format!("https://{}/hush?token=hush", receiver.address),
    ] {
        let keys = json!({"timeout": 1, "allow_private": ["127.0.0.1"]});
        let failure = failure(&transport(), &endpoint(&url, keys));
        assert!(!failure.message.contains("hush"), "{}", failure.message);
    }
}
