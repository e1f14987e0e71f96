//! Tool calls on their way to the client.

use super::names::{Called, Kind};

/// A call of the model's, as far as it has arrived.
#[derive(Debug)]
pub(super) struct Call {
    /// Ties it to its output.
    pub(super) call_id: Box<str>,
    pub(super) called: Called,
    /// JSON, whatever kind of call it is.
    pub(super) arguments: String,
    /// Whether the model has finished it.
    pub(super) ended: bool,
}

impl Call {
    /// The type of the item, and what its id begins with.
    pub(super) fn words(&self) -> (&'static str, &'static str) {
        match self.called.kind {
            Kind::Function => ("function_call", "fc_"),
            Kind::Custom => ("custom_tool_call", "ctc_"),
            Kind::Search => ("tool_search_call", "tsc_"),
        }
    }
}
