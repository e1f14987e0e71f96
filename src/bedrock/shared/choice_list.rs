//! Answers that are lists of choices with messages, like OpenAI's, from families whose requests are not like
//! OpenAI's.
//!
//! Documentation and practice disagree on names, so both readings are accepted everywhere: the
//! reason as `stop_reason` or `finish_reason`, a streamed piece as `delta` or `message`, arguments
//! as a string or as the object itself.

mod stream;

pub(in crate::bedrock) use stream::Decoder;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bedrock::shared::answer_text::StopCutter;
use crate::bedrock::shared::arguments::arguments;
use crate::bedrock::shared::bedrock_fields::BedrockFields;
use crate::bedrock::shared::end_reason::{Called, CutAt, EndReason};
use crate::bedrock::shared::markup::Whole;
use crate::bedrock::shared::tool_names::identifier;
use crate::bedrock::{Answer, DecodeError};
use crate::chat::{Completion, ToolCall, Usage};
use crate::json::Text;

/// The answer in a whole body.
///
/// # Errors
///
/// When it contains no choice.
pub(in crate::bedrock) fn decode(body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
    let bedrock_fields = BedrockFields::of(body)?;
    let reply: Reply<'_> = serde_json::from_slice(body)?;
    let Some(choice) = reply.choices.first() else {
        return Err(DecodeError::Malformed(serde::de::Error::custom(
            "no choice",
        )));
    };
    let mut end = EndReason::default();
    if bedrock_fields.intervened() {
        end.intervene();
    }
    end.take(choice.reason())?;
    let mut cutter = StopCutter::new(answer.text.stops.clone());
    let mut text = String::new();
    let mut take = |own: &str| text.push_str(own);
    let message = choice.message();
    let own = message.and_then(|message| message.content.as_deref());
    cutter.push(own.unwrap_or_default(), &mut take);
    cutter.finish(&mut take);
    if let Some(stop) = cutter.reached() {
        end.cut(&CutAt::StopText(stop));
    }
    let calls = message.and_then(|message| message.tool_calls.as_deref());
    let calls = calls.unwrap_or_default();
    let rules = answer.markup.as_ref();
    let parts = Whole::read(
        rules,
        &answer.names,
        ("", &text),
        Called::when(!calls.is_empty()),
    );
    let filled = |text: String| Some(text).filter(|text| !text.is_empty());
    let mut completion = Completion {
        id: reply.id.as_deref().map(str::to_owned),
        content: filled(parts.content),
        reasoning: filled(parts.reasoning),
        tool_calls: parts.calls,
        stop_sequence: cutter.reached().map(str::to_owned),
        usage: reply
            .usage
            .map(Usage::from)
            .or(answer.header_usage)
            .unwrap_or_default(),
        ..Completion::default()
    };
    for (index, call) in calls.iter().enumerate() {
        if answer.names.is_answer(call.name()) {
            let arguments = call.arguments();
            completion.content = Some(answer.names.answer(object(&arguments)).into_owned());
        } else {
            completion.tool_calls.push(ToolCall {
                id: call.id().map_or_else(|| made_up_id(index), str::to_owned),
                name: answer.names.restore(call.name()).to_owned(),
                arguments: object(&call.arguments()).to_owned(),
            });
        }
    }
    if completion.content.is_none() && completion.tool_calls.is_empty() {
        completion.content = Some(String::new());
    }
    end.end(Called::of(&completion), &mut completion);
    Ok(completion)
}

/// A whole answer or an event of a stream.
#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(default, borrow)]
    id: Option<Text<'a>>,
    #[serde(default, borrow)]
    choices: Vec<Choice<'a>>,
    #[serde(default)]
    usage: Option<UsageBody>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default, borrow)]
    message: Option<Message<'a>>,
    #[serde(default, borrow)]
    delta: Option<Message<'a>>,
    #[serde(default, borrow)]
    stop_reason: Option<Text<'a>>,
    #[serde(default, borrow)]
    finish_reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default, borrow)]
    content: Option<Text<'a>>,
    #[serde(default, borrow)]
    tool_calls: Option<Vec<Call<'a>>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(default)]
    index: Option<u32>,
    #[serde(default, borrow)]
    id: Option<Text<'a>>,
    #[serde(default, borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(default, borrow)]
    name: Option<Text<'a>>,
    #[serde(default, borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct UsageBody {
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl<'a> Choice<'a> {
    fn message(&self) -> Option<&Message<'a>> {
        self.delta.as_ref().or(self.message.as_ref())
    }

    /// The model's word for why the answer ended, if there is one.
    fn reason(&self) -> Option<&str> {
        let words = [&self.finish_reason, &self.stop_reason];
        words.into_iter().find_map(Option::as_deref)
    }
}

impl Call<'_> {
    /// The call's id; some servers write `"null"` if they have none.
    fn id(&self) -> Option<&str> {
        let id = self.id.as_deref();
        id.filter(|id| !matches!(*id, "" | "null"))
    }

    fn name(&self) -> &str {
        let name = self.function.as_ref().and_then(|own| own.name.as_deref());
        name.unwrap_or_default()
    }

    /// JSON, or a piece of it.
    fn arguments(&self) -> Cow<'_, str> {
        let own = self.function.as_ref().and_then(|own| own.arguments);
        own.map(arguments).unwrap_or_default()
    }
}

impl From<UsageBody> for Usage {
    fn from(usage: UsageBody) -> Self {
        Self {
            input: usage.prompt_tokens,
            output: usage.completion_tokens,
            ..Self::default()
        }
    }
}

/// Arguments of a tool without any must still be an object.
fn object(arguments: &str) -> &str {
    if arguments.trim().is_empty() {
        "{}"
    } else {
        arguments
    }
}

/// An id for a call that came without one.
fn made_up_id(index: usize) -> String {
    identifier(&format!("call_{index}")).into_owned()
}
