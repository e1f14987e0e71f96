//! The format of answers, whole or streamed.
//!
//! Vendors follow OpenAI's format only roughly, so everything here may be absent, `null` or of a related type.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bedrock::UpstreamError;
use crate::bedrock::shared::arguments::arguments;
use crate::bedrock::shared::end_reason::is_known;
use crate::bedrock::shared::invocation_metrics::InvocationMetrics;
use crate::chat::Usage;
use crate::json::Text;

/// A `chat.completion` or a `chat.completion.chunk`.
#[derive(Deserialize)]
pub(super) struct Reply<'a> {
    #[serde(default, borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    pub(super) usage: Option<UsageBody>,
    /// An error in place of an answer.
    #[serde(default, borrow)]
    pub(super) error: Option<&'a RawValue>,
    #[serde(default, rename = "amazon-bedrock-invocationMetrics")]
    pub(super) metrics: Option<InvocationMetrics>,
    #[serde(default, rename = "amazon-bedrock-guardrailAction", borrow)]
    pub(super) guardrail_action: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(default, borrow)]
    message: Option<Message<'a>>,
    #[serde(default, borrow)]
    delta: Option<Message<'a>>,
    /// Of completions without chat, as from some imported models.
    #[serde(default, borrow)]
    text: Option<&'a RawValue>,
    #[serde(default, borrow)]
    finish_reason: Option<&'a RawValue>,
    #[serde(default, borrow)]
    stop_reason: Option<&'a RawValue>,
    /// Where some vendors put it in streams.
    #[serde(default)]
    pub(super) usage: Option<UsageBody>,
}

/// The message of the model, whole or a piece of it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<Text<'a>>,
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    /// Parts, from vendors that keep them apart.
    #[serde(borrow)]
    reasoning_details: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_calls: Option<Vec<Call<'a>>>,
}

/// A tool call, whole or a piece of it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Call<'a> {
    pub(super) index: Option<u64>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Function<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

/// Token counts; unlike in Bedrock's own, the input includes cached tokens.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct UsageBody {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

/// The text and the reasoning of a message.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Texts<'a> {
    /// May still begin with reasoning, between tags.
    pub(super) text: Cow<'a, str>,
    pub(super) reasoning: Cow<'a, str>,
}

impl<'a> Choice<'a> {
    /// Whether it is the one answer that was asked for.
    pub(super) fn is_first(&self) -> bool {
        self.index.unwrap_or(0) == 0
    }

    pub(super) fn texts(&self) -> Texts<'a> {
        match (self.delta.as_ref().or(self.message.as_ref()), self.text) {
            (Some(message), _) => message.texts(),
            (None, Some(text)) => Texts {
                text: plain(text),
                ..Texts::default()
            },
            (None, None) => Texts::default(),
        }
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = &Call<'a>> {
        let message = self.delta.as_ref().or(self.message.as_ref());
        message
            .and_then(|m| m.tool_calls.as_ref())
            .into_iter()
            .flatten()
    }

    /// The model's word for why the answer ended: from the first of both fields that has a known one. The second may
    /// also be the stop text that was reached.
    pub(super) fn reason(&self) -> Option<Cow<'a, str>> {
        let mut words = [self.finish_reason, self.stop_reason]
            .into_iter()
            .filter_map(|own| word(own?));
        let first = words.next()?;
        if is_known(&first) {
            return Some(first);
        }
        words.find(|second| is_known(second)).or(Some(first))
    }

    /// The stop text that was reached, if it is one of these and the server says so, as vLLM does:
    /// <https://docs.vllm.ai/en/latest/api/vllm/outputs/>.
    pub(super) fn stop_text<'t>(&self, told: &'t [String]) -> Option<&'t str> {
        let own = word(self.stop_reason?)?;
        let told = told.iter().find(|told| ***told == *own);
        told.map(String::as_str)
    }
}

impl<'a> Message<'a> {
    fn texts(&self) -> Texts<'a> {
        let mut texts = self.content.map(content).unwrap_or_default();
        if let Some(refusal) = &self.refusal {
            join(&mut texts.text, refusal.clone().into());
        }
        // Vendors that have several of them write the same into each.
        let own = [
            self.reasoning_content,
            self.reasoning,
            self.reasoning_details,
        ];
        let mut own = own.into_iter().flatten().map(plain);
        if let Some(reasoning) = own.find(|reasoning| !reasoning.is_empty()) {
            join(&mut texts.reasoning, reasoning);
        }
        texts
    }
}

impl Call<'_> {
    /// Not empty.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref().filter(|id| !id.is_empty())
    }

    /// Not empty.
    pub(super) fn name(&self) -> Option<&str> {
        let name = self.function.as_ref()?.name.as_deref();
        name.filter(|name| !name.is_empty())
    }

    /// JSON, or a piece of it; some vendors write the object itself instead of a string.
    pub(super) fn arguments(&self) -> Cow<'_, str> {
        let own = self.function.as_ref().and_then(|f| f.arguments);
        own.map(arguments).unwrap_or_default()
    }
}

impl UsageBody {
    /// The counts, if there are any.
    pub(super) fn usage(self) -> Option<Usage> {
        let prompt = self.prompt_tokens.unwrap_or(0);
        let details = self.prompt_tokens_details.unwrap_or_default();
        let cache_read = details.cached_tokens.unwrap_or(0).min(prompt);
        let most = prompt - cache_read;
        let cache_write = details.cache_write_tokens.unwrap_or(0).min(most);
        let reasoning = self.completion_tokens_details.unwrap_or_default();
        let usage = Usage {
            input: most - cache_write,
            cache_read,
            cache_write,
            output: self.completion_tokens.unwrap_or(0),
            reasoning: reasoning.reasoning_tokens.unwrap_or(0),
            ..Usage::default()
        };
        (usage != Usage::default()).then_some(usage)
    }
}

/// An error that the model's server writes in place of an answer.
pub(super) fn fault(error: &RawValue) -> UpstreamError {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Fault<'a> {
        #[serde(borrow)]
        message: Option<Text<'a>>,
        #[serde(rename = "type", borrow)]
        kind: Option<&'a RawValue>,
        #[serde(borrow)]
        code: Option<&'a RawValue>,
    }
    let fault: Fault<'_> = serde_json::from_str(error.get()).unwrap_or_default();
    let says = |words: &[&str]| {
        let own = [fault.kind, fault.code].into_iter().flatten();
        own.map(|own| own.get().trim_matches('"'))
            .any(|own| words.contains(&own))
    };
    let exception = if says(&["rate_limit_error", "rate_limit_exceeded", "429"]) {
        "throttlingException"
    } else if says(&["invalid_request_error", "BadRequestError", "400"]) {
        "validationException"
    } else if says(&["overloaded_error", "service_unavailable", "503"]) {
        "serviceUnavailableException"
    } else {
        "modelStreamErrorException"
    };
    let message = fault.message.as_deref().map(Cow::Borrowed);
    let message = message.or_else(|| string(error)).unwrap_or_default();
    UpstreamError::in_stream(exception, &message)
}

/// A string, or parts: texts and, from reasoning models, thoughts.
fn content(raw: &RawValue) -> Texts<'_> {
    let Some(parts) = parts(raw) else {
        return Texts {
            text: plain(raw),
            ..Texts::default()
        };
    };
    let mut texts = Texts::default();
    for part in parts {
        if let Some(thinking) = part.thinking {
            join(&mut texts.reasoning, plain(thinking));
        }
        if let Some(text) = part.text {
            join(&mut texts.text, text.into());
        }
    }
    texts
}

/// The text of a string or of parts.
fn plain(raw: &RawValue) -> Cow<'_, str> {
    string(raw).unwrap_or_else(|| {
        let mut text = Cow::Borrowed("");
        for own in parts(raw).into_iter().flatten().filter_map(|p| p.text) {
            join(&mut text, own.into());
        }
        text
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    thinking: Option<&'a RawValue>,
}

fn parts(raw: &RawValue) -> Option<Vec<Part<'_>>> {
    serde_json::from_str(raw.get()).ok()
}

fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text: Option<Text<'_>> = serde_json::from_str(raw.get()).ok();
    text.map(Cow::from)
}

fn join<'a>(text: &mut Cow<'a, str>, more: Cow<'a, str>) {
    if text.is_empty() {
        *text = more;
    } else {
        text.to_mut().push_str(&more);
    }
}

/// The model's word for why it ended. While the answer continues, some vendors write an empty string, and some the
/// number of a token.
fn word(raw: &RawValue) -> Option<Cow<'_, str>> {
    let word = string(raw).unwrap_or(Cow::Borrowed(raw.get()));
    (!matches!(&*word, "" | "null")).then_some(word)
}
