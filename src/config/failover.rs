//! Trying a request on another channel when one fails.

use serde::{Deserialize, Serialize};

use super::Generation;

/// Settings of the deployment in two stages: the filter is on the listener *and* on the Bedrock clusters, where it
/// runs once for each attempt of Envoy's retry policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Failover {
    /// Most channels that one request is tried on, 1 to 8.
    pub max_attempts: usize,
    /// Whether answers say which channel served them and after how many attempts, in
    /// `x-bedrock-channel` and `x-bedrock-attempts`.
    pub answer_headers: bool,
    /// Bytes of requests that one worker keeps at once for another attempt: at least two of the longest request, up
    /// to 512 MiB. A client takes up no more than it leaves free; a request that does not fit gets a 503.
    pub max_held_bytes: usize,
    /// Generation of the pools; without it their names have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
}

impl Failover {
    /// Most attempts that may be configured.
    pub const MAX_ATTEMPTS: usize = 8;

    /// Most bytes that may be configured: half of what Envoy lets a VM have
    /// (<https://github.com/proxy-wasm/proxy-wasm-cpp-host/blob/main/include/proxy-wasm/limits.h>), because
    /// translating requests needs memory as well.
    pub const MAX_HELD_BYTES: usize = 512 * 1024 * 1024;
}

impl Default for Failover {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            answer_headers: true,
            max_held_bytes: 256 * 1024 * 1024,
            generation: None,
        }
    }
}
