//! Which addresses that are not public an endpoint may call.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;
use url::Host;

use crate::error::{Error, Result, shown};
use crate::json;

/// Ranges and hosts together.
const MAX_ALLOWED: usize = 100;

/// Which addresses that are not public an endpoint may call.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum AllowPrivate {
    /// None.
    #[default]
    No,
    /// Any.
    Any,
    /// Addresses within these ranges, and whatever these host names (lower case) resolve to.
    Only {
        /// CIDR ranges.
        ranges: Vec<IpNet>,
        /// Host names.
        hosts: Vec<String>,
    },
}

impl AllowPrivate {
    /// As an endpoint's `allow_private` is written: false, true, or a list.
    pub fn to_json(&self) -> Value {
        match self {
            AllowPrivate::No => Value::Bool(false),
            AllowPrivate::Any => Value::Bool(true),
            AllowPrivate::Only { ranges, hosts } => {
                ranges.iter().map(IpNet::to_string).chain(hosts.iter().cloned()).collect()
            }
        }
    }
}

/// Reads `allow_private`.
pub(super) fn read(value: Option<&Value>) -> Result<AllowPrivate> {
    const KEY: &str = "allow_private";
    let list = match value {
        None | Some(Value::Bool(false)) => return Ok(AllowPrivate::No),
        Some(Value::Bool(true)) => return Ok(AllowPrivate::Any),
        Some(Value::Array(list)) if list.len() > MAX_ALLOWED => {
            return Err(Error::invalid(
                KEY,
                format!("it lists {} addresses, the limit is {MAX_ALLOWED}; give ranges", list.len()),
            ));
        }
        Some(Value::Array(list)) => list,
        Some(other) => {
            let got = json::kind(other);
            return Err(Error::invalid(
                KEY,
                format!("expected false, true or a list of hosts and CIDR ranges, got {got}"),
            ));
        }
    };
    let (mut ranges, mut hosts) = (Vec::new(), Vec::new());
    for (at, value) in list.iter().enumerate() {
        let key = format!("{KEY}[{at}]");
        let Value::String(text) = value else {
            return Err(Error::invalid(
                key,
                format!("expected a host, an address or a CIDR range, got {}", json::kind(value)),
            ));
        };
        match entry(text) {
            Some(Entry::Range(range)) => ranges.push(range),
            Some(Entry::Host(host)) => hosts.push(host),
            None => {
                return Err(Error::invalid(
                    key,
                    format!(
                        "'{}' is neither a host name, an address nor a CIDR range; examples: crm.internal, 192.168.1.20, \
                         10.0.0.0/8, without scheme, port or path",
                        shown(text)
                    ),
                ));
            }
        }
    }
    // An empty list allows nothing.
    Ok(if list.is_empty() { AllowPrivate::No } else { AllowPrivate::Only { ranges, hosts } })
}

enum Entry {
    Range(IpNet),
    Host(String),
}

fn entry(text: &str) -> Option<Entry> {
    if let Ok(range) = text.parse::<IpNet>() {
        return Some(Entry::Range(without_mapping(range.trunc())));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(Entry::Range(without_mapping(address.into())));
    }
    // Names are read as in URLs: lower case, international ones in their ASCII form, `127.1` an address.
    match Host::parse(text).ok()? {
        Host::Ipv4(address) => Some(Entry::Range(IpAddr::from(address).into())),
        Host::Ipv6(address) => Some(Entry::Range(without_mapping(IpAddr::from(address).into()))),
        Host::Domain(name) => (!name.is_empty() && !name.contains('*')).then_some(Entry::Host(name)),
    }
}

/// The IPv4 range that `::ffff:…` means: an address is asked about by what it comes down to.
fn without_mapping(range: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    let IpNet::V6(mapped) = range else { return range };
    let address = mapped.network().to_ipv4_mapped().filter(|_| mapped.prefix_len() >= MAPPED_BITS);
    address.and_then(|address| IpNet::new(address.into(), mapped.prefix_len() - MAPPED_BITS).ok()).unwrap_or(range)
}
