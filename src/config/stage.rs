//! Where the filter is.

use serde::{Deserialize, Serialize};

/// The place of a filter on a request's way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Among the filters of a listener, where requests come in.
    #[default]
    Listener,
    /// Among the filters of a pool's cluster, where each attempt of a request leaves. It needs no channels: the
    /// listener stage, in the same VM, makes what it sends.
    Upstream,
}
