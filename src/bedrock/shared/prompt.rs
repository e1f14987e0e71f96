//! Shared by the families whose models take a prompt: one text that ends where the model is to continue.
//!
//! [`Template`] writes a conversation as such a text; [`decode`] and [`Decoder`] read what the model wrote after it.
//! A family has its own template, its own body and a function that reads its answers.

mod answer;
mod control;

#[cfg(test)]
pub(in crate::bedrock) mod testing;

pub(in crate::bedrock) use super::answer_text::{Lead, TextRules};
pub(in crate::bedrock) use answer::{Decoder, GeneratedText, decode};
pub(in crate::bedrock) use control::Control;

use serde::Serialize;

use crate::bedrock::shared::conversation::{Accepts, Conversation, Speaker, build};
use crate::bedrock::shared::document::Documents;
use crate::bedrock::shared::structured::instruct_to_keep_shape;
use crate::bedrock::{Answer, EncodedRequest, Operation, Target};
use crate::chat::{Error, Request};

/// How a conversation is written as one text.
#[derive(Debug)]
pub(in crate::bedrock) struct Template {
    /// Comes before everything else.
    pub(in crate::bedrock) begin: &'static str,
    /// Where the instructions are.
    pub(in crate::bedrock) system: System,
    /// What comes before and after a user's text.
    pub(in crate::bedrock) user: [&'static str; 2],
    /// What comes before and after an assistant's text.
    pub(in crate::bedrock) assistant: [&'static str; 2],
    /// Comes at the end, where the answer begins.
    pub(in crate::bedrock) answer: &'static str,
    /// Marks an image, before the user's text.
    pub(in crate::bedrock) image: &'static str,
    /// What no text may contain.
    pub(in crate::bedrock) control: Control,
}

/// Where the instructions are, with what comes before and after them.
#[derive(Clone, Copy, Debug)]
pub(in crate::bedrock) enum System {
    /// Before the first turn.
    Own([&'static str; 2]),
    /// At the start of the first user's text.
    InUser([&'static str; 2]),
}

impl Template {
    /// The prompt for a conversation.
    ///
    /// If it ends with the assistant, the prompt ends in the assistant's text, so that the model continues it.
    pub(in crate::bedrock) fn render(&self, conversation: &Conversation<'_>) -> String {
        let mut prompt = self.begin.to_owned();
        let system = conversation.system_text();
        let mut instructions = system.map_or_else(String::new, |text| {
            let (System::Own([before, after]) | System::InUser([before, after])) = self.system;
            [before, &self.control.clean(&text), after].concat()
        });
        if matches!(self.system, System::Own(_)) {
            prompt.push_str(&std::mem::take(&mut instructions));
        }
        for turn in &conversation.turns {
            let text = turn.text();
            let text = self.control.clean(&text);
            let ([before, after], images) = match turn.speaker {
                Speaker::User => (self.user, turn.images().count()),
                Speaker::Assistant => (self.assistant, 0),
            };
            prompt.push_str(before);
            prompt.push_str(&self.image.repeat(images));
            prompt.push_str(&std::mem::take(&mut instructions));
            prompt.push_str(&text);
            prompt.push_str(after);
        }
        if conversation.ends_with_assistant() {
            let [_, after] = self.assistant;
            prompt.truncate(prompt.len() - after.len());
        } else {
            prompt.push_str(self.answer);
        }
        prompt
    }
}

/// The conversation as far as a prompt can express it: texts, and images if the model reads them. An
/// instruction asks for the shape of the answer: a prompt has no other means.
///
/// # Errors
///
/// A 400 that names what the model cannot be told.
pub(in crate::bedrock) fn conversation<'a>(
    request: &'a Request<'_>,
    images: Images,
) -> Result<Conversation<'a>, Error> {
    let accepts = Accepts {
        images: images == Images::Read,
        documents: Documents::None,
        tools: false,
        rich_results: false,
        failures: false,
        thinking: false,
        closing_system: false,
    };
    let mut conversation = build(request, accepts)?;
    instruct_to_keep_shape(request, &mut conversation)?;
    Ok(conversation)
}

/// Whether a model reads images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum Images {
    /// It reads them.
    Read,
    /// It does not.
    Refused,
}

/// The longest answer that a body asks for, in tokens.
#[derive(Clone, Copy, Debug)]
pub(in crate::bedrock) struct Limits {
    /// If the client sets no limit. Models have defaults of their own, but those are so low that answers end
    /// half-way.
    pub(in crate::bedrock) default: u32,
    /// Highest limit that the family's bodies take.
    pub(in crate::bedrock) most: u32,
}

impl Limits {
    /// The client's limit, but never more than the model's: asking for more is an error at Bedrock and means "as much
    /// as you can" everywhere else.
    pub(in crate::bedrock) fn max_tokens(self, request: &Request<'_>, target: &Target<'_>) -> u32 {
        let own = target.model.and_then(|model| model.max_output);
        let most = own.map_or(self.most, |own| own.min(self.most));
        request.max_output.unwrap_or(self.default).min(most)
    }
}

/// The client's temperature for models whose highest is 1; clients may send up to 2.
pub(in crate::bedrock) fn temperature(request: &Request<'_>) -> Option<f64> {
    request
        .sampling
        .temperature
        .map(|temperature| temperature.min(1.0))
}

/// The client's stop texts; empty ones stop nothing.
pub(in crate::bedrock) fn stops<'a>(request: &'a Request<'_>) -> Vec<&'a str> {
    let stops = request.stop.iter().map(|stop| &**stop);
    stops.filter(|stop| !stop.is_empty()).collect()
}

/// The upstream request with this body.
///
/// # Errors
///
/// Never for the bodies of this crate: they always serialise.
pub(in crate::bedrock) fn encoded(
    request: &Request<'_>,
    body: &impl Serialize,
    text: TextRules,
) -> Result<EncodedRequest, Error> {
    EncodedRequest::new(
        request,
        Operation::invoke(request),
        body,
        Answer {
            text,
            ..Answer::default()
        },
    )
}
