//! A conversation as rounds: each a question of the user and everything that followed.
//!
//! Command R takes the results of tools only for the current question, and only texts for earlier ones; that decides
//! where a call and its result go.

use crate::bedrock::shared::conversation::{
    Block, BlockContent, Conversation, Speaker, ToolUse, paragraphs,
};
use crate::chat::{Error, Param};
use crate::json::Text;

/// A question and what followed it.
pub(super) struct Round<'a> {
    pub(super) question: Text<'a>,
    pub(super) steps: Vec<Step<'a>>,
}

/// What the model did about a question.
pub(super) enum Step<'a> {
    /// It wrote a text.
    Text(Text<'a>),
    /// It called a tool, which may have returned a result.
    Call(ToolUse<'a>, Option<Text<'a>>),
}

/// The rounds of a conversation, the current question last.
///
/// # Errors
///
/// A 400 for the result of a tool that was not called.
pub(super) fn rounds(conversation: Conversation<'_>) -> Result<Vec<Round<'_>>, Error> {
    let mut rounds: Vec<Round<'_>> = Vec::new();
    for turn in conversation.turns {
        let mut question = Vec::new();
        for block in turn.blocks {
            let steps = rounds.last_mut().map(|round| &mut round.steps);
            match (block.content, turn.speaker) {
                (BlockContent::Text(text), Speaker::User) => question.push(text),
                (BlockContent::Text(text), Speaker::Assistant) => {
                    if let Some(steps) = steps {
                        steps.push(Step::Text(text));
                    }
                }
                (BlockContent::ToolUse(call), _) => {
                    if let Some(steps) = steps {
                        steps.push(Step::Call(call, None));
                    }
                }
                (BlockContent::ToolResult(result), _) => {
                    let answer = open_call(steps, &result.id)?;
                    *answer = Some(text(result.content));
                }
                _ => {}
            }
        }
        if !question.is_empty() {
            rounds.push(Round {
                question: paragraphs(question),
                steps: Vec::new(),
            });
        }
    }
    Ok(rounds)
}

/// The place for the result of the last call with this id.
fn open_call<'s, 'a>(
    steps: Option<&'s mut Vec<Step<'a>>>,
    id: &str,
) -> Result<&'s mut Option<Text<'a>>, Error> {
    let mut steps = steps.into_iter().flatten().rev();
    steps
        .find_map(|step| match step {
            Step::Call(call, answer) if call.id == id => Some(answer),
            _ => None,
        })
        .ok_or_else(|| {
            let message = format!(
                "The result for the tool call '{id}' follows no assistant message with that call."
            );
            Error::invalid(Param::Messages, message)
        })
}

impl<'a> Round<'a> {
    /// The model's answer, with calls and results in words; `None` if there was none.
    pub(super) fn told(self) -> Option<Text<'a>> {
        let steps = self.steps.into_iter().map(|step| match step {
            Step::Text(text) => text,
            Step::Call(call, None) => {
                format!("The tool {} was called with {}.", call.name, call.input).into()
            }
            Step::Call(call, Some(answer)) => format!(
                "The tool {} was called with {} and answered: {answer}",
                call.name, call.input
            )
            .into(),
        });
        let steps: Vec<_> = steps.collect();
        (!steps.is_empty()).then(|| paragraphs(steps))
    }
}

fn text(blocks: Vec<Block<'_>>) -> Text<'_> {
    let texts = blocks.into_iter().filter_map(|block| match block.content {
        BlockContent::Text(text) => Some(text),
        _ => None,
    });
    paragraphs(texts.collect())
}
