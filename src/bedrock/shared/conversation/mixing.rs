//! Turns in which calls, results and texts must not be together.

use super::{Block, BlockContent, Conversation, Speaker, Turn};

/// What the other speaker says between the halves of a turn that has to be split.
const ASSISTANT_FILLER: &str = "OK.";
const USER_FILLER: &str = "Go on.";

/// Which blocks may be in the same turn.
///
/// Models other than Claude answer "Conversation blocks and tool result blocks cannot be provided in
/// the same turn" to some mixtures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum Mixing {
    /// All.
    Free,
    /// Results of tools are alone.
    ResultsApart,
    /// Results of tools are alone, and so are calls.
    CallsApart,
}

impl<'a> Conversation<'a> {
    /// Splits turns whose blocks must not be together, with a short text from the other speaker between the halves.
    pub(in crate::bedrock) fn unmix(&mut self, mixing: Mixing) {
        let turns = std::mem::take(&mut self.turns);
        self.turns.reserve(turns.len());
        for turn in turns {
            let speaker = turn.speaker;
            let (first, second) = split(turn, mixing);
            self.turns.push(Turn {
                speaker,
                blocks: first,
            });
            if !second.is_empty() {
                self.turns.push(filler(speaker));
                self.turns.push(Turn {
                    speaker,
                    blocks: second,
                });
            }
        }
    }
}

type Halves<'a> = (Vec<Block<'a>>, Vec<Block<'a>>);

/// Results of tools come first and calls last, because calls must be the last thing before their results.
fn split(turn: Turn<'_>, mixing: Mixing) -> Halves<'_> {
    let goes_first: fn(&BlockContent<'_>) -> bool = match (turn.speaker, mixing) {
        (Speaker::User, Mixing::ResultsApart | Mixing::CallsApart) => {
            |content| matches!(content, BlockContent::ToolResult(_))
        }
        (Speaker::Assistant, Mixing::CallsApart) => {
            |content| !matches!(content, BlockContent::ToolUse(_))
        }
        _ => |_| true,
    };
    let blocks = turn.blocks.into_iter();
    let (first, second): (Vec<_>, Vec<_>) = blocks.partition(|block| goes_first(&block.content));
    if first.is_empty() {
        (second, first)
    } else {
        (first, second)
    }
}

fn filler<'a>(speaker: Speaker) -> Turn<'a> {
    let (speaker, text) = match speaker {
        Speaker::User => (Speaker::Assistant, ASSISTANT_FILLER),
        Speaker::Assistant => (Speaker::User, USER_FILLER),
    };
    Turn {
        speaker,
        blocks: vec![BlockContent::Text(text.into()).into()],
    }
}
