//! Bedrock's own token counts of a streamed answer.

use serde::Deserialize;

use crate::chat::Usage;

/// Key of the counts in the last event of a stream: `amazon-bedrock-invocationMetrics`.
///
/// For families that count tokens themselves these only fill gaps, because their own counts have more detail.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct InvocationMetrics {
    input_token_count: u64,
    output_token_count: u64,
    cache_read_input_token_count: u64,
    cache_write_input_token_count: u64,
}

impl From<InvocationMetrics> for Usage {
    fn from(metrics: InvocationMetrics) -> Self {
        Self {
            input: metrics.input_token_count,
            cache_read: metrics.cache_read_input_token_count,
            cache_write: metrics.cache_write_input_token_count,
            output: metrics.output_token_count,
            ..Self::default()
        }
    }
}
