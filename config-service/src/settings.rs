//! What holds for all channels, from the command line.

use bedrock_filter::config::{Failover, Limits, UnknownParameters};
use bedrock_filter::endpoint::Endpoint;

use crate::credentials::TokenFolders;
use crate::outbound::Outbound;
use crate::seal::Sealer;

/// What holds for all channels.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Sizes that the filter enforces.
    pub limits: Limits,
    /// What becomes of parameters that nobody knows, in channels that do not say.
    pub unknown_parameters: UnknownParameters,
    /// Whether clients may speak Anthropic's Messages API too.
    pub anthropic_messages: bool,
    /// Settings of failover, where the filter stands on the clusters too.
    pub failover: Option<Failover>,
    /// Seals what is published.
    pub sealer: Sealer,
    /// Whether an endpoint may lead to a link-local address or a metadata service.
    pub allow_link_local_endpoints: bool,
    /// Endpoints that may get what AWS issues to the service, and that may be in plain text.
    pub trusted_endpoints: Vec<Endpoint>,
    /// Where files with tokens of identity providers may be.
    pub token_folders: TokenFolders,
    /// How channels are tested.
    pub outbound: Outbound,
}
