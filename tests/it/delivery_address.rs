//! Who may be called.

use std::net::IpAddr;

use posthorn::delivery::FailureKind;
use posthorn::delivery::address::{may_call, not_public};
use posthorn::endpoint::{AllowPrivate, Endpoint};
use serde_json::json;

use crate::delivery_receiver::{OK, Receiver, answer, endpoint, failure, transport};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn public_addresses_may_be_called() {
    for text in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450:4001:80b::200e",
        "2001:4860:4860::8888",
        "2001:200::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2001:0:808:808:0:0:f7f7:f7f7",
    ] {
        assert_eq!(not_public(ip(text)), None, "{text}");
    }
}

#[test]
fn all_other_addresses_are_refused() {
    for text in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.0",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",
        "64:ff9b:1:7f00:1::",
        "100::1",
        "2001:0:7f00:1::f7f7:f7f7",
        "2001:0:808:808:0:0:80ff:fffe",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        "2002:c0a8:1::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(not_public(ip(text)).is_some(), "{text}");
    }
}

#[test]
fn a_permission_opens_what_it_names_and_nothing_else() {
    let allow = AllowPrivate::Only {
        ranges: vec!["10.1.0.0/16".parse().unwrap(), "fd12::/16".parse().unwrap()],
        hosts: vec!["n8n.internal".to_owned()],
    };
    assert!(may_call("elsewhere", ip("10.1.2.3"), &allow));
    assert!(may_call("elsewhere", ip("::ffff:10.1.2.3"), &allow));
    assert!(may_call("elsewhere", ip("fd12::5"), &allow));
    assert!(may_call("n8n.internal", ip("192.168.7.7"), &allow));
    assert!(may_call("n8n.internal.", ip("127.0.0.1"), &allow));
    assert!(may_call("elsewhere", ip("8.8.8.8"), &allow));
    assert!(!may_call("elsewhere", ip("10.2.0.1"), &allow));
    assert!(!may_call("my-n8n.internal", ip("192.168.7.7"), &allow));
    assert!(!may_call("elsewhere", ip("127.0.0.1"), &allow));
    assert!(may_call("elsewhere", ip("169.254.169.254"), &AllowPrivate::Any));
    assert!(!may_call("elsewhere", ip("169.254.169.254"), &AllowPrivate::No));
}

#[test]
fn odd_spellings_of_the_loopback_are_seen_through() {
    let receiver = Receiver::answering(OK);
    let port = receiver.address.port();
    let transport = transport();
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "%31%32%37.0.0.1",
        "①②⑦.0.0.1",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "localhost",
        "LOCALHOST",
        "localhost.",
    ] {
        let refused =
            failure(&transport, &endpoint(&format!("http://{host}:{port}/"), json!({"allow_private": false})));
        assert_eq!(refused.kind, FailureKind::Refused, "{host}: {}", refused.message);
        assert!(refused.message.contains("is not a public address"), "{}", refused.message);
        assert!(refused.message.contains("allow_private"), "{}", refused.message);
    }
    assert_eq!(receiver.connections(), 0);
}

#[test]
fn an_address_with_a_zone_is_no_url() {
    for host in ["[fe80::1%25eth0]", "[fe80::1%eth0]", "[::1%25lo]"] {
        assert!(Endpoint::from_json(&json!({"url": format!("http://{host}/")})).is_err(), "{host}");
    }
}

#[test]
fn allowed_spellings_reach_the_receiver() {
    let receiver = Receiver::answering(OK);
    let port = receiver.address.port();
    let transport = transport();
    for (host, allowed) in [
        ("127.1", json!(true)),
        ("2130706433", json!(["127.0.0.0/8"])),
        ("[::ffff:127.0.0.1]", json!(["127.0.0.1"])),
        ("localhost.", json!(["localhost"])),
    ] {
        let endpoint = endpoint(&format!("http://{host}:{port}/"), json!({"allow_private": allowed}));
        assert_eq!(answer(&transport, &endpoint).status, 200, "{host}");
    }
}

#[test]
fn the_refusal_names_the_address_and_the_remedy() {
    let refused = failure(&transport(), &endpoint("http://10.0.0.5/hook?key=abc", json!({"allow_private": false})));
    assert_eq!(
        refused.message,
        "10.0.0.5 is not a public address (a private network); tick “This receiver is on my own network”, or allow it with allow_private"
    );
}
