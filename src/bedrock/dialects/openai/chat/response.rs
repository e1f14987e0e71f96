//! Decodes a whole answer.

use serde::de::Error as _;

use super::calls::made_up_id;
use super::wire::{Choice, Reply, fault};
use crate::bedrock::shared::end_reason::{Called, CutAt, EndReason};
use crate::bedrock::shared::markup::Whole;
use crate::bedrock::{Answer, DecodeError, ToolNames};
use crate::chat::{Completion, ToolCall};

pub(super) fn decode(body: &[u8], answer: &Answer) -> Result<Completion, DecodeError> {
    let reply: Reply<'_> = serde_json::from_slice(body)?;
    if let Some(error) = reply.error {
        return Err(DecodeError::Upstream(fault(error)));
    }
    let choice = reply.choices.iter().flatten().find(|c| c.is_first());
    let Some(choice) = choice else {
        return Err(serde_json::Error::custom("no choice").into());
    };
    let id = reply.id.as_deref().unwrap_or_default();
    let texts = choice.texts();
    let calls = tool_calls(choice, id, &answer.names);
    let texts = (&*texts.reasoning, &*texts.text);
    let rules = answer.markup.as_ref();
    let parts = Whole::read(rules, &answer.names, texts, Called::when(!calls.is_empty()));
    let tool_calls = [parts.calls, calls].concat();
    let mut end = EndReason::default();
    end.guardrail(reply.guardrail_action.as_deref());
    end.take(choice.reason().as_deref())?;
    let stop = choice.stop_text(&answer.told_stops);
    if let Some(text) = stop {
        end.cut(&CutAt::StopText(text));
    }
    let own = reply.usage.or(choice.usage).and_then(|usage| usage.usage());
    let mut completion = Completion {
        // The protocol writes the prefix, for every family alike.
        id: (!id.is_empty()).then(|| id.strip_prefix("chatcmpl-").unwrap_or(id).to_owned()),
        content: (!parts.content.is_empty() || tool_calls.is_empty()).then_some(parts.content),
        reasoning: (!parts.reasoning.is_empty()).then_some(parts.reasoning),
        tool_calls,
        stop_sequence: stop.map(str::to_owned),
        usage: own.or(answer.header_usage).unwrap_or_default(),
        ..Completion::default()
    };
    end.end(Called::of(&completion), &mut completion);
    Ok(completion)
}

fn tool_calls(choice: &Choice<'_>, answer_id: &str, names: &ToolNames) -> Vec<ToolCall> {
    let named = choice.calls().filter_map(|call| Some((call, call.name()?)));
    let calls = named.enumerate().map(|(index, (call, name))| {
        let arguments = call.arguments();
        ToolCall {
            id: call
                .id()
                .map_or_else(|| made_up_id(answer_id, index), str::to_owned),
            name: names.restore(name).to_owned(),
            arguments: match arguments.trim() {
                "" => "{}".to_owned(),
                _ => arguments.into_owned(),
            },
        }
    });
    calls.collect()
}
