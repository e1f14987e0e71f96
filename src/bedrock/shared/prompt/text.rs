//! What becomes of the text behind a prompt on its way to the client.

use super::StopCutter;
use crate::bedrock::shared::conversation::Conversation;
use crate::bedrock::shared::markup::{Markup, Piece, Scanner, Start};
use crate::bedrock::{Target, ToolNames};

/// How the text of an answer is read.
#[derive(Clone, Debug, Default)]
pub(in crate::bedrock) struct TextRules {
    /// What at its start is the template's, not the answer's.
    pub(in crate::bedrock) lead: Lead,
    /// What the model writes beside the answer, and what it begins with.
    pub(in crate::bedrock) markup: Option<(&'static Markup, Start)>,
    /// Texts that end it, where the model does not see to that.
    pub(in crate::bedrock) stops: Vec<String>,
}

/// White space at the start of an answer that the template brings about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::bedrock) enum Lead {
    /// None: all of it is the answer's. Right for an answer that continues the assistant's words.
    #[default]
    Kept,
    /// Line breaks.
    LineBreaks,
    /// Any white space.
    WhiteSpace,
}

/// State of one text that is being read.
#[derive(Debug)]
pub(super) struct TextReader {
    scanner: Option<Scanner>,
    /// None: what prompts cannot tell of is not called.
    names: ToolNames,
    answer: AnswerReader,
}

/// State of the part that is no reasoning.
#[derive(Debug)]
struct AnswerReader {
    lead: Lead,
    cutter: StopCutter,
}

impl TextRules {
    /// The same with what the model writes beside the answer.
    pub(in crate::bedrock) fn marked_up(self, target: &Target<'_>, start: Start) -> Self {
        Self {
            markup: Markup::of(target).map(|markup| (markup, start)),
            ..self
        }
    }

    /// The rules for an answer that a template brings about: one that continues the assistant's
    /// words keeps even its first space.
    pub(in crate::bedrock) fn behind(conversation: &Conversation<'_>, lead: Lead) -> Self {
        Self {
            lead: if conversation.ends_with_assistant() {
                Lead::Kept
            } else {
                lead
            },
            ..Self::default()
        }
    }
}

impl TextReader {
    pub(super) fn new(rules: TextRules) -> Self {
        Self {
            scanner: rules
                .markup
                .map(|(markup, start)| Scanner::new(markup.into(), start, false)),
            names: ToolNames::default(),
            answer: AnswerReader {
                lead: rules.lead,
                cutter: StopCutter::new(rules.stops),
            },
        }
    }

    /// Reads everything as the answer, for texts that are not the model's.
    pub(super) fn expect_no_reasoning(&mut self) {
        self.scanner = None;
    }

    /// The stop text that the answer ended at, if it did.
    pub(super) fn stop_sequence(&self) -> Option<&str> {
        self.answer.cutter.reached()
    }

    /// Takes the next text and gives away what can be told of it.
    pub(super) fn push(&mut self, text: &str, sink: &mut dyn FnMut(Piece<'_>)) {
        let answer = &mut self.answer;
        match &mut self.scanner {
            Some(scanner) => {
                scanner.push(text, &self.names, &mut |piece| answer.take(piece, sink));
            }
            None => answer.take(Piece::Answer(text), sink),
        }
    }

    /// Takes the end of the text and gives away what was held back.
    pub(super) fn finish(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        let answer = &mut self.answer;
        if let Some(scanner) = &mut self.scanner {
            scanner.finish(false, &self.names, &mut |piece| answer.take(piece, sink));
        }
        answer.cutter.finish(&mut |text| sink(Piece::Answer(text)));
    }
}

impl AnswerReader {
    fn take(&mut self, piece: Piece<'_>, sink: &mut dyn FnMut(Piece<'_>)) {
        let Piece::Answer(text) = piece else {
            return sink(piece);
        };
        let text = match self.lead {
            Lead::Kept => text,
            Lead::LineBreaks => text.trim_start_matches(['\n', '\r']),
            Lead::WhiteSpace => text.trim_start(),
        };
        if !text.is_empty() {
            self.lead = Lead::Kept;
            self.cutter
                .push(text, &mut |text| sink(Piece::Answer(text)));
        }
    }
}
