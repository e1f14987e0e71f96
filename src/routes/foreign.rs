//! Names as clients write them, and those that they bring from elsewhere.
//!
//! `docs/API.md` has the same as a table. Each form is tried where the name itself leads nowhere, or where only
//! the form is one that the administrator wrote.

use std::borrow::Cow;
use std::cell::OnceCell;

use percent_encoding::percent_decode_str;

use crate::arn::ModelArn;
use crate::catalog::{self, Model, ModelFamily};

/// What other gateways put before a name.
const PREFIXES: [&str; 4] = ["bedrock/", "anthropic/", "converse/", "invoke/"];

/// How Claude Code marks a model whose whole context window it uses.
const WHOLE_WINDOW: &str = "[1m]";

/// Digits of the date that Anthropic puts behind its models' names.
const DATE_LEN: usize = 8;

/// A name that a client asks for, with its forms, worked out once for all channels.
pub(super) struct Names<'n> {
    /// The name itself, then its forms.
    pub(super) all: Vec<Name<'n>>,
    /// How many of these may be what the administrator wrote: what a name of the catalogue's own stands for is that
    /// model, whatever further forms it has.
    pub(super) written: usize,
}

impl<'n> Names<'n> {
    pub(super) fn of(name: &'n str) -> Self {
        let all = std::iter::once(name).chain(forms(name));
        let all: Vec<_> = all.map(Name::new).collect();
        let written = match all.len() {
            1 => 1,
            many => {
                let known = all.iter().position(Name::is_catalogued);
                known.map_or(many, |at| at + 1)
            }
        };
        Self { all, written }
    }
}

/// One form of a name, and what is found out about it once.
pub(super) struct Name<'n> {
    pub(super) text: &'n str,
    model: OnceCell<Option<&'static Model>>,
}

impl<'n> Name<'n> {
    pub(super) fn new(text: &'n str) -> Self {
        let model = OnceCell::new();
        Self { text, model }
    }

    /// The catalogue's model with this alias, model id or inference profile id.
    pub(super) fn model(&self) -> Option<&'static Model> {
        *self
            .model
            .get_or_init(|| catalog::find(&decode_once(self.text)))
    }

    /// Whether the catalogue knows it.
    pub(super) fn is_catalogued(&self) -> bool {
        self.model().is_some()
    }

    /// Whether it is a model's, with any channel that does not map it.
    pub(super) fn is_model(&self) -> bool {
        self.is_catalogued() || is_bedrock_id(&decode_once(self.text))
    }
}

/// The forms of a name that are not the name itself, the one most like it first.
pub(super) fn forms(name: &str) -> impl Iterator<Item = &str> {
    let bare = bare(name);
    let undated = undated(bare);
    // It is a part of the name.
    let bare = Some(bare).filter(|own| own.len() != name.len());
    bare.into_iter().chain(undated)
}

/// A name without the prefixes and suffixes of other gateways and clients.
fn bare(name: &str) -> &str {
    let mut bare = name.strip_suffix(WHOLE_WINDOW).unwrap_or(name);
    while let Some(rest) = PREFIXES.iter().find_map(|own| bare.strip_prefix(own)) {
        bare = rest;
    }
    bare
}

/// A name without its date.
fn undated(name: &str) -> Option<&str> {
    let (undated, date) = name.rsplit_once('-')?;
    let is_date = date.len() == DATE_LEN && date.bytes().all(|byte| byte.is_ascii_digit());
    is_date.then_some(undated)
}

/// Undoes one percent-encoding, which some clients apply to ids and ARNs themselves.
pub(super) fn decode_once(name: &str) -> Cow<'_, str> {
    // Hardly any name has been encoded.
    if !name.contains('%') {
        return Cow::Borrowed(name);
    }
    let decoded = percent_decode_str(name).decode_utf8();
    decoded.unwrap_or(Cow::Borrowed(name))
}

/// Whether a name has the shape of `vendor.model` or of a model ARN.
///
/// Pattern of `modelId`: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>.
pub(super) fn is_bedrock_id(name: &str) -> bool {
    if name.starts_with("arn:") {
        return name.parse::<ModelArn>().is_ok();
    }
    let vendor_and_model = name
        .split_once('.')
        .is_some_and(|(vendor, model)| !vendor.is_empty() && !model.is_empty());
    vendor_and_model
        && ModelFamily::of_model_id(name).is_some()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_a_name_is_taken_off() {
        for (name, expected) in [
            ("claude-opus-4-8", &[][..]),
            ("bedrock/nova-pro", &["nova-pro"]),
            ("bedrock/converse/nova-pro", &["nova-pro"]),
            (
                "invoke/us.amazon.nova-pro-v1:0",
                &["us.amazon.nova-pro-v1:0"],
            ),
            ("claude-opus-4-8[1m]", &["claude-opus-4-8"]),
            ("claude-opus-4-8-20260102", &["claude-opus-4-8"]),
            (
                "anthropic/claude-opus-4-8-20260102[1m]",
                &["claude-opus-4-8-20260102", "claude-opus-4-8"],
            ),
            ("nova-pro-2026", &[]),
            ("bedrock/", &[""]),
            ("[1m]", &[""]),
        ] {
            let seen: Vec<_> = forms(name).collect();
            assert_eq!(seen, expected, "{name}");
        }
    }
}
