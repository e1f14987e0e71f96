//! The conversation: who said what, and where in the client's request.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::Text;

/// One message.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub blocks: Vec<Block<'a>>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions.
    System,
    /// The person, and the tools that were called.
    User,
    /// The model.
    Assistant,
}

/// One block of a message.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// Its content.
    pub content: BlockContent<'a>,
    /// Ends a prefix of the request that the model may cache.
    pub cache: Option<CacheControl>,
    /// Where it is in the client's request.
    pub at: At,
}

/// The content of a block.
#[derive(Clone, Debug)]
pub enum BlockContent<'a> {
    /// Text.
    Text(Text<'a>),
    /// An image.
    Image(Source<'a>),
    /// A file.
    Document(Document<'a>),
    /// A tool call of an earlier turn.
    ToolUse(ToolUse<'a>),
    /// The result of a tool call.
    ToolResult(ToolResult<'a>),
    /// What the model thought before it answered.
    Thinking {
        /// The thought; may be empty where only the signature matters.
        text: Text<'a>,
        /// Proves that the model thought it; empty where there is no proof.
        signature: Text<'a>,
    },
    /// An encrypted thought.
    RedactedThinking {
        /// The thought, encrypted.
        data: Text<'a>,
    },
    /// A thought as a [`Sealer`](super::Sealer) gave it, which is opened before a dialect sees it.
    SealedThinking {
        /// The sealed text, or whatever the client has made of it.
        sealed: Text<'a>,
    },
}

/// Where the bytes of an image or a file are.
#[derive(Clone, Debug)]
pub enum Source<'a> {
    /// A data URI, or any other URI, which Bedrock does not fetch; for a file, it may be bare base64.
    Uri(Text<'a>),
    /// Base64.
    Base64 {
        /// The media type according to the client.
        media_type: Text<'a>,
        /// The data.
        data: Text<'a>,
    },
}

/// A file.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// Its name.
    pub name: Option<Text<'a>>,
    /// What the model is to know about it; never blank.
    pub context: Option<Text<'a>>,
    /// Its bytes.
    pub source: Source<'a>,
}

/// A tool call of an earlier turn.
#[derive(Clone, Debug)]
pub struct ToolUse<'a> {
    /// Ties the call to its result.
    pub id: Text<'a>,
    /// Name of the tool.
    pub name: Text<'a>,
    /// A JSON object.
    pub input: Cow<'a, RawValue>,
}

/// The result of a tool call.
#[derive(Clone, Debug)]
pub struct ToolResult<'a> {
    /// The call's id.
    pub id: Text<'a>,
    /// Texts, images and files.
    pub content: Vec<Block<'a>>,
    /// Whether the tool failed.
    pub is_error: bool,
}

/// Marks the end of a prefix that the model may cache.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheControl {
    /// How long the prefix is kept.
    pub ttl: CacheTtl,
}

/// How long a cached prefix is kept, shortest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheTtl {
    /// As long as the model does by default, five minutes today.
    Default,
    /// One hour, or as long as the model can.
    Hour,
}

/// Where in the client's request a block is. The protocol that read the request makes a path of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// The message, counted from 0.
    pub message: usize,
    /// Its part.
    pub part: Part,
}

/// A part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The message itself.
    Whole,
    /// A part of its content, counted from 0.
    Content(usize),
    /// A part inside a part of its content.
    Nested(usize, usize),
    /// A tool call beside its content.
    Call(usize),
}

/// Which part of a block is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// All of it.
    Whole,
    /// Its kind.
    Kind,
    /// The bytes of an image.
    Image,
    /// A file.
    File,
    /// The bytes of a file.
    FileData,
}

impl<'a> Block<'a> {
    /// Calls `each` with every text that may be long: texts, images and files.
    pub(super) fn each_text<'b>(&'b self, each: &mut dyn FnMut(&'b Text<'a>)) {
        match &self.content {
            BlockContent::Text(text) => each(text),
            BlockContent::Image(source) => each(source.text()),
            BlockContent::Document(document) => each(document.source.text()),
            BlockContent::ToolResult(result) => {
                for block in &result.content {
                    block.each_text(each);
                }
            }
            BlockContent::ToolUse(_)
            | BlockContent::Thinking { .. }
            | BlockContent::RedactedThinking { .. }
            | BlockContent::SealedThinking { .. } => {}
        }
    }
}

impl<'a> Source<'a> {
    /// The text that contains the data.
    fn text(&self) -> &Text<'a> {
        match self {
            Self::Uri(text) | Self::Base64 { data: text, .. } => text,
        }
    }
}
