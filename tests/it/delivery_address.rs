//! Who may be called.

use std::net::IpAddr;

use posthorn::delivery::FailureKind;
use posthorn::delivery::address::{may_call, may_call_unresolved, not_public};
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
        "2606:4700::5efe:10.0.0.1",
        "2606:4700::200:5efe:192.168.0.1",
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
    assert!(may_call("elsewhere", ip("10.2.0.1"), &AllowPrivate::Any));
    assert!(!may_call("elsewhere", ip("169.254.169.254"), &AllowPrivate::No));
}

#[test]
fn a_clouds_metadata_is_called_only_if_that_very_address_is_allowed() {
    let ranges = |list: &[&str]| AllowPrivate::Only {
        ranges: list.iter().map(|range| range.parse().unwrap()).collect(),
        hosts: vec!["metadata.google.internal".to_owned(), "named.internal".to_owned()],
    };
    let wide = ranges(&["0.0.0.0/0", "169.254.0.0/16", "100.64.0.0/10", "::/0", "fd00:ec2::/32"]);
    for text in [
        "169.254.169.254",
        "169.254.169.253",
        "169.254.170.2",
        "169.254.170.23",
        "169.254.0.23",
        "169.254.42.42",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        "fe80::a9fe:a9fe",
        "fd00:42::42",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::169.254.169.254",
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:a9:fe:a9fe::",
        "64:ff9b:1::a9:fea9:fe00:0",
        "2002:a9fe:a9fe::1",
        "2001:0:808:808::5601:5601",
        "2001:0:a9fe:a9fe::f7f7:f7f7",
        "2606:4700::5efe:169.254.169.254",
        "fe80::200:5efe:169.254.169.254",
    ] {
        assert_eq!(not_public(ip(text)), Some("a cloud's metadata service"), "{text}");
        for allow in [AllowPrivate::No, AllowPrivate::Any, wide.clone()] {
            assert!(!may_call("named.internal", ip(text), &allow), "{text} {allow:?}");
        }
        let host = if text.contains(':') { format!("{text}/128") } else { format!("{text}/32") };
        assert!(may_call("elsewhere", ip(text), &ranges(&[&host])), "{text}");
    }
    for neighbour in ["169.254.1.1", "100.100.100.100", "fd00::254", "10.0.0.1", "127.0.0.1"] {
        assert!(may_call("elsewhere", ip(neighbour), &AllowPrivate::Any), "{neighbour}");
        assert!(!may_call("elsewhere", ip(neighbour), &AllowPrivate::No), "{neighbour}");
    }
    // Behind a proxy a name is all there is to go by.
    assert!(may_call_unresolved("named.internal", &wide));
    assert!(may_call_unresolved("any.internal", &AllowPrivate::Any));
    assert!(!may_call_unresolved("any.internal", &wide));
    assert!(!may_call_unresolved("any.internal", &AllowPrivate::No));
    assert!(!may_call_unresolved("metadata.google.internal", &AllowPrivate::Any));
    assert!(!may_call_unresolved("Metadata.Google.internal.", &wide));
}

#[test]
fn the_refusal_of_metadata_says_what_it_takes() {
    let refused = failure(&transport(), &endpoint("http://169.254.169.254/latest/", json!({"allow_private": true})));
    assert_eq!(refused.kind, FailureKind::Refused);
    assert_eq!(
        refused.message,
        "169.254.169.254 is not a public address (a cloud's metadata service); it is called only if allow_private lists \
         that very address"
    );
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
        "１２７.0.0.1",
        "127。0。0。1",
        "0x7F.0X0.0.1",
        "127.0.1",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:0:127.0.0.1]",
        "[::7f00:1]",
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
fn what_hides_the_host_is_no_url() {
    for url in [
        "http://public.example@127.0.0.1/",
        "http://127.0.0.1@public.example/",
        "http://public.example:80@127.0.0.1/",
        "http://public.example\\@127.0.0.1/",
        "http:\\\\127.0.0.1/",
        "http:/127.0.0.1/",
        "http:127.0.0.1/",
        "http:///127.0.0.1/",
        "http://:80/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:-1/",
        "http://127.0.0.256/",
        "http://0x100000000/",
        "http://127.0.0.1%00.public.example/",
        "http://127.0.0.1%2f.public.example/",
        "http://public.example%40127.0.0.1/",
        "http://public.example\t.127.0.0.1/",
        "http://[::1].public.example/",
        "http://[::1/",
        "http://public.example#@127.0.0.1/",
        "http://127.0.0.1../",
        "http://１。０.0../",
        "http://public..example/",
        "http://./",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "unix:///run/x.sock",
        "//127.0.0.1/",
    ] {
        assert!(Endpoint::from_json(&json!({"url": url})).is_err(), "{url}");
    }
    // An empty port is the scheme's.
    assert_eq!(
        Endpoint::from_json(&json!({"url": "https://public.example:/x"})).unwrap().url,
        "https://public.example/x"
    );
    assert_eq!(
        Endpoint::from_json(&json!({"url": "https://bücher.example/"})).unwrap().url,
        "https://xn--bcher-kva.example/"
    );
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
        "10.0.0.5 is not a public address (a private network); an administrator (of a multisite, the network's) can allow \
         it: tick “This receiver is on my own network”, or list it in allow_private"
    );
}
