//! Who may be called: by default nothing but public addresses.
//!
//! Pure: an address goes in, a verdict comes out. The blocks are those of the IANA special-purpose registries for
//! IPv4 and IPv6; an address that only carries another one (mapped, NAT64, 6to4, Teredo, ISATAP) is judged by what it
//! carries. Where a cloud tells a machine its own secrets is never called unless that very address is allowed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::endpoint::AllowPrivate;

/// Why `ip` is not public, in a word or two for the owner. `None`: it is public.
pub fn not_public(ip: IpAddr) -> Option<&'static str> {
    match ip {
        _ if is_metadata(ip) => Some("a cloud's metadata service"),
        IpAddr::V4(v4) => not_public_v4(v4),
        IpAddr::V6(v6) => not_public_v6(v6),
    }
}

/// Whether an endpoint whose URL names `host` (lower case, as the URL crate writes it) may call `ip`.
pub fn may_call(host: &str, ip: IpAddr, allow: &AllowPrivate) -> bool {
    match allow {
        AllowPrivate::Any => !is_metadata(ip),
        AllowPrivate::No => not_public(ip).is_none(),
        AllowPrivate::Only { ranges, hosts } => {
            let plain = ip.to_canonical();
            let mut containing = ranges.iter().filter(|range| range.contains(&ip) || range.contains(&plain));
            if is_metadata(ip) {
                return containing.any(|range| range.prefix_len() == range.max_prefix_len());
            }
            not_public(ip).is_none() || containing.next().is_some() || names(hosts, host)
        }
    }
}

/// Whether an endpoint may call `host`, a name, whatever that resolves to: then a proxy may be asked for it unresolved.
pub fn may_call_unresolved(host: &str, allow: &AllowPrivate) -> bool {
    let allowed = match allow {
        AllowPrivate::Any => true,
        AllowPrivate::No => false,
        AllowPrivate::Only { hosts, .. } => names(hosts, host),
    };
    allowed && !METADATA_NAMES.iter().any(|name| same_host(name, host))
}

/// Whether a cloud tells a machine its own secrets at `ip`, or at the IPv4 address that it carries.
pub fn is_metadata(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_metadata_v4(v4),
        IpAddr::V6(v6) => is_metadata_v6(v6) || carried(v6).into_iter().flatten().any(is_metadata_v4),
    }
}

/// Names that clouds' own resolvers give their metadata services.
const METADATA_NAMES: [&str; 7] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
    "instance-data",
    "instance-data.ec2.internal",
];

fn names(hosts: &[String], host: &str) -> bool {
    hosts.iter().any(|allowed| same_host(allowed, host))
}

/// Names are compared without the trailing dot, IPv6 literals without brackets.
fn same_host(a: &str, b: &str) -> bool {
    fn bare(host: &str) -> &str {
        host.trim_end_matches('.').trim_start_matches('[').trim_end_matches(']')
    }
    bare(a).eq_ignore_ascii_case(bare(b))
}

fn not_public_v4(ip: Ipv4Addr) -> Option<&'static str> {
    match ip.octets() {
        _ if is_metadata_v4(ip) => Some("a cloud's metadata service"),
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

fn is_metadata_v4(ip: Ipv4Addr) -> bool {
    matches!(
        ip.octets(),
        // AWS, Google, Azure and most others; 170.2 and 170.23 hand out the credentials of AWS's containers.
        [169, 254, 169..=170, _]
            // Tencent; Scaleway.
            | [169, 254, 0, 23] | [169, 254, 42, 42]
            // Azure's host service, which looks public; Alibaba's, within the carriers' range; Oracle's old one.
            | [168, 63, 129, 16] | [100, 100, 100, 200] | [192, 0, 0, 192]
    )
}

fn is_metadata_v6(ip: Ipv6Addr) -> bool {
    matches!(
        ip.segments(),
        // AWS; Google.
        [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..]
            // Oracle and OpenStack: 169.254.169.254 in their own ranges; Scaleway.
            | [0xfd00, 0xc1, .., 0xa9fe, 0xa9fe] | [0xfe80, .., 0xa9fe, 0xa9fe] | [0xfd00, 0x42, .., 0x42]
    )
}

/// The IPv4 addresses that a packet to `ip` may end at.
fn carried(ip: Ipv6Addr) -> [Option<Ipv4Addr>; 4] {
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    let o = ip.octets();
    match ip.segments() {
        // Mapped, translated (RFC 2765), compatible, and NAT64 (RFC 6052).
        [0, 0, 0, 0, _, _, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => [v4(high, low), None, None, None],
        // A network's own NAT64 (RFC 8215) may put it at any place of RFC 6052 that is left.
        [0x64, 0xff9b, 1, ..] => [
            Some(Ipv4Addr::new(o[6], o[7], o[9], o[10])),
            Some(Ipv4Addr::new(o[7], o[9], o[10], o[11])),
            Some(Ipv4Addr::new(o[9], o[10], o[11], o[12])),
            Some(Ipv4Addr::new(o[12], o[13], o[14], o[15])),
        ],
        [0x2002, high, low, ..] => [v4(high, low), None, None, None],
        // Teredo: the server in the clear, the client inverted (RFC 4380, 4).
        [0x2001, 0, server_high, server_low, _, _, client_high, client_low] => {
            [v4(server_high, server_low), v4(!client_high, !client_low), None, None]
        }
        // ISATAP, within any prefix (RFC 5214, 6.1).
        [.., 0 | 0x100 | 0x200 | 0x300, 0x5efe, high, low] => [v4(high, low), None, None, None],
        _ => [None; 4],
    }
}

fn not_public_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let by_what_it_carries = || carried(ip).into_iter().flatten().find_map(not_public_v4);
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("this host"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("this server itself"),
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => by_what_it_carries(),
        // IPv4-compatible addresses are long gone; no route leads there.
        [0, ..] => Some("reserved"),
        [0x64, 0xff9b, ..] => Some("a network's own NAT64"),
        [0x2001, 0, ..] | [0x2002, ..] => by_what_it_carries(),
        [0x2001, 0x1..=0x1ff, ..] => Some("reserved for protocols"),
        [0x2001, 0xdb8, ..] => Some("reserved for documentation"),
        [0x3fff, 0..=0xfff, ..] => Some("reserved for documentation"),
        // 2000::/3 is all that has been given out.
        [0x2000..=0x3fff, ..] => by_what_it_carries(),
        [0xfc00..=0xfdff, ..] => Some("a private network"),
        [0xfe80..=0xfebf, ..] => Some("link-local"),
        [0xfec0..=0xfeff, ..] => Some("a private network"),
        [0xff00..=0xffff, ..] => Some("multicast"),
        _ => Some("reserved"),
    }
}
