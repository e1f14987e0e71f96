//! Tool names and ids that Bedrock accepts, and the way back to the client's own.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::answer_tool::{AnswerArguments, AnswerPlace, unwrapped};
use crate::chat::{BlockContent, Request};

/// Name of the tool whose arguments are the answer.
pub(in crate::bedrock) const ANSWER_TOOL: &str = "json_answer";

/// Longest tool name and tool call id, in characters.
///
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolSpecification.html>
const MAX_LEN: usize = 64;

/// Length of the digest that keeps changed names distinct, in hexadecimal digits.
const DIGEST_LEN: usize = 8;

/// What models' own templates put in front of the names of functions.
const NAMESPACES: [&str; 4] = ["functions.", "functions::", "function.", "tools."];

/// Changed tool names of one exchange, by the name that went upstream.
#[derive(Clone, Debug, Default)]
pub struct ToolNames {
    originals: BTreeMap<String, String>,
    /// The client's own names of the tools that the model may call.
    offered: Vec<Box<str>>,
    /// Whether the answer comes as the arguments of the answer tool.
    expects_answer: bool,
    /// Where they have it.
    answer_place: AnswerPlace,
    /// Where hyphens must not be sent: all names of the request, so that no two become equal.
    taken: Option<BTreeSet<String>>,
}

impl ToolNames {
    /// For a model that does not take hyphens in the names of tools.
    pub(in crate::bedrock) fn without_hyphens(request: &Request<'_>) -> Self {
        let blocks = request.messages.iter().flat_map(|message| &message.blocks);
        let called = blocks.filter_map(|block| match &block.content {
            BlockContent::ToolUse(call) => Some(&*call.name),
            _ => None,
        });
        let offered = request.tools.iter().map(|tool| &*tool.name);
        let taken = offered
            .chain(called)
            .map(|name| identifier(name).into_owned());
        Self {
            taken: Some(taken.collect()),
            ..Self::default()
        }
    }

    /// The name to send for a client's tool; remembers it if it had to be changed.
    pub fn send<'n>(&mut self, name: &'n str) -> Cow<'n, str> {
        let mut sent = if name == ANSWER_TOOL {
            Cow::Owned(format!("{name}_{}", digest(name)))
        } else {
            identifier(name)
        };
        if let Some(taken) = &self.taken
            && sent.contains('-')
        {
            sent = Cow::Owned(self.underscored(&sent, name, taken));
        }
        if let Cow::Owned(changed) = &sent {
            self.originals.insert(changed.clone(), name.to_owned());
        }
        sent
    }

    /// Notes that the model may call this tool of the client's.
    pub(in crate::bedrock) fn offer(&mut self, name: &str) {
        self.offered.push(name.into());
    }

    /// A name with underscores in place of hyphens, and with a digest if another tool has that name.
    fn underscored(&self, sent: &str, name: &str, taken: &BTreeSet<String>) -> String {
        let plain = sent.replace('-', "_");
        let holder = self.originals.get(&plain);
        if !taken.contains(&plain) && holder.is_none_or(|holder| holder == name) {
            return plain;
        }
        let start = plain.chars().take(MAX_LEN - DIGEST_LEN - 1);
        let digest = digest(name);
        start.chain(['_']).chain(digest.chars()).collect()
    }

    /// Notes that the answer will come in the arguments of the answer tool, and where in them.
    pub(in crate::bedrock) fn expect_answer_tool(&mut self, place: AnswerPlace) {
        self.expects_answer = true;
        self.answer_place = place;
    }

    /// Reads the arguments of the answer tool as they arrive.
    pub(in crate::bedrock) fn answer_arguments(&self) -> AnswerArguments {
        AnswerArguments::new(self.answer_place)
    }

    /// The answer in the whole arguments of the answer tool.
    pub(in crate::bedrock) fn answer<'j>(&self, arguments: &'j str) -> Cow<'j, str> {
        match self.answer_place {
            AnswerPlace::Member => unwrapped(arguments).into(),
            AnswerPlace::Arguments => arguments.into(),
        }
    }

    /// Whether a tool that the model calls is really its answer, see [`crate::bedrock::shared::structured`].
    #[must_use]
    pub(in crate::bedrock) fn is_answer(&self, sent: &str) -> bool {
        self.expects_answer && (sent == ANSWER_TOOL || undecorated(sent) == ANSWER_TOOL)
    }

    /// Whether the answer is to come as the arguments of the answer tool.
    #[must_use]
    pub(in crate::bedrock) fn expects_answer(&self) -> bool {
        self.expects_answer
    }

    /// [`Self::send`] for models that take neither hyphens in a tool's name nor a digit as its
    /// first character; `name` may also be one that [`Self::send`] gave.
    pub(in crate::bedrock) fn send_plain<'n>(&mut self, name: &'n str) -> Cow<'n, str> {
        let sent = self.send(name);
        let starts_with_digit = sent.starts_with(|c: char| c.is_ascii_digit());
        if !sent.contains('-') && !starts_with_digit {
            return sent;
        }
        let digest = digest(&sent);
        let similar = sent.chars().map(|c| if c == '-' { '_' } else { c });
        let start = starts_with_digit.then_some('_').into_iter();
        let plain: String = start
            .chain(similar.take(MAX_LEN - DIGEST_LEN - 2))
            .chain(['_'])
            .chain(digest.chars())
            .collect();
        let original = self.restore(&sent).to_owned();
        self.originals.insert(plain.clone(), original);
        Cow::Owned(plain)
    }

    /// The client's name of a tool that the model calls. An unknown name stays unchanged, unless a tool has the name
    /// that is left without what models put around names.
    #[must_use]
    pub fn restore<'n>(&'n self, sent: &'n str) -> &'n str {
        let known = self.known(sent);
        known
            .or_else(|| self.known(undecorated(sent)))
            .unwrap_or(sent)
    }

    /// The client's name of a tool, if the model may call it.
    pub(in crate::bedrock) fn callable<'n>(&'n self, sent: &'n str) -> Option<&'n str> {
        let name = self.restore(sent);
        self.is_offered(name).then_some(name)
    }

    /// Whether the model may call anything.
    pub(in crate::bedrock) fn offers(&self) -> bool {
        self.expects_answer || !self.offered.is_empty()
    }

    fn known<'n>(&'n self, sent: &'n str) -> Option<&'n str> {
        match self.originals.get(sent) {
            Some(original) => Some(original),
            None => self.is_offered(sent).then_some(sent),
        }
    }

    fn is_offered(&self, name: &str) -> bool {
        self.offered.iter().any(|own| **own == *name)
    }
}

/// A name without what models put around it: blanks, the namespace that templates give to functions, the number of
/// the call, quotes, and stray tokens.
fn undecorated(name: &str) -> &str {
    let end = name.find("<|").or_else(|| name.find("<｜"));
    let name = end.and_then(|end| name.get(..end)).unwrap_or(name);
    let name = name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'));
    let name = name.split_whitespace().next().unwrap_or_default();
    let name = NAMESPACES
        .iter()
        .find_map(|space| name.strip_prefix(space))
        .unwrap_or(name);
    match name.split_once(':') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    }
}

/// The text itself if Bedrock takes it as a tool name or id (`[a-zA-Z0-9_-]{1,64}`); otherwise a similar name, with a
/// digest that keeps different texts distinct. The same text always gives the same name, so a call in the history and
/// its result stay together.
#[must_use]
pub(in crate::bedrock) fn identifier(text: &str) -> Cow<'_, str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !text.is_empty() && text.len() <= MAX_LEN && text.chars().all(allowed) {
        return Cow::Borrowed(text);
    }
    let digest = digest(text);
    let similar = text
        .chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .take(MAX_LEN - DIGEST_LEN - 1);
    Cow::Owned(similar.chain(['_']).chain(digest.chars()).collect())
}

/// [`identifier`] of an id.
pub(in crate::bedrock) fn call_id(id: Cow<'_, str>) -> Cow<'_, str> {
    match id {
        Cow::Borrowed(id) => identifier(id),
        Cow::Owned(id) => match identifier(&id) {
            Cow::Borrowed(_) => Cow::Owned(id),
            Cow::Owned(changed) => Cow::Owned(changed),
        },
    }
}

/// The first digits of a text's digest.
fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let bytes = digest.iter().map(|byte| format!("{byte:02x}"));
    bytes.take(DIGEST_LEN / 2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn good_names_are_kept_and_others_come_back() {
        let mut names = ToolNames::default();
        assert_eq!(names.send("get_weather-2"), "get_weather-2");
        let sent = names.send("mcp.server/get weather").into_owned();
        assert_eq!(sent, "mcp_server_get_weather_6ee81b6f");
        assert_eq!(names.restore(&sent), "mcp.server/get weather");
        assert_eq!(names.restore("get_weather-2"), "get_weather-2");
    }

    #[test]
    fn what_a_model_puts_around_an_offered_name_is_taken_off() {
        let mut names = ToolNames::default();
        names.offer("get_weather");
        names.offer("a/b");
        let sent = names.send("a/b").into_owned();
        for name in [
            "get_weather",
            " get_weather",
            "functions.get_weather",
            "functions.get_weather:0",
            "get_weather<|channel|>commentary",
            "functions.get_weather<|constrain|>json",
            "\"get_weather\"",
            "get_weather json",
        ] {
            assert_eq!(names.restore(name), "get_weather", "{name}");
            assert_eq!(names.callable(name), Some("get_weather"), "{name}");
        }
        assert_eq!(names.restore(&format!("functions.{sent}")), "a/b");
        for name in [
            "functions.now",
            "now<|channel|>commentary",
            "<|x|>",
            "",
            "get_weather.x",
        ] {
            assert_eq!(names.restore(name), name);
            assert_eq!(names.callable(name), None);
        }
    }

    #[test]
    fn a_name_that_a_tool_has_is_not_taken_apart() {
        let mut names = ToolNames::default();
        for name in ["functions.now", "now"] {
            names.offer(name);
        }
        assert_eq!(names.restore("functions.now"), "functions.now");
        assert_eq!(names.restore("now"), "now");
    }

    #[test]
    fn plain_names_come_back_whichever_way_they_were_sent() {
        for name in ["get-weather", "2nd", "a/b-c", "get_weather", "a/b"] {
            let mut names = ToolNames::default();
            let plain = names.send_plain(name).into_owned();
            assert_eq!(names.restore(&plain), name);
            let sent = names.send(name).into_owned();
            assert_eq!(names.send_plain(&sent), plain);
            assert_eq!(names.restore(&plain), name);
        }
    }

    #[test]
    fn hyphens_become_underscores_and_tools_stay_apart() {
        let tool = |name: &'static str| crate::chat::Tool {
            name: name.into(),
            description: None,
            parameters: None,
            strict: false,
            cache: None,
            native: None,
        };
        let names = [
            "get-weather",
            "get_weather",
            "a-b_c",
            "a_b-c",
            "plain",
            "x.y-z",
        ];
        let request = Request {
            tools: names.map(tool).into(),
            ..Request::default()
        };
        let mut own = ToolNames::without_hyphens(&request);
        let sent = names.map(|name| own.send(name).into_owned());
        assert_eq!(
            sent,
            [
                "get_weather_19a275db",
                "get_weather",
                "a_b_c",
                "a_b_c_9a83c37c",
                "plain",
                "x_y_z_826a39aa",
            ]
        );
        for (name, sent) in names.iter().zip(&sent) {
            assert_eq!(own.restore(sent), *name);
            assert_eq!(own.send(name), *sent);
        }
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_plain_name(text in ".*") {
            let mut names = ToolNames::default();
            let name = names.send_plain(&text);
            prop_assert!((1..=MAX_LEN).contains(&name.len()));
            prop_assert!(!name.starts_with(|c: char| c.is_ascii_digit()));
            prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        }

        #[test]
        fn any_text_becomes_a_valid_name(text in ".*") {
            let name = identifier(&text);
            prop_assert!((1..=MAX_LEN).contains(&name.len()));
            prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')));
        }
    }
}
