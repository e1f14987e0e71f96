//! From a Responses request to the chat vocabulary.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::echo::Echo;
use super::items::{self, Conversation};
use super::object::{Object, Place, elements, labels};
use super::params::{asked, check, is_known};
use super::request::Body;
use super::tools::{Tools, choice};
use super::wanted::Wanted;
use crate::chat::{
    Asked, Effort, EndUser, Error, JsonSchema, OutputFormat, Param, Reasoning, Request, Sampling,
    Thoughts,
};
use crate::json::Text;
use crate::protocol::openai::error::missing;
use crate::protocol::openai::options::guardrail;
use crate::protocol::openai::tool::must_be_object;
use crate::protocol::openai::{body, fault};

/// What `include` says for thoughts that the client sends back.
const ENCRYPTED: &str = "reasoning.encrypted_content";

/// What it says for token probabilities.
const LOGPROBS: &str = "message.output_text.logprobs";

/// Reads a request, and how its client wants the answer; `model` is the one that the path names.
///
/// # Errors
///
/// A 400 that says what is wrong, and where.
pub(super) fn read<'a>(
    source: &'a [u8],
    model: Option<&str>,
) -> Result<(Box<Request<'a>>, Wanted), Error> {
    let mut wire = Body::read(body::text(source)?)?;
    if let Some(model) = model {
        wire.model = Some(model.to_owned().into());
    }
    check(&wire)?;
    let mut asked = asked(&wire);
    let mut ask = |param, name, is_set: bool| {
        if is_set {
            asked.push(Asked { param, name });
        }
    };
    let mut tools = Tools::default();
    if let Some(json) = wire.tools {
        tools.add(json, "tools")?;
    }
    let instructions = wire.instructions.clone();
    let input = wire.input.ok_or_else(|| missing("input".to_owned()))?;
    let Conversation { messages, unknown } = if input.get().starts_with('"') {
        let text = Text::from_json(input).or_else(|_| fault::inner(input, "input"))?;
        items::of_text(instructions, text)
    } else {
        items::read(instructions, input, &mut tools)?
    };
    tools.finish();
    let (tool_choice, allowed_tools) = choice(wire.tool_choice, &tools)?;
    let thinking = Thinking::read(wire.reasoning)?;
    let output = output(wire.text)?;
    let metadata = match wire.metadata {
        Some(json) => labels(&Object::read(json, Place::Path("metadata".to_owned()))?)?,
        None => Vec::new(),
    };
    let included = included(wire.include)?;
    let includes = |what: &str| included.iter().any(|own| &**own == what);
    ask(Param::Effort, "reasoning.effort", thinking.effort.is_some());
    ask(Param::OutputFormat, "text.format", !output.is_text());
    ask(Param::Tools, "tools", !tools.list.is_empty());
    ask(
        Param::Logprobs,
        "include[message.output_text.logprobs]",
        includes(LOGPROBS),
    );
    let chooses = tool_choice.is_forced();
    let chooses = chooses || allowed_tools.is_some();
    ask(Param::ToolChoice, "tool_choice", chooses);
    let names = std::mem::take(&mut wire.names);
    let is_unknown = |name: &Cow<'_, str>| !is_known(name);
    let wanted = Wanted {
        echo: Echo::new(&wire, &metadata),
        // A client that sends back what it received would be refused without the thoughts before a call.
        seals_thoughts: includes(ENCRYPTED) || !tools.list.is_empty(),
        shows_thoughts: thinking.is_shown,
        names: std::mem::take(&mut tools.names),
    };
    let request = Box::new(Request {
        model: wire.model.unwrap_or_default(),
        messages,
        tools: tools.list,
        tool_choice,
        allowed_tools,
        parallel_tool_calls: wire.parallel_tool_calls != Some(false),
        output,
        max_output: wire.max_output_tokens,
        sampling: Sampling {
            temperature: wire.temperature,
            top_p: wire.top_p,
            ..Sampling::default()
        },
        reasoning: Reasoning {
            effort: thinking.effort,
            thoughts: if thinking.is_shown {
                Thoughts::All
            } else {
                Thoughts::AsTheyCome
            },
            ..Reasoning::default()
        },
        stream: wire.stream == Some(true),
        user: wire.user.map(EndUser::Any),
        guardrail: wire.guardrail.map(guardrail),
        latency: wire.performance.map(|own| own.latency),
        service_tier: wire.service_tier,
        metadata: metadata.into_iter().collect(),
        asked,
        unknown: names
            .into_iter()
            .filter(is_unknown)
            .chain(unknown)
            .collect(),
        left_out: tools.left_out.into_iter().map(Into::into).collect(),
        source,
        ..Request::default()
    });
    Ok((request, wanted))
}

/// What the client wants to have in the answer.
fn included(json: Option<&RawValue>) -> Result<Vec<Text<'_>>, Error> {
    let mut included = Vec::new();
    if let Some(json) = json {
        for (index, word) in elements(json, "include")?.into_iter().enumerate() {
            included.push(fault::inner(word, &format!("include[{index}]"))?);
        }
    }
    Ok(included)
}

/// How much to think, and whether to show it.
#[derive(Default)]
struct Thinking {
    effort: Option<Effort>,
    is_shown: bool,
}

impl Thinking {
    fn read(json: Option<&RawValue>) -> Result<Self, Error> {
        let Some(json) = json else {
            return Ok(Self::default());
        };
        let own = Object::read(json, Place::Path("reasoning".to_owned()))?;
        // The second is an older name of the first.
        let summary = own.text("summary")?.or(own.text("generate_summary")?);
        // A derived enum would take any other value for broken JSON.
        let effort = match own.text("effort")? {
            Some(_) => own.value("effort")?,
            None => None,
        };
        Ok(Self {
            effort,
            is_shown: summary.is_some_and(|word| &*word != "none"),
        })
    }
}

/// The shape of the answer: flat, unlike in chat.
fn output(json: Option<&RawValue>) -> Result<OutputFormat<'_>, Error> {
    let Some(json) = json else {
        return Ok(OutputFormat::Text);
    };
    let text = Object::read(json, Place::Path("text".to_owned()))?;
    let Some(format) = text.object("format")? else {
        return Ok(OutputFormat::Text);
    };
    match &*format.needed_text("type")? {
        "text" => Ok(OutputFormat::Text),
        "json_object" => Ok(OutputFormat::JsonObject),
        "json_schema" => {
            let path = || format.path("schema");
            let schema = format.get("schema").ok_or_else(|| missing(path()))?;
            must_be_object(schema, path)?;
            Ok(OutputFormat::JsonSchema(JsonSchema {
                name: format.needed_text("name")?,
                description: format.text("description")?,
                schema,
                strict: format.flag("strict")? == Some(true),
            }))
        }
        kind => {
            let path = format.path("type");
            let message = format!(
                "'{path}' must be \"text\", \"json_object\" or \"json_schema\", got '{kind}'."
            );
            Err(Error::invalid(path, message))
        }
    }
}
