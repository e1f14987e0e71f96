//! Counting the tokens of a request.

use serde::Serialize;

/// The JSON body of a count:
/// <https://platform.openai.com/docs/api-reference/responses/input-tokens>.
pub(super) fn counted(tokens: u64) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body {
        object: &'static str,
        input_tokens: u64,
    }
    let body = Body {
        object: "response.input_tokens",
        input_tokens: tokens,
    };
    // A number always serialises.
    serde_json::to_vec(&body).unwrap_or_default()
}
