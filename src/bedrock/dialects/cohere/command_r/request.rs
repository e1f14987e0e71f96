//! Encodes a chat request.

use super::body::{Body, Call, Entry, Output, Tool, ToolResult};
use super::rounds::{Round, Step, rounds};
use super::tools::{called, definitions, rename};
use crate::bedrock::shared::conversation::{Accepts, BlockContent, Conversation, build};
use crate::bedrock::shared::document::Documents;
use crate::bedrock::shared::structured::{instruct_to_call, instruct_to_keep_shape};
use crate::bedrock::shared::tools::{Choice, Tools};
use crate::bedrock::{Answer, EncodedRequest, Operation, Target, ToolNames};
use crate::chat::{Error, Param, Request};

/// The range of Bedrock's `p`; the client's `top_p` is 0 to 1.
const P: (f64, f64) = (0.01, 0.99);

/// Highest `k` that Bedrock takes.
const MAX_K: u32 = 500;

/// What Command R can be told.
const ACCEPTS: Accepts = Accepts {
    images: false,
    documents: Documents::None,
    tools: true,
    rich_results: false,
    failures: false,
    thinking: false,
    closing_system: false,
};

pub(super) fn encode(request: &Request<'_>, target: &Target<'_>) -> Result<EncodedRequest, Error> {
    let mut names = ToolNames::default();
    let mut conversation = build(request, ACCEPTS)?;
    conversation.refuse_prefill()?;
    let earlier_calls = calls(&conversation);
    let mut tools = Tools::of(request, &mut names)?;
    rename(&mut tools, &mut names);
    // Command R can neither be forced to call a tool nor to answer in JSON.
    instruct_to_call(&mut conversation, &mut tools);
    instruct_to_keep_shape(request, &mut conversation)?;
    let preamble = conversation.system_text();
    let mut rounds = rounds(conversation)?;
    let Some(round) = rounds.pop() else {
        let message = "The conversation needs a user message that is not blank.";
        return Err(Error::invalid(Param::Messages, message));
    };
    let stops = request.stop.iter().map(|stop| &**stop);
    let most = target.model.and_then(|model| model.max_output);
    let tools = offered(tools, &round, &mut names)?;
    let body = Body {
        preamble,
        chat_history: rounds.into_iter().flat_map(history).collect(),
        max_tokens: request
            .max_output
            .map(|wanted| wanted.min(most.unwrap_or(u32::MAX))),
        temperature: request
            .sampling
            .temperature
            .map(|temperature| temperature.min(1.0)),
        p: request.sampling.top_p.map(|p| p.clamp(P.0, P.1)),
        k: request.sampling.top_k.map(|k| k.min(MAX_K)),
        frequency_penalty: penalty(
            request,
            Param::FrequencyPenalty,
            request.sampling.frequency_penalty,
        )?,
        presence_penalty: penalty(
            request,
            Param::PresencePenalty,
            request.sampling.presence_penalty,
        )?,
        // Cohere's seeds are unsigned; the same seed still gives the same answer.
        seed: request.sampling.seed.map(i64::unsigned_abs),
        stop_sequences: stops.filter(|stop| !stop.is_empty()).collect(),
        tools,
        message: round.question,
        tool_results: results(round.steps, &mut names),
    };
    EncodedRequest::new(
        request,
        Operation::invoke(request),
        &body,
        Answer {
            names,
            earlier_calls,
            ..Answer::default()
        },
    )
}

fn calls(conversation: &Conversation<'_>) -> u32 {
    let blocks = conversation.blocks();
    let calls = blocks.filter(|block| matches!(block.content, BlockContent::ToolUse(_)));
    u32::try_from(calls.count()).unwrap_or(u32::MAX)
}

/// The tools to offer. Tools that must not be called are left out, unless there are results, which Bedrock refuses
/// without tools.
fn offered<'a>(
    tools: Tools<'a>,
    round: &Round<'a>,
    names: &mut ToolNames,
) -> Result<Vec<Tool<'a>>, Error> {
    let called = called(&round.steps, names);
    match tools.choice {
        Choice::None if called.is_empty() => Ok(Vec::new()),
        _ if tools.list.is_empty() => Ok(called),
        _ => definitions(tools, names),
    }
}

/// The tools' results for the current question. What the model wrote in between is left out: Command R has no place
/// for it.
fn results<'a>(steps: Vec<Step<'a>>, names: &mut ToolNames) -> Vec<ToolResult<'a>> {
    let results = steps.into_iter().filter_map(|step| match step {
        Step::Call(call, Some(text)) => Some(ToolResult {
            call: Call {
                name: names.send_plain(call.name),
                parameters: call.input,
            },
            outputs: [Output { text }],
        }),
        _ => None,
    });
    results.collect()
}

fn history(mut round: Round<'_>) -> Vec<Entry<'_>> {
    let question = Entry {
        role: "USER",
        message: std::mem::take(&mut round.question),
    };
    let answer = round.told().map(|message| Entry {
        role: "CHATBOT",
        message,
    });
    std::iter::once(question).chain(answer).collect()
}

/// A penalty; Cohere's highest is 1, clients may send up to 2.
fn penalty(
    request: &Request<'_>,
    param: Param,
    penalty: Option<f64>,
) -> Result<Option<f64>, Error> {
    match penalty {
        Some(penalty) if penalty < 0.0 => {
            let param = request.name_of(param);
            let message = format!("This model does not accept a negative '{param}'; use 0 to 1.");
            Err(Error::unsupported(param, message))
        }
        penalty => Ok(penalty
            .filter(|penalty| *penalty > 0.0)
            .map(|penalty| penalty.min(1.0))),
    }
}
