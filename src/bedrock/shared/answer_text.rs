//! Reads the text that follows a prompt.

mod stop;

pub(in crate::bedrock) use stop::StopCutter;

use crate::bedrock::Target;
use crate::bedrock::shared::conversation::Conversation;
use crate::bedrock::shared::end_reason::{Called, CutAt};
use crate::bedrock::shared::markup::{Markup, Piece, Scanner, Start};
use crate::bedrock::shared::tool_names::ToolNames;

/// How the text of an answer is read.
#[derive(Clone, Debug, Default)]
pub(in crate::bedrock) struct TextRules {
    /// What at its start belongs to the template, not to the answer.
    pub(in crate::bedrock) lead: Lead,
    /// What the model writes besides the answer, and what it begins with.
    pub(in crate::bedrock) markup: Option<(&'static Markup, Start)>,
    /// Texts that end it, if the model does not stop there itself.
    pub(in crate::bedrock) stops: Vec<String>,
    /// The one of these that begins the next turn, and is not the client's.
    pub(in crate::bedrock) label: Option<&'static str>,
}

/// White space at the start of an answer that is due to the template.
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
pub(in crate::bedrock) struct TextReader {
    scanner: Option<Scanner>,
    /// Empty: without tools in the prompt, none can be called.
    names: ToolNames,
    answer: AnswerReader,
    label: Option<&'static str>,
}

/// State of the part that is not reasoning.
#[derive(Debug)]
struct AnswerReader {
    lead: Lead,
    cutter: StopCutter,
}

impl TextRules {
    /// The same with what the model writes besides the answer.
    pub(in crate::bedrock) fn marked_up(self, target: &Target<'_>, start: Start) -> Self {
        Self {
            markup: Markup::of(target).map(|markup| (markup, start)),
            ..self
        }
    }

    /// The rules for an answer to a template: one that continues the assistant's text keeps even its first space.
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
    pub(in crate::bedrock) fn new(rules: TextRules) -> Self {
        let names = ToolNames::default();
        Self {
            scanner: rules
                .markup
                .map(|(markup, start)| Scanner::new(markup.into(), start, &names)),
            names,
            answer: AnswerReader {
                lead: rules.lead,
                cutter: StopCutter::new(rules.stops),
            },
            label: rules.label,
        }
    }

    /// Reads everything as the answer, for texts that are not the model's.
    pub(in crate::bedrock) fn expect_no_reasoning(&mut self) {
        self.scanner = None;
    }

    /// Where the answer ended, if it was cut.
    pub(in crate::bedrock) fn cut_at(&self) -> Option<CutAt<'_>> {
        let text = self.answer.cutter.reached()?;
        Some(if self.label == Some(text) {
            CutAt::Label
        } else {
            CutAt::StopText(text)
        })
    }

    /// Takes the next text and passes on what is certain.
    pub(in crate::bedrock) fn push(&mut self, text: &str, sink: &mut dyn FnMut(Piece<'_>)) {
        let answer = &mut self.answer;
        match &mut self.scanner {
            Some(scanner) => {
                scanner.push(text, &self.names, &mut |piece| answer.take(piece, sink));
            }
            None => answer.take(Piece::Answer(text), sink),
        }
    }

    /// Takes the end of the text and passes on what was held back.
    pub(in crate::bedrock) fn finish(&mut self, sink: &mut dyn FnMut(Piece<'_>)) {
        let answer = &mut self.answer;
        if let Some(scanner) = &mut self.scanner {
            scanner.finish(Called::Nothing, &self.names, &mut |piece| {
                answer.take(piece, sink)
            });
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
