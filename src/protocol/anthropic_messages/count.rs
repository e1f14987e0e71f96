//! Counting the tokens of a request.

use serde::Serialize;

/// The JSON body of a count.
pub(super) fn counted(tokens: u64) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body {
        input_tokens: u64,
    }
    let body = Body {
        input_tokens: tokens,
    };
    // A number always serialises.
    serde_json::to_vec(&body).unwrap_or_default()
}
