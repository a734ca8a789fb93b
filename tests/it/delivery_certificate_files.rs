//! The files that `ca` and `client_cert` name.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use posthorn::delivery::FailureKind;
use rcgen::date_time_ymd;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use serde_json::json;

use crate::delivery_authority::{Authority, builder, https, serve, text};
use crate::delivery_receiver::{Receiver, answer, endpoint, failure, transport};

#[test]
fn a_client_certificate_is_presented_when_one_is_given() {
    let authority = Authority::new();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let server = authority.leaf(&["localhost"], |_| ());
    let config = builder().with_client_cert_verifier(verifier).with_single_cert(server.chain(), server.key()).unwrap();
    let receiver = Receiver::start_tls(config, serve);

    let client = authority.leaf(&["posthorn"], |_| ());
    let path = authority.folder.path().join("client.pem");
    fs::write(&path, format!("{}{}", client.certificate, client.key)).unwrap();
    let url = https(&receiver, "localhost");
    let with = json!({"ca": text(&authority.path()), "client_cert": text(&path)});
    assert_eq!(answer(&transport(), &endpoint(&url, with)).status, 200);

    let without = failure(&transport(), &endpoint(&url, json!({"ca": text(&authority.path())})));
    assert_eq!(without.kind, FailureKind::Tls, "{}", without.message);
    assert_eq!(without.message, "localhost wants a client certificate; name its file with client_cert");
}

#[test]
fn a_client_certificate_that_is_not_accepted_is_named_with_its_file() {
    let (authority, other) = (Authority::new(), Authority::new());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let server = authority.leaf(&["localhost"], |_| ());
    let config = builder().with_client_cert_verifier(verifier).with_single_cert(server.chain(), server.key()).unwrap();
    let receiver = Receiver::start_tls(config, serve);
    let expired = authority.leaf(&["posthorn"], |params| {
        params.not_before = date_time_ymd(2024, 1, 2);
        params.not_after = date_time_ymd(2025, 1, 2);
    });
    for (client, says) in
        [(expired, "has expired; put a renewed one there"), (other.leaf(&["posthorn"], |_| ()), "does not accept")]
    {
        let path = authority.folder.path().join("client.pem");
        fs::write(&path, format!("{}{}", client.certificate, client.key)).unwrap();
        let keys = json!({"ca": text(&authority.path()), "client_cert": text(&path)});
        let failure = failure(&transport(), &endpoint(&https(&receiver, "localhost"), keys));
        assert_eq!(failure.kind, FailureKind::Tls, "{}", failure.message);
        assert!(failure.message.contains(says) && failure.message.contains(text(&path)), "{}", failure.message);
    }
    assert!(receiver.requests().is_empty());
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let authority = Authority::new();
    let receiver = Receiver::start_tls(authority.leaf(&["localhost"], |_| ()).server(), serve);
    let url = https(&receiver, "localhost");
    let folder = authority.folder.path();
    let pipe = folder.join("pipe.pem");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    let huge = folder.join("huge.pem");
    fs::File::create(&huge).unwrap().set_len(1 << 40).unwrap();
    let began = Instant::now();
    for (path, says) in [
        (pipe.as_path(), "no file"),
        (folder, "no file"),
        (Path::new("/dev/zero"), "no file"),
        (huge.as_path(), "bytes"),
    ] {
        for key in ["ca", "client_cert"] {
            let mut keys = json!({"ca": text(&authority.path())});
            keys[key] = text(path).into();
            let failure = failure(&transport(), &endpoint(&url, keys));
            assert_eq!(failure.kind, FailureKind::Settings);
            assert!(failure.message.contains(says) && failure.message.contains(text(path)), "{}", failure.message);
        }
    }
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn an_authority_that_was_replaced_counts_at_the_next_connection() {
    let authority = Authority::new();
    let receiver = Receiver::start_tls(authority.leaf(&["localhost"], |_| ()).server(), serve);
    let path = authority.folder.path().join("trusted.pem");
    fs::write(&path, Authority::new().pem).unwrap();
    let transport = transport();
    let endpoint = endpoint(&https(&receiver, "localhost"), json!({"ca": text(&path)}));
    assert_eq!(failure(&transport, &endpoint).kind, FailureKind::Tls);
    fs::write(&path, format!("{0}{0}", authority.pem)).unwrap();
    assert_eq!(answer(&transport, &endpoint).status, 200);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let receiver = Receiver::start_tls(authority.leaf(&["localhost"], |_| ()).server(), serve);
    let url = https(&receiver, "localhost");
    let file = |name: &str, text: &str| {
        let path = authority.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let leaf = authority.leaf(&["posthorn"], |_| ());
    let other = authority.leaf(&["other"], |_| ());
    let missing = authority.folder.path().join("missing.pem");
    let ca = authority.path();
    for (keys, says) in [
        (json!({"ca": text(&missing)}), "cannot be read"),
        (json!({"ca": text(&file("empty.pem", ""))}), "holds no usable certificate"),
        (json!({"ca": text(&ca), "client_cert": text(&missing)}), "cannot be read"),
        (json!({"ca": text(&ca), "client_cert": text(&file("a.pem", &leaf.key))}), "holds no certificate"),
        (json!({"ca": text(&ca), "client_cert": text(&file("b.pem", &leaf.certificate))}), "holds no private key"),
        (
            json!({"ca": text(&ca), "client_cert": text(&file("c.pem", &format!("{}{}", leaf.certificate, other.key)))}),
            "cannot be used",
        ),
    ] {
        let failure = failure(&transport(), &endpoint(&url, keys));
        assert_eq!(failure.kind, FailureKind::Settings, "{}", failure.message);
        assert!(failure.message.contains(says) && failure.message.contains(".pem"), "{}", failure.message);
    }
}
