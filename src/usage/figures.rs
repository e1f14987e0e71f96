//! What callers learn of their own usage: the question, and what is answered.

use super::proto::{Fields, Value, bytes};

/// What a caller has used, as the config-service writes it.
#[derive(Clone, Copy, Debug)]
pub struct Figures;

impl Figures {
    /// The method of the usage service that answers.
    pub const METHOD: &str = "Figures";

    /// The question for a caller's figures: the message `Asked` of `usage.proto`.
    #[must_use]
    pub fn of(caller: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(caller.len() + 3);
        bytes(&mut out, 1, caller.as_bytes());
        out
    }

    /// The JSON in the message `Figures`; `None` if there is none.
    #[must_use]
    pub fn read(message: &[u8]) -> Option<Vec<u8>> {
        Fields(message).find_map(|field| match field {
            (1, Value::Bytes(json)) if !json.is_empty() => Some(json.to_vec()),
            _ => None,
        })
    }
}
