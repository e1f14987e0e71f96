//! How much a test tells about a host that does not answer like Bedrock.
//!
//! An editor may write any host and port into a channel. If its test told whether something listens there,
//! and what that says, it would be a scanner of the config-service's network.

use bedrock_filter::config::Channel;
use bedrock_filter::endpoint::Endpoint;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Candor {
    /// Why there was no answer, and what another answer says: for AWS's own hosts and trusted ones.
    Full,
    /// That Bedrock did not answer, always in the same words and after the same time.
    Guarded,
}

impl Candor {
    /// What is due to a channel's endpoint.
    pub(crate) fn of(channel: &Channel, trusted: &[Endpoint]) -> Self {
        let Some(text) = &channel.endpoint else {
            return Self::Full;
        };
        let is_known = |endpoint: Endpoint| endpoint.is_aws() || trusted.contains(&endpoint);
        match Endpoint::parse(text) {
            Ok(endpoint) if is_known(endpoint.clone()) => Self::Full,
            _ => Self::Guarded,
        }
    }
}
