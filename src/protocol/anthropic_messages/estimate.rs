//! How many tokens a request has, roughly.
//!
//! Estimates are rather too high than too low, because clients shorten conversations by them.

use super::wire::{Asked, Content, Object, Value};
use crate::protocol::estimate::{FRAME, IMAGE, bytes, of_bytes, of_file, of_text, whole};

impl Asked<'_> {
    /// The tokens of the request; rather too many than too few.
    #[must_use]
    pub fn estimate(&self) -> u64 {
        let said: usize = self.contents().map(content).sum();
        let tools = self.tools.1.iter().map(|tool| tool.json.len() + 1).sum();
        whole(said, tools)
    }

    /// The bytes of its texts, images and files not counted.
    pub(in crate::protocol) fn text_bytes(&self) -> usize {
        let said: usize = self.contents().map(text_of).sum();
        let tools = self.tools.1.iter().map(|tool| tool.json.len());
        said + tools.sum::<usize>()
    }
}

fn text_of(content: &Content<'_>) -> usize {
    match content {
        Content::Text(text) => bytes(text),
        Content::Blocks(_, blocks) => blocks.iter().map(text_in).sum(),
    }
}

/// The texts of a block: its own, those of a call, and those of the blocks inside it.
fn text_in(own: &Object<'_>) -> usize {
    let texts = ["text", "thinking", "content"].map(|name| match own.get(name) {
        Some(Value::Text(text)) => bytes(text),
        Some(Value::Blocks(_, inside)) => inside.iter().map(text_in).sum(),
        _ => 0,
    });
    let call = match own.get("input") {
        Some(Value::Object(input)) => input.json.len(),
        Some(Value::Raw(input)) => input.get().len(),
        _ => 0,
    };
    texts.iter().sum::<usize>() + call
}

fn content(content: &Content<'_>) -> usize {
    match content {
        Content::Text(text) => of_text(text),
        Content::Blocks(_, blocks) => blocks.iter().map(block).sum(),
    }
}

fn block(own: &Object<'_>) -> usize {
    match own.kind() {
        "image" => IMAGE,
        "document" => document(own),
        _ => match own.get("content") {
            Some(Value::Blocks(_, inside)) => inside.iter().map(block).sum::<usize>() + FRAME,
            _ => of_bytes(own.json.len()),
        },
    }
}

fn document(own: &Object<'_>) -> usize {
    let Some(source) = own.object("source") else {
        return of_bytes(own.json.len());
    };
    match source.kind() {
        "base64" => of_file(source.json.len()),
        _ => of_bytes(own.json.len()),
    }
}
