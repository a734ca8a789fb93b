//! A receiver that the owner configured.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::Result;
use crate::secret::Secret;

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
        ranges: Vec<ipnet::IpNet>,
        /// Host names.
        hosts: Vec<String>,
    },
}

/// An endpoint, checked.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Unique within the site.
    pub id: String,
    /// The site it belongs to.
    pub site: String,
    /// Absolute http or https, without credentials or fragment.
    pub url: String,
    /// Subscriptions: names, `deal.*`, `*`. Never empty.
    pub events: Vec<String>,
    /// Filters as configured; evaluated from a later version on, refused until then.
    pub filters: Map<String, Value>,
    /// The name of the format.
    pub format: String,
    /// Live secrets, the newest first. Empty: nothing is signed.
    pub secrets: Vec<Secret>,
    /// The owner's switch.
    pub enabled: bool,
    /// The owner's words.
    pub description: String,
    /// For the whole exchange.
    pub timeout: Duration,
    /// The delay after each failed attempt; one attempt more than delays.
    pub schedule: Vec<Duration>,
    /// Requests in flight at most.
    pub max_concurrency: Option<u32>,
    /// Requests started per second at most.
    pub rate_per_second: Option<f64>,
    /// Additional headers.
    pub headers: Vec<(String, String)>,
    /// Later events of a record wait for earlier ones.
    pub ordered: bool,
    /// Which addresses beside public ones it may call.
    pub allow_private: AllowPrivate,
    /// A file of PEM certificates to trust instead of the system's.
    pub ca: Option<String>,
    /// A PEM file with client certificate and key.
    pub client_cert: Option<String>,
    /// A delivery older than this is dead.
    pub max_age: Duration,
    /// Whether five failures in a row pause the endpoint.
    pub circuit_breaker: bool,
    /// An http proxy.
    pub proxy: Option<String>,
}

impl Endpoint {
    /// Checks an endpoint as the PHP API takes it; what is missing has the default of its format.
    ///
    /// # Errors
    /// [`crate::error::Error::InvalidArgument`] with the key that breaks its rule.
    pub fn from_json(value: &Value) -> Result<Self> {
        let _ = value;
        todo!()
    }

    /// Whether it subscribes to the event called `name` (the catalogue's own name).
    pub fn subscribes(&self, name: &str) -> bool {
        let _ = name;
        todo!()
    }
}
