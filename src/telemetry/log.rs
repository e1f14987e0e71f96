//! The properties of a stream that access logs and traces read.

use super::Report;

/// Names of all properties that [`fields`] returns. Access logs have them as `%FILTER_STATE(wasm.NAME:PLAIN)%`.
pub const FIELDS: [&str; 7] = [
    "bedrock.protocol",
    "bedrock.model",
    "bedrock.channel",
    "bedrock.profile",
    "bedrock.input_tokens",
    "bedrock.output_tokens",
    "bedrock.first_token_ms",
];

/// The properties of a request, as far as they are known.
#[must_use]
pub fn fields(report: &Report) -> Vec<(&'static str, String)> {
    let called = report.called.as_ref();
    let usage = report.usage.filter(|own| *own != Default::default());
    let first = report.first_token.map(|time| time.as_millis().to_string());
    let values = [
        Some(report.protocol.to_owned()),
        called.map(|own| own.model.clone()),
        called.map(|own| own.channel.clone()),
        called.map(|own| own.profile.clone()),
        usage.map(|own| own.prompt().to_string()),
        usage.map(|own| own.output.to_string()),
        first,
    ];
    let known = FIELDS.into_iter().zip(values);
    known
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
