//! Whose requests are counted together, and under which name an Envoy keeps the count.

/// Name of the layout of what an Envoy keeps of each caller. It outlives the module that wrote it, and during an upgrade
/// two modules count at once, so another layout has another name: neither reads what it does not know.
const LAYOUT: &str = "bedrock.limits.2.";

/// Whose requests are counted together: made once, so that no request has to.
#[derive(Debug, PartialEq, Eq)]
pub struct Account {
    /// [`LAYOUT`] and the caller's id.
    key: String,
}

impl Account {
    /// That of a caller, by what stays the same when its name changes.
    #[must_use]
    pub fn new(caller: &str) -> Self {
        Self {
            key: [LAYOUT, caller].concat(),
        }
    }

    /// The key of the value that an Envoy keeps.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The caller's id.
    pub(super) fn caller(&self) -> &str {
        self.key.get(LAYOUT.len()..).unwrap_or_default()
    }
}
