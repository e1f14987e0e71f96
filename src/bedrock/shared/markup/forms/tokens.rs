//! Calls between special tokens: a name, then arguments as JSON.

use super::{json, object, some};
use crate::bedrock::shared::markup::calls::{Call, Offer};

/// `<|tool_call_begin|>functions.NAME:0<|tool_call_argument_begin|>{…}<|tool_call_end|>`, any number of them.
pub(in crate::bedrock::shared::markup) fn kimi(text: &str, offer: Offer<'_>) -> Option<Vec<Call>> {
    let calls = text.split("<|tool_call_begin|>").skip(1);
    some(calls.map(|call| {
        let call = until(call, "<|tool_call_end|>");
        let call = until(call, "<|tool_calls_section_end|>");
        let call = until(call, "<|tool_call_section_end|>");
        let (id, arguments) = call.split_once("<|tool_call_argument_begin|>")?;
        let id = id.trim();
        Some(Call {
            // Without a number, it is only the name.
            id: id.contains(':').then(|| id.to_owned()),
            name: offer.name(id)?.to_owned(),
            arguments: object(arguments)?,
        })
    }))
}

/// `<｜tool▁call▁begin｜>NAME<｜tool▁sep｜>{…}<｜tool▁call▁end｜>`, any number of them; older models write `function`, the
/// separator, the name and a fenced block.
pub(in crate::bedrock::shared::markup) fn sections(
    text: &str,
    offer: Offer<'_>,
) -> Option<Vec<Call>> {
    let calls = text.split("<｜tool▁call▁begin｜>").skip(1);
    some(calls.map(|call| {
        let call = until(call, "<｜tool▁call▁end｜>");
        let (first, rest) = call.split_once("<｜tool▁sep｜>")?;
        let (name, arguments) = if rest.trim_start().starts_with('{') {
            (first, rest)
        } else {
            rest.split_once('\n')?
        };
        let arguments = arguments.trim();
        let fenced = arguments.strip_prefix("```json").unwrap_or(arguments);
        Some(Call {
            id: None,
            name: offer.name(name.trim())?.to_owned(),
            arguments: object(fenced.strip_suffix("```").unwrap_or(fenced))?,
        })
    }))
}

/// `[TOOL_CALLS]NAME[ARGS]{…}`, any number of them, perhaps with `[CALL_ID]…` after the name; older models write a
/// list of JSON objects.
pub(in crate::bedrock::shared::markup) fn mistral(
    text: &str,
    offer: Offer<'_>,
) -> Option<Vec<Call>> {
    let calls = text.split("[TOOL_CALLS]").skip(1);
    let lists = calls.map(|call| {
        let call = until(call, "</s>").trim();
        if call.starts_with(['[', '{']) {
            return json(&format!("[TOOL_CALLS]{call}"), offer);
        }
        let (head, arguments) = call.split_at_checked(call.find('{')?)?;
        let head = head.strip_suffix("[ARGS]").unwrap_or(head);
        let (name, id) = match head.split_once("[CALL_ID]") {
            Some((name, id)) => (name, Some(id.trim().to_owned())),
            None => (head, None),
        };
        let call = Call {
            id,
            name: offer.name(name.trim())?.to_owned(),
            arguments: object(arguments)?,
        };
        Some(vec![call])
    });
    let lists: Option<Vec<_>> = lists.collect();
    lists
        .map(|lists| lists.concat())
        .filter(|calls| !calls.is_empty())
}

/// The text before a token, or all of it.
fn until<'t>(text: &'t str, token: &str) -> &'t str {
    text.split_once(token).map_or(text, |(before, _)| before)
}
