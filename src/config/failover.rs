//! Trying a request on another channel when one fails.

use serde::{Deserialize, Serialize};

use super::Generation;

/// Settings of the deployment in two stages: the filter stands on the listener *and* on the Bedrock
/// clusters, where it runs once for each attempt of Envoy's retry policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Failover {
    /// Channels that one request is tried on at most, 1 to 8.
    pub max_attempts: usize,
    /// Whether answers say which channel served them and after how many attempts, in
    /// `x-bedrock-channel` and `x-bedrock-attempts`.
    pub answer_headers: bool,
    /// Bytes of requests that one worker holds at once for the case of another attempt: at least two of the
    /// longest, up to 512 MiB. A client holds no more than it leaves free; what is more gets a 503.
    pub max_held_bytes: usize,
    /// Generation of the pools; their names have none without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
}

impl Failover {
    /// Most attempts that may be configured.
    pub const MOST_ATTEMPTS: usize = 8;

    /// Most bytes that may be configured to be held: half of what Envoy lets a VM have
    /// (<https://github.com/proxy-wasm/proxy-wasm-cpp-host/blob/main/include/proxy-wasm/limits.h>), because
    /// requests are translated beside the ones that are held.
    pub const MOST_HELD_BYTES: usize = 512 * 1024 * 1024;
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
