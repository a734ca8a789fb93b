//! Names, and who may be called by them.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{io, thread};

use posthorn::delivery::resolver::{Names, Unresolved, plain_threads};
use posthorn::delivery::{FailureKind, HttpTransport};
use serde_json::json;

use crate::delivery_receiver::{OK, Receiver, answer, endpoint, failure, post, transport};

/// A transport whose names lead where `answer` says.
fn resolving(answer: impl Fn(&str) -> io::Result<Vec<&'static str>> + Send + Sync + 'static) -> HttpTransport {
    transport().with_lookup(Arc::new(move |name| {
        Ok(answer(name)?.into_iter().map(|ip| ip.parse::<IpAddr>().unwrap()).collect())
    }))
}

#[test]
fn the_systems_resolver_knows_localhost() {
    let receiver = Receiver::answering(OK);
    let endpoint = endpoint(&format!("http://localhost:{}/", receiver.address.port()), json!({}));
    let exchange = post(&transport(), &endpoint);
    assert_eq!(exchange.result.unwrap().status, 200);
    assert!(exchange.timings.dns.is_some());
    assert!(receiver.requests()[0].has_line(&format!("host: localhost:{}", receiver.address.port())));
}

#[test]
fn a_name_that_is_not_found_says_so() {
    let failure = failure(&transport(), &endpoint("http://no-such-host.invalid/", json!({})));
    // A machine whose DNS does not answer gives up after the endpoint does.
    assert!(matches!(failure.kind, FailureKind::Dns | FailureKind::Timeout), "{}", failure.message);
    assert!(failure.message.starts_with("the name no-such-host.invalid "), "{}", failure.message);
}

#[test]
fn a_name_without_addresses_was_not_found() {
    let failure = failure(&resolving(|_| Ok(vec![])), &endpoint("http://empty.example/", json!({})));
    assert_eq!(failure.kind, FailureKind::Dns);
    assert_eq!(failure.message, "the name empty.example was not found; check the spelling");
}

#[test]
fn a_resolver_that_cannot_be_asked_is_told_from_a_name_that_does_not_exist() {
    let missing = resolving(|_| Err(io::ErrorKind::NotFound.into()));
    let failing = resolving(|_| Err(io::Error::other("failed to lookup address information: Try again")));
    let endpoint = endpoint("http://some.example/", json!({}));
    assert_eq!(failure(&missing, &endpoint).message, "the name some.example was not found; check the spelling");
    assert_eq!(
        failure(&failing, &endpoint).message,
        "the name some.example could not be looked up now (Try again); check this server's DNS"
    );
}

#[test]
fn an_answer_of_the_resolver_is_used_for_as_long_as_it_is_kept() {
    let asked = Arc::new(AtomicUsize::new(0));
    let lookup = {
        let asked = asked.clone();
        Arc::new(move |name: &str| {
            asked.fetch_add(1, Ordering::SeqCst);
            if name == "gone.example" {
                Err(io::ErrorKind::NotFound.into())
            } else {
                Ok(vec![IpAddr::from([127, 0, 0, 1])])
            }
        })
    };
    let (long, short) = (Duration::from_secs(60), Duration::from_millis(50));
    for (name, found, failed) in [("here.example", long, short), ("gone.example", short, long)] {
        asked.store(0, Ordering::SeqCst);
        let deadline = Instant::now() + Duration::from_secs(10);
        let names = Names::new(lookup.clone(), plain_threads()).keeping(found, failed);
        let other = if name == "here.example" { "gone.example" } else { "here.example" };
        let ask = |name: &str| matches!(names.addresses(name, deadline), Ok(_) | Err(Unresolved::Missing));
        assert!((0..3).all(|_| ask(name)));
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{name} is kept");
        while asked.load(Ordering::SeqCst) < 3 {
            assert!(ask(other), "{other} is not asked for again");
            thread::yield_now();
        }
    }
}

#[test]
fn an_address_that_drops_everything_or_has_no_route_does_not_keep_the_next_from_being_called() {
    let receiver = Receiver::answering(OK);
    // Reserved for documentation (RFC 3849, RFC 5737): whatever lies on the way says that there is no route, or nothing.
    for ahead in ["2001:db8::1", "fe80::1", "192.0.2.1"] {
        let transport = resolving(move |_| Ok(vec![ahead, "127.0.0.1"]));
        let endpoint = endpoint(
            &format!("http://two.example:{}/", receiver.address.port()),
            json!({"allow_private": ["2001:db8::/32", "fe80::/10", "192.0.2.0/24", "127.0.0.1"], "timeout": 1}),
        );
        let exchange = post(&transport, &endpoint);
        assert_eq!(exchange.result.unwrap().status, 200, "{ahead}");
        assert!(exchange.duration < Duration::from_millis(900), "{ahead}");
    }
}

#[test]
fn of_a_hundred_addresses_none_that_may_not_be_called_is() {
    let receiver = Receiver::answering(OK);
    let transport = transport().with_lookup(Arc::new(|_| Ok((0..100).map(|n| IpAddr::from([127, 0, 0, n])).collect())));
    let url = format!("http://hundred.example:{}/", receiver.address.port());
    assert_eq!(failure(&transport, &endpoint(&url, json!({"allow_private": false}))).kind, FailureKind::Refused);
    let one = json!({"allow_private": ["127.0.0.1"]});
    assert_eq!(answer(&transport, &endpoint(&url, one)).status, 200);
    assert_eq!(receiver.connections(), 1);
}

#[test]
fn names_that_lead_to_private_addresses_are_refused_with_both() {
    let transport = resolving(|_| Ok(vec!["10.1.2.3", "fd00::1"]));
    let failure = failure(&transport, &endpoint("http://inside.example/", json!({"allow_private": false})));
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(
        failure.message.starts_with("inside.example is at 10.1.2.3, which is not a public address (a private network)"),
        "{}",
        failure.message
    );
}

#[test]
fn a_name_may_be_allowed_by_itself() {
    let receiver = Receiver::answering(OK);
    let transport = resolving(|_| Ok(vec!["127.0.0.1"]));
    let url = |name: &str| format!("http://{name}:{}/", receiver.address.port());
    let allowed = json!({"allow_private": ["n8n.example"]});
    assert_eq!(answer(&transport, &endpoint(&url("n8n.example"), allowed.clone())).status, 200);
    assert_eq!(answer(&transport, &endpoint(&url("N8N.example."), allowed.clone())).status, 200);
    assert_eq!(failure(&transport, &endpoint(&url("other.example"), allowed)).kind, FailureKind::Refused);
}

#[test]
fn a_name_that_changes_its_mind_changes_nothing() {
    // The classic rebinding: public for whoever looks first, the loopback for whoever calls.
    let receiver = Receiver::answering(OK);
    let asked = Arc::new(AtomicUsize::new(0));
    let keys = json!({"allow_private": ["192.0.2.0/24"], "timeout": 0.2});
    let endpoint = endpoint(&format!("http://rebind.example:{}/", receiver.address.port()), keys);
    let kinds = [0, 1].map(|_| {
        let asked = asked.clone();
        // Each has a cache of its own, so each asks.
        let transport = resolving(move |_| {
            Ok(vec![if asked.fetch_add(1, Ordering::SeqCst) == 0 { "192.0.2.1" } else { "127.0.0.1" }])
        });
        failure(&transport, &endpoint).kind
    });
    assert_ne!(kinds[0], FailureKind::Refused);
    assert_eq!(kinds[1], FailureKind::Refused);
    assert_eq!((asked.load(Ordering::SeqCst), receiver.connections()), (2, 0));
}

#[test]
fn public_addresses_of_a_mixed_name_are_used_and_others_never() {
    let receiver = Receiver::answering(OK);
    let transport = resolving(|_| Ok(vec!["10.0.0.1", "127.0.0.1"]));
    let keys = json!({"allow_private": ["127.0.0.1"]});
    let endpoint = endpoint(&format!("http://mixed.example:{}/", receiver.address.port()), keys);
    assert_eq!(answer(&transport, &endpoint).status, 200);
}

#[test]
fn the_next_address_is_tried_when_one_refuses() {
    let receiver = Receiver::answering(OK);
    let transport = resolving(|_| Ok(vec!["127.0.0.9", "::1", "127.0.0.8", "127.0.0.1"]));
    let endpoint = endpoint(&format!("http://many.example:{}/", receiver.address.port()), json!({}));
    assert_eq!(answer(&transport, &endpoint).status, 200);
}

#[test]
fn of_a_hundred_addresses_sixteen_are_tried() {
    let receiver = Receiver::answering(OK);
    let transport = transport().with_lookup(Arc::new(|_| {
        let mut all: Vec<IpAddr> = (0..16).map(|n| IpAddr::from([127, 0, 1, n])).collect();
        all.extend((0..100).map(|_| IpAddr::from([127, 0, 0, 1])));
        Ok(all)
    }));
    let endpoint = endpoint(&format!("http://hundred.example:{}/", receiver.address.port()), json!({}));
    assert_eq!(failure(&transport, &endpoint).kind, FailureKind::Connect);
    assert_eq!(receiver.connections(), 0);
}

#[test]
fn a_slow_resolver_is_under_the_deadline_and_asked_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let transport = {
        let asked = asked.clone();
        Arc::new(resolving(move |_| {
            asked.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_secs(2));
            Ok(vec!["127.0.0.1"])
        }))
    };
    let endpoint = endpoint("http://slow.example/", json!({"timeout": 0.3}));
    let began = Instant::now();
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let (transport, endpoint) = (transport.clone(), endpoint.clone());
            thread::spawn(move || failure(&transport, &endpoint))
        })
        .collect();
    for thread in waiting {
        let failure = thread.join().unwrap();
        assert_eq!(failure.kind, FailureKind::Timeout);
        assert!(failure.message.contains("slow.example was not looked up in time"), "{}", failure.message);
    }
    assert!(began.elapsed() < Duration::from_millis(1500));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn an_answer_is_remembered_and_a_thread_is_started_for_a_question_only() {
    let threads = Arc::new(Mutex::new(0));
    let receiver = Receiver::start(|conn| {
        conn.request()?;
        conn.write(OK)
    });
    let transport = {
        let threads = threads.clone();
        resolving(|_| Ok(vec!["127.0.0.1"])).with_spawn(Arc::new(move |work| {
            *threads.lock().unwrap() += 1;
            thread::spawn(work);
            Ok(())
        }))
    };
    let endpoint = endpoint(&format!("http://known.example:{}/", receiver.address.port()), json!({}));
    for _ in 0..5 {
        assert_eq!(answer(&transport, &endpoint).status, 200);
    }
    assert_eq!((receiver.connections(), *threads.lock().unwrap()), (5, 1));
}

#[test]
fn a_lookup_that_panics_is_a_failure_like_any_other() {
    let transport = resolving(|_| panic!("in a lookup"));
    let failure = failure(&transport, &endpoint("http://panic.example/", json!({})));
    assert_eq!(failure.kind, FailureKind::Dns);
}
