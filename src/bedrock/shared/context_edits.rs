//! Claude's `context_management`: the edits that Bedrock makes.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/context-editing>

use serde::Serialize;
use serde_json::value::RawValue;

use crate::json::{Kind, NotJson, Walker};

/// Edits that Bedrock makes, and their betas.
const EDITS: [(&str, &str); 2] = [
    ("clear_tool_uses_20250919", "context-management-2025-06-27"),
    ("compact_20260112", "compact-2026-01-12"),
];

/// What is left of a request's `context_management`.
#[derive(Debug, Default, Serialize)]
pub struct ContextEdits<'a> {
    /// The edits that are passed on, as they were written.
    pub edits: Vec<&'a RawValue>,
    /// The betas that go with them.
    #[serde(skip)]
    pub betas: Vec<&'static str>,
}

impl<'a> ContextEdits<'a> {
    /// Reads the object; anything else yields no edits.
    #[must_use]
    pub fn of(json: &'a RawValue) -> Self {
        let mut context = Self::default();
        let mut walker = Walker::new(json.get());
        if walker.kind() != Kind::Object {
            return context;
        }
        let read = walker.object::<NotJson>(|walker, name| {
            if name.text != "edits" || walker.kind() != Kind::Array {
                return walker.raw().map(drop);
            }
            let list = walker.array::<NotJson>(|walker, _| {
                context.take(walker.raw()?);
                Ok(())
            });
            list.map(drop)
        });
        match read {
            Ok(_) => context,
            Err(NotJson) => Self::default(),
        }
    }

    fn take(&mut self, edit: &'a RawValue) {
        let Some(kind) = kind(edit.get()) else {
            return;
        };
        if let Some((_, beta)) = EDITS.iter().find(|(own, _)| *own == kind) {
            self.edits.push(edit);
            self.betas.push(beta);
        }
    }
}

fn kind(edit: &str) -> Option<String> {
    let mut walker = Walker::new(edit);
    if walker.kind() != Kind::Object {
        return None;
    }
    let mut kind = None;
    let read = walker.object::<NotJson>(|walker, name| {
        if name.text == "type" && walker.kind() == Kind::String {
            kind = Some(walker.text()?.to_string());
            return Ok(());
        }
        walker.raw().map(drop)
    });
    read.ok().and(kind)
}
