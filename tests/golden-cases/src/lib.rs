//! The golden cases: whole exchanges, from the folders in `tests/golden` and the table in
//! [`families`].
//!
//! A folder contains `request.json`, what the client sends, to the path in `request.path` if it is not
//! that of OpenAI's chat; `upstream.http`, what Bedrock gets; `answer.http` or `answer.events`, what
//! Bedrock answers; and `response.http`, what the client gets. A case without an answer is one that
//! the filter itself answers.
//!
//! This crate's test program plays every case against the filter, through a real Envoy, and with the
//! official client.

pub mod families;
mod files;
mod frames;

pub use files::{folders, parse_http, texts};
pub use frames::{frame, frames};

use std::path::PathBuf;

/// The plugin configuration of all cases.
pub const PLUGIN_CONFIG: &str = include_str!("../../golden/plugin.json");

/// The path of OpenAI's chat.
pub const CHAT: &str = "/v1/chat/completions";

/// The path of Anthropic's Messages.
pub const MESSAGES: &str = "/v1/messages";

/// The path of OpenAI's responses.
pub const RESPONSES: &str = "/v1/responses";

/// The path that counts the tokens of one of their requests.
pub const INPUT_TOKENS: &str = "/v1/responses/input_tokens";

/// Prefix of the names of tests that play a case against the filter.
pub const PURE: &str = "golden";

/// Prefix of the names of tests that give the strict simulator what the filter makes of a case.
pub const STRICT: &str = "strict";

/// The test that every model accepts what the filter sends it.
pub const EVERY_MODEL: &str = "strict::every_model";

/// The test that they accept any combination of what clients ask for.
pub const ANY_COMBINATION: &str = "strict::any_combination";

/// Prefix of the names of tests that play a case through a real Envoy.
pub const THROUGH_ENVOY: &str = "through_envoy";

/// Prefix of the names of tests in which the official client plays a case.
pub const OFFICIAL_CLIENT: &str = "official_client";

/// The test that the table has every family.
pub const EVERY_FAMILY: &str = "golden::every_family_is_in_the_table";

/// A request, Bedrock's answer, and what both must become.
#[derive(Clone, Debug)]
pub struct Case {
    /// `family/case`.
    pub name: String,
    /// The folder of its files; none if it comes from the table.
    pub folder: Option<PathBuf>,
    /// The path that the client calls.
    pub path: String,
    /// What the client sends.
    pub request: Vec<u8>,
    /// What Bedrock answers; none if the filter itself answers.
    pub answer: Option<Answer>,
    /// What Bedrock gets: the request's line, its `x-amzn-` headers and its body.
    pub upstream: Option<String>,
    /// What the client gets: status, headers and body. None in a new folder.
    pub response: Option<String>,
}

/// An answer from Bedrock.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Every case, in the order of their names.
#[must_use]
pub fn all() -> Vec<Case> {
    let mut cases = folders();
    cases.extend(families::cases());
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    for pair in cases.windows(2) {
        assert_ne!(pair[0].name, pair[1].name, "two cases have one name");
    }
    cases
}

/// Names of all tests that this crate's program may have.
#[must_use]
pub fn test_names() -> Vec<String> {
    let kinds = [PURE, STRICT, THROUGH_ENVOY, OFFICIAL_CLIENT];
    let cases = all().into_iter();
    let names = cases.flat_map(|case| kinds.map(|kind| format!("{kind}::{}", case.name)));
    names
        .chain([EVERY_FAMILY, EVERY_MODEL, ANY_COMBINATION].map(str::to_owned))
        .collect()
}
