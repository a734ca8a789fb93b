//! Certificates of receivers: good ones, and all the others.

use std::fs;
use std::time::Duration;

use posthorn::delivery::{Failure, FailureKind};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

use crate::delivery_authority::{Authority, Leaf, builder, https, serve, text};
use crate::delivery_proxy::proxy;
use crate::delivery_receiver::{OK, Receiver, answer, endpoint, failure, post, transport};

/// How the receiver's certificate fails at `host`.
fn tls_failure(authority: &Authority, leaf: &Leaf, host: &str) -> Failure {
    let receiver = Receiver::start_tls(leaf.server(), serve);
    let failure = failure(&transport(), &endpoint(&https(&receiver, host), json!({"ca": text(&authority.path())})));
    assert_eq!(failure.kind, FailureKind::Tls, "{}", failure.message);
    assert!(receiver.requests().is_empty());
    failure
}

#[test]
fn a_certificate_of_the_endpoints_own_authority_is_trusted_and_the_connection_kept() {
    let authority = Authority::new();
    let receiver = Receiver::start_tls(authority.leaf(&["localhost", "127.0.0.1"], |_| ()).server(), serve);
    let transport = transport();
    for host in ["localhost", "127.0.0.1", "localhost."] {
        let endpoint = endpoint(&https(&receiver, host), json!({"ca": text(&authority.path())}));
        let first = post(&transport, &endpoint);
        assert_eq!(first.result.unwrap().status, 200, "{host}");
        assert_eq!(first.timings.tls.is_some(), host != "localhost.");
        assert!(post(&transport, &endpoint).timings.tls.is_none());
    }
    assert_eq!(receiver.connections(), 2);
}

#[test]
fn a_large_body_arrives_whole_over_tls() {
    let authority = Authority::new();
    let receiver = Receiver::start_tls(authority.leaf(&["localhost"], |_| ()).server(), serve);
    let endpoint = endpoint(&https(&receiver, "localhost"), json!({"ca": text(&authority.path())}));
    let body = "x".repeat(1 << 20);
    let exchange = posthorn::delivery::Transport::send(&transport(), &endpoint, &[], &body);
    assert_eq!(exchange.result.unwrap().status, 200);
    assert_eq!(receiver.requests()[0].body.len(), 1 << 20);
}

#[test]
fn an_expired_certificate_says_since_when() {
    let authority = Authority::new();
    let leaf = authority.leaf(&["localhost"], |params| {
        params.not_before = date_time_ymd(2025, 1, 2);
        params.not_after = date_time_ymd(2026, 1, 2);
    });
    let failure = tls_failure(&authority, &leaf, "localhost");
    assert_eq!(failure.message, "the certificate of localhost expired on 2026-01-02");
}

#[test]
fn a_certificate_of_the_future_says_from_when() {
    let authority = Authority::new();
    let leaf = authority.leaf(&["localhost"], |params| params.not_before = date_time_ymd(2090, 5, 6));
    let failure = tls_failure(&authority, &leaf, "localhost");
    assert_eq!(failure.message, "the certificate of localhost is not valid before 2090-05-06; are both clocks right?");
}

#[test]
fn a_certificate_for_other_names_lists_them() {
    let authority = Authority::new();
    let leaf = authority.leaf(&["example.com", "*.example.org"], |_| ());
    let failure = tls_failure(&authority, &leaf, "localhost");
    assert_eq!(failure.message, "the certificate is for other names (example.com, *.example.org), not for localhost");
}

#[test]
fn a_certificate_of_an_unknown_authority_is_not_trusted() {
    let (known, unknown) = (Authority::new(), Authority::new());
    let failure = tls_failure(&known, &unknown.leaf(&["localhost"], |_| ()), "localhost");
    assert!(
        failure
            .message
            .starts_with("the certificate of localhost is signed by nobody this server trusts (unknown issuer)"),
        "{}",
        failure.message
    );
}

#[test]
fn the_systems_authorities_do_not_know_a_private_one() {
    let authority = Authority::new();
    let receiver = Receiver::start_tls(authority.leaf(&["localhost"], |_| ()).server(), serve);
    let failure = failure(&transport(), &endpoint(&https(&receiver, "localhost"), json!({})));
    // Without a bundle of certificates on the machine that is what is said.
    assert!(failure.message.contains("unknown issuer") || failure.message.contains("ca-certificates"));
}

#[test]
fn a_self_signed_certificate_can_be_trusted_by_name() {
    // As `openssl req -x509` makes them: marked as an authority, and used by the server itself.
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let leaf = Leaf { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() };
    let authority = Authority::new();
    fs::write(authority.path(), format!("{}{}", authority.pem, leaf.certificate)).unwrap();

    let receiver = Receiver::start_tls(leaf.server(), serve);
    let trusting = json!({"ca": text(&authority.path())});
    assert_eq!(answer(&transport(), &endpoint(&https(&receiver, "localhost"), trusting.clone())).status, 200);
    // Not when it has expired.
    params.not_after = date_time_ymd(2025, 3, 4);
    params.not_before = date_time_ymd(2024, 3, 4);
    let expired = Leaf { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() };
    fs::write(authority.path(), &expired.certificate).unwrap();
    assert!(tls_failure(&authority, &expired, "localhost").message.contains("expired on 2025-03-04"));
    fs::write(authority.path(), format!("{}{}", authority.pem, leaf.certificate)).unwrap();

    // For its own name only, and nobody else's trust.
    let other_name = failure(&transport(), &endpoint(&https(&receiver, "127.0.0.1"), trusting));
    assert_eq!(other_name.kind, FailureKind::Tls);
    let other = Authority::new();
    assert!(tls_failure(&other, &leaf, "localhost").message.contains("self-signed"));
}

#[test]
fn a_port_that_speaks_no_tls_says_so() {
    let receiver = Receiver::start(|conn| {
        conn.request_in_one_read()?;
        conn.write("HTTP/1.1 400 Bad Request\r\n\r\n")?;
        conn.wait_for_end()
    });
    let port = receiver.address.port();
    let failure = failure(&transport(), &endpoint(&https(&receiver, "127.0.0.1"), json!({})));
    assert_eq!(failure.kind, FailureKind::Tls);
    assert_eq!(
        failure.message,
        format!("127.0.0.1 speaks no TLS on port {port}; should the URL begin with http: instead of https:?")
    );
}

#[test]
fn a_handshake_that_hangs_or_ends_is_told_apart() {
    let hanging = Receiver::start(|conn| conn.wait_for_end());
    let closing = Receiver::start(|conn| conn.request_in_one_read().map(drop));
    let hung = failure(&transport(), &endpoint(&https(&hanging, "127.0.0.1"), json!({"timeout": 0.3})));
    assert_eq!(hung.kind, FailureKind::Timeout);
    assert!(hung.message.contains("did not finish the TLS handshake in time"), "{}", hung.message);
    let closed = failure(&transport(), &endpoint(&https(&closing, "127.0.0.1"), json!({})));
    assert_eq!(closed.kind, FailureKind::Tls);
    assert!(closed.message.contains("closed the connection during the TLS handshake"), "{}", closed.message);
}

#[test]
fn a_chain_without_its_intermediate_is_told_as_such_and_a_whole_one_is_trusted() {
    let root = Authority::new();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(rcgen::DnType::CommonName, "between");
    let key = KeyPair::generate().unwrap();
    let pem = params.signed_by(&key, &root.issuer).unwrap().pem();
    let folder = tempfile::tempdir().unwrap();
    let between = Authority { folder, issuer: Issuer::new(params, key), pem };
    let leaf = between.leaf(&["localhost"], |_| ());
    let incomplete = tls_failure(&root, &leaf, "localhost");
    assert!(incomplete.message.contains("an intermediate certificate is missing there"), "{}", incomplete.message);

    let mut chain = leaf.chain();
    chain.push(CertificateDer::from_pem_slice(between.pem.as_bytes()).unwrap());
    let whole = builder().with_no_client_auth().with_single_cert(chain, leaf.key()).unwrap();
    let receiver = Receiver::start_tls(whole, serve);
    let keys = json!({"ca": text(&root.path())});
    assert_eq!(answer(&transport(), &endpoint(&https(&receiver, "localhost"), keys)).status, 200);
}

#[test]
fn a_server_that_knows_only_old_versions_of_tls_says_so() {
    // As OpenSSL answers a hello without a version that it may speak (RFC 5246, 7.2.2: alert 70), and a hello for 1.1.
    let alert = vec![21, 3, 1, 0, 2, 2, 70];
    let mut hello = vec![22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0xc0, 0x13, 0]);
    for answer in [alert, hello] {
        let receiver = Receiver::start(move |conn| {
            conn.request_in_one_read()?;
            conn.write(&answer)?;
            conn.wait_for_end()
        });
        let failure = failure(&transport(), &endpoint(&https(&receiver, "127.0.0.1"), json!({"timeout": 3})));
        assert_eq!(failure.kind, FailureKind::Tls, "{}", failure.message);
        assert_eq!(
            failure.message,
            "127.0.0.1 only speaks versions of TLS that are no longer safe; it needs 1.2 or 1.3"
        );
    }
}

#[test]
fn tls_that_is_none_is_broken_off_at_once_or_at_the_deadline() {
    for (what, bytes, again) in [
        ("an alert without end", vec![21, 3, 3, 0xff, 0xff], true),
        ("a record of the largest size", vec![22, 3, 3, 0xff, 0xff], true),
        ("noise", vec![0xa5; 64], true),
        ("a handshake message of 16 MiB", vec![22, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff], true),
        ("half a hello", vec![22, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3], false),
        ("warnings without end", vec![21, 3, 3, 0, 2, 1, 90], true),
        ("nothing in every record", vec![22, 3, 3, 0, 0], true),
    ] {
        let receiver = Receiver::start(move |conn| {
            conn.request_in_one_read()?;
            loop {
                conn.write(&bytes)?;
                if !again {
                    return conn.wait_for_end();
                }
            }
        });
        let exchange = post(&transport(), &endpoint(&https(&receiver, "127.0.0.1"), json!({"timeout": 0.8})));
        let failure = exchange.result.unwrap_err();
        assert!(matches!(failure.kind, FailureKind::Tls | FailureKind::Timeout), "{what}: {}", failure.message);
        assert!(exchange.duration < Duration::from_secs(2), "{what}: {:?}", exchange.duration);
        assert!(exchange.timings.tls.is_some(), "{what}");
    }
}

#[test]
fn a_kept_connection_that_ends_over_tls_is_replaced_within_the_attempt() {
    let authority = Authority::new();
    // The first connection takes a second request and ends: with TLS's goodbye, or without.
    for goodbye in [true, false] {
        let receiver = Receiver::start_tls(authority.leaf(&["localhost"], |_| ()).server(), move |conn| {
            while conn.request()?.is_some() {
                if conn.number == 1 && conn.requests_here() == 2 {
                    if !goodbye {
                        conn.reset();
                    }
                    return Ok(());
                }
                conn.write(OK)?;
            }
            Ok(())
        });
        let transport = transport();
        let endpoint = endpoint(&https(&receiver, "localhost"), json!({"ca": text(&authority.path())}));
        for _ in 0..2 {
            assert_eq!(answer(&transport, &endpoint).status, 200);
        }
        assert_eq!((receiver.connections(), receiver.requests().len()), (2, 3));
    }
}

#[test]
fn through_a_proxy_tls_reaches_from_end_to_end() {
    let authority = Authority::new();
    let receiver = Receiver::start_tls(authority.leaf(&["hook.example"], |_| ()).server(), serve);
    let proxy = proxy(&receiver);
    let keys = json!({"ca": text(&authority.path()), "proxy": proxy.url("")});
    let endpoint = endpoint("https://hook.example/secret-path", keys);
    let transport = transport();
    assert_eq!(answer(&transport, &endpoint).status, 200);
    assert_eq!(answer(&transport, &endpoint).status, 200);
    assert!(proxy.requests()[0].head.starts_with("CONNECT hook.example:443 HTTP/1.1\r\n"));
    assert_eq!((proxy.connections(), receiver.requests().len()), (1, 2));
}
