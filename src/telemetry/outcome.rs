//! The outcome of a request's calls.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use crate::callers::Caller;
use crate::chat::{Error, FinishReason, Usage};

/// The outcome of a request's latest call, shared by all its attempts.
pub type Shared = Rc<RefCell<Option<Outcome>>>;

/// The outcome of one call of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Name of the channel.
    pub channel: String,
    /// Name of the model, as the client asked for it.
    pub model: String,
    /// The caller, if it is known.
    pub caller: Option<Arc<Caller>>,
    /// The model that it has chosen, if that is a name that chooses.
    pub chosen: Option<String>,
    /// What was called: the id of a model or of a profile, the last segment of an ARN.
    pub profile: String,
    /// The id of the base model behind it, if the catalogue knows it.
    pub base_model: Option<&'static str>,
    /// The service tier that Bedrock says it used, else the one that the client wants.
    pub tier: Option<Cow<'static, str>>,
    /// Which attempt of the request it was, counted from 1.
    pub attempt: usize,
    /// When it was sent.
    pub started: SystemTime,
    /// Whether a streamed answer has had any content yet.
    pub speech: Speech,
    /// An estimate of what a streamed answer has used so far, if what requests use is recorded.
    pub so_far: Option<Usage>,
    /// How it ended; `None` until then.
    pub end: Option<End>,
}

/// Whether a streamed answer has had any content yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speech {
    /// It has not, or the answer is not a stream.
    #[default]
    Silent,
    /// It just has; the time is not known yet.
    Begun,
    /// It has, and this is when the content began.
    Since(SystemTime),
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// With an answer.
    Answered {
        /// Why the answer ended.
        reason: FinishReason,
        /// Its token counts.
        usage: Usage,
        /// The model's word for why, if its meaning is unknown.
        unknown_reason: Option<String>,
    },
    /// With an error instead, or in the middle of the answer.
    Failed(Error),
}
