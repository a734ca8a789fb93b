//! Who may be called: by default nothing but public addresses.
//!
//! Pure: an address goes in, a verdict comes out. The blocks are those of the IANA special-purpose registries for
//! IPv4 and IPv6; an address that only carries another one (mapped, NAT64, 6to4, Teredo) is judged by what it carries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::endpoint::AllowPrivate;

/// Why `ip` is not public, in a word or two for the owner. `None`: it is public.
pub fn not_public(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(v4) => not_public_v4(v4),
        IpAddr::V6(v6) => not_public_v6(v6),
    }
}

/// Whether an endpoint whose URL names `host` (lower case, as the URL crate writes it) may call `ip`.
pub fn may_call(host: &str, ip: IpAddr, allow: &AllowPrivate) -> bool {
    match allow {
        AllowPrivate::Any => true,
        AllowPrivate::No => not_public(ip).is_none(),
        AllowPrivate::Only { ranges, hosts } => {
            let plain = ip.to_canonical();
            not_public(ip).is_none()
                || ranges.iter().any(|range| range.contains(&ip) || range.contains(&plain))
                || hosts.iter().any(|allowed| same_host(allowed, host))
        }
    }
}

/// Names are compared without the trailing dot, IPv6 literals without brackets.
fn same_host(a: &str, b: &str) -> bool {
    fn bare(host: &str) -> &str {
        host.trim_end_matches('.').trim_start_matches('[').trim_end_matches(']')
    }
    bare(a).eq_ignore_ascii_case(bare(b))
}

fn not_public_v4(ip: Ipv4Addr) -> Option<&'static str> {
    // Azure's host service answers on an address that looks public, AWS's, Google's and most others' on a link-local
    // one, Alibaba's within the carrier's range.
    const METADATA: [Ipv4Addr; 3] =
        [Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200)];
    if METADATA.contains(&ip) {
        return Some("a cloud's metadata service");
    }
    match ip.octets() {
        [0, ..] => Some("this host"),
        [127, ..] => Some("this server itself"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("a private network"),
        [100, 64..=127, ..] => Some("a carrier's shared network"),
        [169, 254, ..] => Some("link-local"),
        // PCP and TURN anycast are the two of this block that are globally reachable; no receiver is there.
        [192, 0, 0, _] => Some("reserved for protocols"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some("reserved for documentation"),
        [192, 88, 99, _] => Some("a 6to4 relay"),
        [198, 18..=19, ..] => Some("reserved for benchmarks"),
        [224..=239, ..] => Some("multicast"),
        [255, 255, 255, 255] => Some("broadcast"),
        [240..=255, ..] => Some("reserved"),
        _ => None,
    }
}

fn not_public_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let s = ip.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match s {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("this host"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("this server itself"),
        [0, 0, 0, 0, 0, 0xffff, high, low] => not_public_v4(embedded(high, low)),
        // IPv4-compatible addresses are long gone; no route leads there.
        [0, ..] => Some("reserved"),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => not_public_v4(embedded(high, low)),
        [0x64, 0xff9b, ..] => Some("a network's own NAT64"),
        // Teredo: the server in the clear, the client inverted (RFC 4380, 4).
        [0x2001, 0, server_high, server_low, _, _, client_high, client_low] => {
            not_public_v4(embedded(server_high, server_low))
                .or_else(|| not_public_v4(embedded(!client_high, !client_low)))
        }
        [0x2001, 0x1..=0x1ff, ..] => Some("reserved for protocols"),
        [0x2001, 0xdb8, ..] => Some("reserved for documentation"),
        [0x3fff, 0..=0xfff, ..] => Some("reserved for documentation"),
        [0x2002, high, low, ..] => not_public_v4(embedded(high, low)),
        // 2000::/3 is all that has been given out.
        [0x2000..=0x3fff, ..] => None,
        [0xfc00..=0xfdff, ..] => Some("a private network"),
        [0xfe80..=0xfebf, ..] => Some("link-local"),
        [0xfec0..=0xfeff, ..] => Some("a private network"),
        [0xff00..=0xffff, ..] => Some("multicast"),
        _ => Some("reserved"),
    }
}
