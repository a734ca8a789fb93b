//! ureq asks its resolver before every request, kept connection or not; ours is asked by the connector, when needed.

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Resolves nothing.
#[derive(Debug)]
pub(super) struct Unasked;

impl Resolver for Unasked {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}
