//! Shared by tests.

use super::{
    At, Block, BlockContent, Error, EventWriter, FinishReason, Guarded, Message, Part, Request,
    Role, Thought, Usage,
};

/// A request with turns of the user and the assistant in alternation, the user's first.
pub(crate) fn says<'a>(turns: &[&'a str]) -> Request<'a> {
    instructed("", turns)
}

/// The same with a system text, unless it is empty.
pub(crate) fn instructed<'a>(system: &'a str, turns: &[&'a str]) -> Request<'a> {
    let roles = [Role::User, Role::Assistant].into_iter().cycle();
    let turns = roles.zip(turns.iter().copied());
    let system = Some((Role::System, system)).filter(|(_, text)| !text.is_empty());
    let messages = system.into_iter().chain(turns).enumerate();
    let messages = messages.map(|(index, (role, text))| Message {
        role,
        blocks: vec![Block {
            content: BlockContent::Text(text.into()),
            cache: None,
            at: At {
                message: index,
                part: Part::Whole,
            },
        }],
    });
    Request {
        model: "m".into(),
        messages: messages.collect(),
        parallel_tool_calls: true,
        ..Request::default()
    }
}

/// Keeps the tool calls of an answer: id, name and arguments of each.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    calls: Vec<[String; 3]>,
}

impl Recorder {
    pub(crate) fn sink() -> Guarded<Self> {
        Guarded::new(Self::default())
    }

    pub(crate) fn calls(&self) -> &[[String; 3]] {
        &self.calls
    }
}

impl EventWriter for Recorder {
    fn start(&mut self) {}

    fn text(&mut self, _: &str) {}

    fn reasoning(&mut self, _: &str) {}

    fn thought(&mut self, _: &Thought) {}

    fn tool_call(&mut self, index: u32, id: &str, name: &str) {
        assert_eq!(index as usize, self.calls.len());
        self.calls
            .push([id.to_owned(), name.to_owned(), String::new()]);
    }

    fn tool_arguments(&mut self, index: u32, json: &str) {
        self.calls[index as usize][2] += json;
    }

    fn service_tier(&mut self, _: &str) {}

    fn finish(&mut self, _: FinishReason, _: Usage) {}

    fn error(&mut self, _: &Error) {}

    fn take(&mut self) -> Vec<u8> {
        Vec::new()
    }
}
