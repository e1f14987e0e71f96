//! What a stream becomes, event by event.

use super::*;
use crate::chat::{AnswerHead, AnswerSink, AnswerStream, Guarded};
use crate::protocol::openai_responses::read::read;
use serde_json::Value;
use std::rc::Rc;

fn stream() -> Guarded<EventStream> {
    let body = br#"{"model":"m","input":"x","reasoning":{"summary":"auto"},"tools":[{"type":"custom","name":"c"}]}"#;
    let (_, wanted) = read(body, None).unwrap();
    let shell = Shell::new(&AnswerHead::default(), &Rc::new(wanted));
    Guarded::new(EventStream::new(shell))
}

/// Types of the events, without `response.`, with the item and what is said of it.
fn events(stream: &mut Guarded<EventStream>) -> Vec<String> {
    let text = String::from_utf8(stream.take()).unwrap();
    let event = |event: &str| {
        let (_, data) = event.split_once("\ndata: ").unwrap();
        let event: Value = serde_json::from_str(data).unwrap();
        let kind = event["type"].as_str().unwrap();
        let kind = kind.strip_prefix("response.").unwrap();
        let item = event["output_index"].as_u64();
        let item = item.map_or_else(String::new, |item| format!(" {item}"));
        let said = event["delta"].as_str().or(event["item"]["status"].as_str());
        let said = said.or(event["response"]["status"].as_str());
        format!("{kind}{item} {}", said.unwrap_or_default())
    };
    text.split_terminator("\n\n").map(event).collect()
}

#[test]
fn calls_may_be_open_side_by_side_and_are_closed_in_their_order() {
    let mut stream = stream();
    stream.text("Let me.");
    let first = stream.tool_call("a", "f");
    let second = stream.tool_call("b", "g");
    stream.tool_arguments(second, "{\"y\":2}");
    stream.tool_call_end(second);
    stream.tool_arguments(first, "{\"x\":1}");
    stream.text("Wait.");
    stream.finish(FinishReason::ToolCalls, Usage::default());
    assert_eq!(
        events(&mut stream),
        [
            "created in_progress",
            "in_progress in_progress",
            "output_item.added 0 in_progress",
            "content_part.added 0 ",
            "output_text.delta 0 Let me.",
            "output_text.done 0 ",
            "content_part.done 0 ",
            "output_item.done 0 completed",
            "output_item.added 1 in_progress",
            "output_item.added 2 in_progress",
            "function_call_arguments.delta 2 {\"y\":2}",
            "function_call_arguments.delta 1 {\"x\":1}",
            "output_item.added 3 in_progress",
            "content_part.added 3 ",
            "output_text.delta 3 Wait.",
            "function_call_arguments.done 1 ",
            "output_item.done 1 completed",
            "function_call_arguments.done 2 ",
            "output_item.done 2 completed",
            "output_text.done 3 ",
            "content_part.done 3 ",
            "output_item.done 3 completed",
            "completed completed",
        ]
    );
}

#[test]
fn what_was_cut_off_is_not_complete() {
    let mut stream = stream();
    stream.reasoning("Hm");
    let call = stream.tool_call("a", "c");
    stream.tool_arguments(call, "{\"input\":\"x");
    stream.tool_call_end(call);
    stream.finish(FinishReason::Length, Usage::default());
    let events = events(&mut stream);
    assert_eq!(
        events[events.len() - 5..],
        [
            "output_item.added 1 in_progress",
            "custom_tool_call_input.delta 1 x",
            "custom_tool_call_input.done 1 ",
            "output_item.done 1 incomplete",
            "incomplete incomplete",
        ]
    );
}

#[test]
fn an_error_before_everything_begins_the_stream_too() {
    let mut stream = stream();
    let error = Error::invalid("x", "no").retry_after(3);
    stream.error(&error);
    assert_eq!(
        events(&mut stream),
        [
            "created in_progress",
            "in_progress in_progress",
            "failed failed"
        ]
    );
}
