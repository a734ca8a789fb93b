//! Addresses, judged: 16 bytes of one, then a prefix length.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use posthorn::delivery::address::{is_metadata, may_call, not_public};
use posthorn::endpoint::{AllowPrivate, Endpoint};
use serde_json::json;

pub fn run(data: &[u8]) {
    let Some((bytes, rest)) = data.split_first_chunk::<16>() else { return };
    let v6 = IpAddr::V6(Ipv6Addr::from(*bytes));
    let v4 = Ipv4Addr::new(bytes[12], bytes[13], bytes[14], bytes[15]);
    for ip in [v6, IpAddr::V4(v4)] {
        let public = not_public(ip).is_none();
        assert_eq!(may_call("a.example", ip, &AllowPrivate::No), public, "{ip}");
        assert_eq!(may_call("a.example", ip, &AllowPrivate::Any), !is_metadata(ip), "{ip}");
        assert!(!(public && is_metadata(ip)), "{ip}");
        // A list never allows less than none, nor a metadata service but by its own address.
        let prefix = rest.first().map_or(8, |byte| byte % if ip.is_ipv4() { 32 } else { 128 });
        let settings = json!({"url": "https://a.example/", "allow_private": [format!("{ip}/{prefix}"), "a.example"]});
        let allow = Endpoint::from_json(&settings).expect("a range and a name").allow_private;
        assert_eq!(may_call("a.example", ip, &allow), !is_metadata(ip), "{ip}/{prefix}");
        let settings = json!({"url": "https://a.example/", "allow_private": [ip.to_string()]});
        let itself = Endpoint::from_json(&settings).expect("an address").allow_private;
        assert!(may_call("b.example", ip, &itself), "{ip}");
    }
    // What carries an IPv4 address is as open as that.
    for carrier in [v4.to_ipv6_mapped(), Ipv6Addr::from((0x0064_ff9b_u128 << 96) | u128::from(v4.to_bits()))] {
        assert_eq!(not_public(carrier.into()).is_none(), not_public(v4.into()).is_none(), "{carrier}");
        assert_eq!(is_metadata(carrier.into()), is_metadata(v4.into()), "{carrier}");
    }
}
