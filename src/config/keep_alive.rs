//! Signs of life for clients of silent streams.

use serde::{Deserialize, Serialize};

/// Seconds after which the client of a silent stream gets a sign of life, 0 to [`Self::MAX`]; 0 sends none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct StreamKeepAlive(pub u32);

impl StreamKeepAlive {
    /// Most seconds that may be configured: proxies do not wait for longer.
    pub const MAX: u32 = 300;

    /// Whether it need not be said: an older filter does not know the field.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for StreamKeepAlive {
    /// What the standard of server-sent events advises
    /// (<https://html.spec.whatwg.org/multipage/server-sent-events.html#authoring-notes>), and well below the minute
    /// after which many proxies give a silent connection up.
    fn default() -> Self {
        Self(15)
    }
}
