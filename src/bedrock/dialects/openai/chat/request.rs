//! Encodes a chat request.

use std::borrow::Cow;

use super::body::{Body, Format, JsonSchema, Named, ToolChoice};
use super::messages::messages;
use crate::bedrock::shared::conversation::{Accepts, build};
use crate::bedrock::shared::document::Documents;
use crate::bedrock::shared::markup::Rules;
use crate::bedrock::shared::schema::{Object, held, is_objects, object};
use crate::bedrock::shared::structured::{Means, instruct_to_call, keep_to_shape};
use crate::bedrock::shared::tool_names::identifier;
use crate::bedrock::shared::tools::{Choice, Tools, description};
use crate::bedrock::{Answer, EncodedRequest, Operation, Target, ToolNames};
use crate::catalog::{Model, Sampling, Thinking};
use crate::chat::{Effort, Error, OutputFormat, Param, Request};
use crate::wire::openai::{Function, Tool};

/// For models that take no format: their tools are not used to get the answer.
const NO_FORMAT: Means = Means {
    schemas: false,
    forced_tools: false,
};

pub(super) fn encode(request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error> {
    let mut names = ToolNames::default();
    if let Some(model) = target.model {
        refuse_what_it_lacks(request, model)?;
    }
    let mut conversation = build(request, accepts(target))?;
    if target.model.is_some_and(|model| !model.prefill) {
        conversation.refuse_prefill()?;
    }
    let mut tools = Tools::of(request, &mut names)?;
    let takes_formats = target.model.is_none_or(|model| model.json_schema);
    if !takes_formats {
        keep_to_shape(
            request,
            NO_FORMAT,
            &mut conversation,
            (&mut tools, &mut names),
        )?;
    }
    let forced_tools = target.model.is_none_or(|model| model.forced_tools);
    if !forced_tools {
        instruct_to_call(&mut conversation, &mut tools);
    }
    let takes_stop = target.model.is_none_or(|model| model.stop);
    let stops = stop(request).filter(|_| !takes_stop);
    let stops = stops.map(str::to_owned).collect();
    let told_stops = stop(request).filter(|_| takes_stop);
    let told_stops = told_stops.map(str::to_owned).collect();
    let limit = Limit::of(request, target);
    let samples = Samples::of(request, target);
    let effort = effort(request, target);
    let left_out = match effort {
        Some(_) => Vec::new(),
        None => request.reasoning.wishes().collect(),
    };
    let body = Body {
        messages: messages(&conversation, &mut names),
        tool_choice: tool_choice(&tools.choice),
        parallel_tool_calls: (!tools.parallel && !tools.list.is_empty()).then_some(false),
        tools: tool_list(tools),
        response_format: format(request)?.filter(|_| takes_formats),
        max_tokens: limit.and_then(Limit::max_tokens),
        max_completion_tokens: limit.and_then(Limit::max_completion_tokens),
        temperature: samples.temperature,
        top_p: samples.top_p,
        frequency_penalty: request
            .sampling
            .frequency_penalty
            .filter(|penalty| *penalty != 0.0),
        presence_penalty: request
            .sampling
            .presence_penalty
            .filter(|penalty| *penalty != 0.0),
        seed: samples.seed,
        stop: stop(request).filter(|_| takes_stop).collect(),
        reasoning_effort: effort,
    };
    let encoded = EncodedRequest::new(
        request,
        Operation::invoke(request),
        &body,
        Answer {
            names,
            markup: Rules::of(request, target),
            stops,
            told_stops,
            ..Answer::default()
        },
    )?;
    Ok(encoded.without(left_out))
}

fn accepts(target: &Target<'_>) -> Accepts {
    Accepts {
        images: target.model.is_none_or(Model::reads_images),
        documents: Documents::None,
        tools: target.model.is_none_or(|model| model.tools),
        rich_results: false,
        failures: false,
        thinking: false,
        closing_system: false,
    }
}

/// The vendors differ in what they take; leaving it out would change the answer.
fn refuse_what_it_lacks(request: &Request<'_>, model: &Model) -> Result<(), Error> {
    let set = |penalty: Option<f64>| penalty.is_some_and(|penalty| penalty != 0.0);
    let penalties = model.sampling != Sampling::None;
    let lacking = [
        (
            Param::FrequencyPenalty,
            !penalties && set(request.sampling.frequency_penalty),
        ),
        (
            Param::PresencePenalty,
            !penalties && set(request.sampling.presence_penalty),
        ),
        (Param::Tools, !model.tools && !request.tools.is_empty()),
    ];
    match lacking.into_iter().find(|(_, lacks)| *lacks) {
        Some((param, _)) => Err(lacks(request.name_of(param), param)),
        None => Ok(()),
    }
}

/// The error for a parameter that a model lacks.
fn lacks(name: &'static str, param: Param) -> Error {
    let message = match param {
        Param::Tools => format!("This model does not call {name}; remove '{name}'."),
        _ => format!("This model does not support penalties; remove '{name}'."),
    };
    Error::unsupported(name, message)
}

fn tool_list(tools: Tools<'_>) -> Vec<Tool<'_>> {
    let list = tools.list.into_iter().map(|tool| {
        let (parameters, strict) = if tool.strict {
            held(tool.schema)
        } else {
            (tool.schema, false)
        };
        Tool::from(Function {
            name: tool.name,
            description: tool.description,
            parameters,
            strict,
        })
    });
    list.collect()
}

fn tool_choice<'a>(choice: &Choice<'a>) -> Option<ToolChoice<'a>> {
    Some(match choice {
        Choice::Unset => return None,
        Choice::None => ToolChoice::Mode("none"),
        Choice::Auto => ToolChoice::Mode("auto"),
        Choice::Any => ToolChoice::Mode("required"),
        Choice::Tool(name) => ToolChoice::Tool {
            kind: "function",
            function: Named { name: name.clone() },
        },
    })
}

/// <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>
fn format<'a>(request: &'a Request<'_>) -> Result<Option<Format<'a>>, Error> {
    let own = match &request.output {
        OutputFormat::Text => return Ok(None),
        OutputFormat::JsonObject => return Ok(Some(Format::JsonObject)),
        OutputFormat::JsonSchema(own) => own,
    };
    let Object { schema, note } = object(own.schema)?;
    let (schema, strict) = if !is_objects(own.schema) || note.is_some() {
        // As an object's, it would allow other answers than the client's.
        (Cow::Borrowed(own.schema), false)
    } else if own.strict {
        held(schema)
    } else {
        (schema, false)
    };
    let json_schema = JsonSchema {
        name: identifier(&own.name),
        description: description(own.description.as_deref(), None),
        schema,
        strict,
    };
    Ok(Some(Format::JsonSchema { json_schema }))
}

/// The client's limit under the name that the model takes.
#[derive(Clone, Copy)]
enum Limit {
    MaxTokens(u32),
    MaxCompletionTokens(u32),
}

impl Limit {
    /// Never more than the model's: asking for more is an error at Bedrock and means "as much as you can" everywhere
    /// else. Without a limit the model decides.
    fn of(request: &Request<'_>, target: &Target<'_>) -> Option<Self> {
        let most = target.model.and_then(|model| model.max_output);
        let least = target.model.map_or(1, |model| model.min_output);
        let limit = request.max_output?;
        let limit = limit.min(most.unwrap_or(u32::MAX)).max(least);
        let is_new_name = target
            .model
            .is_some_and(|model| model.max_completion_tokens);
        Some(if is_new_name {
            Self::MaxCompletionTokens(limit)
        } else {
            Self::MaxTokens(limit)
        })
    }

    fn max_tokens(self) -> Option<u32> {
        match self {
            Self::MaxTokens(limit) => Some(limit),
            Self::MaxCompletionTokens(_) => None,
        }
    }

    fn max_completion_tokens(self) -> Option<u32> {
        match self {
            Self::MaxCompletionTokens(limit) => Some(limit),
            Self::MaxTokens(_) => None,
        }
    }
}

struct Samples {
    temperature: Option<f64>,
    top_p: Option<f64>,
    seed: Option<i64>,
}

impl Samples {
    /// The sampling parameters that the model takes; they only guide it, so others are left out.
    fn of(request: &Request<'_>, target: &Target<'_>) -> Self {
        let hottest = target.model.map_or(f64::MAX, |model| model.max_temperature);
        let all = Self {
            temperature: request.sampling.temperature.map(|own| own.min(hottest)),
            top_p: request.sampling.top_p,
            seed: request.sampling.seed,
        };
        match target.model.map_or(Sampling::Any, |model| model.sampling) {
            Sampling::Either if all.temperature.is_some() => Self { top_p: None, ..all },
            Sampling::Any | Sampling::Either => all,
            Sampling::None => Self {
                temperature: None,
                top_p: None,
                seed: None,
            },
        }
    }
}

/// Texts that end the answer; an empty one would end it before it began.
fn stop<'a>(request: &'a Request<'_>) -> impl Iterator<Item = &'a str> {
    let stops = request.stop.iter().map(|stop| &**stop);
    stops.filter(|stop| !stop.is_empty())
}

/// The effort that is nearest to the wanted one; models that cannot be told ignore it.
fn effort(request: &Request<'_>, target: &Target<'_>) -> Option<Effort> {
    let model = target.model?;
    match model.thinking {
        Thinking::Effort | Thinking::NestedEffort => model.effort(request.reasoning.in_a_word()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bedrock::Options;
    use crate::catalog;
    use crate::chat::testing::says;
    use crate::chat::{Place, Sampling as Wanted, Tool as Offered};

    #[track_caller]
    fn check(model: &str, request: &Request<'_>, refused: Option<Param>) {
        let target = Target {
            family: crate::catalog::ModelFamily::OpenaiChat,
            model: catalog::find(model),
            model_id: model,
            options: &Options::default(),
        };
        let param = encode(request, &target).err().map(|error| error.param);
        let expected = refused.map(|param| Some(Place::from(param.name())));
        assert_eq!(param, expected, "{model}: {request:?}");
    }

    #[test]
    fn what_a_model_lacks_is_refused_by_name() {
        let plain = says(&["x"]);
        let sampling = |sampling: Wanted| Request {
            sampling,
            ..plain.clone()
        };
        let frequency = |penalty: f64| Wanted {
            frequency_penalty: Some(penalty),
            ..Wanted::default()
        };
        let presence = |penalty: f64| Wanted {
            presence_penalty: Some(penalty),
            ..Wanted::default()
        };
        let tools = Request {
            tools: vec![Offered {
                name: "f".into(),
                description: None,
                parameters: None,
                strict: false,
                cache: None,
                native: None,
            }],
            ..plain.clone()
        };
        for (model, request, param) in [
            (
                "gpt-6.1-sol",
                sampling(frequency(0.5)),
                Param::FrequencyPenalty,
            ),
            (
                "gpt-6.1-sol",
                sampling(presence(0.5)),
                Param::PresencePenalty,
            ),
            ("voxtral-mini-3b-2507", tools, Param::Tools),
        ] {
            check(model, &request, Some(param));
            check("qwen3-32b", &request, None);
            // Nothing is known about an unknown model, so it gets everything that the family takes.
            check("unheard-of", &request, None);
        }
        check("gpt-6.1-sol", &sampling(presence(0.0)), None);
    }
}
