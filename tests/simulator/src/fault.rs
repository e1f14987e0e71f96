//! Injected faults: what goes wrong, for which request, how often.

mod queue;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

pub(crate) use self::queue::{FaultQueue, Subject};

/// One injected fault.
///
/// Faults wait in a queue. A request that passed authentication and validation takes the
/// first one whose [`When`] matches; a refused request takes none, so a fault never hides
/// a bad request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens instead of, or to, the answer.
    #[serde(default)]
    pub effect: Effect,
    /// Which requests it applies to; all by default.
    #[serde(default)]
    pub when: When,
    /// How the bytes leave; at once by default.
    #[serde(default)]
    pub pace: Pace,
    /// Headers in addition to those of the answer.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How many requests it applies to; 1 by default.
    #[serde(default = "once")]
    pub times: u32,
    /// Applies to every n-th of the requests that fit; to each by default.
    #[serde(default = "once")]
    pub every: u32,
}

/// What happens to the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Nothing: the normal answer, perhaps at another pace.
    #[default]
    None,
    /// An HTTP error in Bedrock's shape.
    Error {
        /// HTTP status.
        status: u16,
        /// Exception name, such as `ThrottlingException`.
        name: String,
        /// The `message` of the body.
        message: String,
        /// Extra headers, such as `retry-after`.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// Any answer at all: HTML from a front door, an empty body, a wrong type.
    Raw {
        /// HTTP status.
        status: u16,
        /// Headers of the answer.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Body of the answer.
        #[serde(default)]
        body: String,
    },
    /// Any answer at all, with a body that is not text, such as a recorded event stream.
    Bytes {
        /// HTTP status.
        status: u16,
        /// Headers of the answer.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// Body of the answer, in standard base64.
        body: String,
    },
    /// HTTP 200 with `UnknownOperationException` inside.
    UnknownOperation,
    /// The connection closes without an answer.
    Close,
    /// The stream ends with an exception frame.
    Exception {
        /// Events that are sent before it.
        after_events: usize,
        /// Name in lower camel case, such as `throttlingException`.
        name: String,
        /// The `message` of the payload.
        message: String,
    },
    /// The stream ends cleanly but too early.
    Truncate {
        /// Events that are sent.
        after_events: usize,
    },
    /// The connection is cut in the middle of a frame (streams) or of the body.
    Cut {
        /// Whole events that are sent before the half one.
        after_events: usize,
    },
    /// The checksum of one frame is wrong.
    CorruptFrame {
        /// Index of the event in the frame.
        event: usize,
    },
    /// A guardrail blocked the answer.
    GuardrailIntervened {
        /// The text that replaces the answer.
        message: String,
    },
    /// The prompt was served from, and written to, the prompt cache.
    CachedTokens {
        /// `cache_read_input_tokens`.
        read: u64,
        /// `cache_creation_input_tokens`.
        write: u64,
    },
}

/// Which requests a fault applies to. Absent fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Text contained in the model id or ARN as it was sent, decoded.
    #[serde(default)]
    pub model: Option<String>,
    /// Only this operation.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// Only requests signed for this region.
    #[serde(default)]
    pub region: Option<String>,
    /// Only requests signed with this access key id.
    #[serde(default)]
    pub access_key_id: Option<String>,
}

/// How the bytes of an answer leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// Milliseconds before the response headers.
    #[serde(default)]
    pub before_headers_ms: u64,
    /// Milliseconds between two events of a stream.
    #[serde(default)]
    pub between_events_ms: u64,
    /// Events of a stream after which it stands still until [`Simulator::release`](crate::Simulator::release); 0 for
    /// never.
    #[serde(default)]
    pub hold_after_events: usize,
    /// Bytes per piece, regardless of frames; 0 leaves frames whole.
    #[serde(default)]
    pub piece_bytes: usize,
}

/// An operation of Bedrock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `InvokeModel`.
    Invoke,
    /// `InvokeModelWithResponseStream`.
    InvokeStream,
    /// `Converse`.
    Converse,
    /// `ConverseStream`.
    ConverseStream,
    /// The control plane's `ListFoundationModels`.
    ListFoundationModels,
    /// The control plane's `ListInferenceProfiles`.
    ListInferenceProfiles,
    /// The control plane's `GetInferenceProfile`.
    GetInferenceProfile,
    /// `CountTokens`.
    CountTokens,
}

impl Operation {
    /// Whether the answer is an event stream.
    pub(crate) fn streams(self) -> bool {
        matches!(self, Self::InvokeStream | Self::ConverseStream)
    }

    /// Whether it is one of the two Converse operations.
    pub(crate) fn converses(self) -> bool {
        matches!(self, Self::Converse | Self::ConverseStream)
    }
}

impl Fault {
    /// Any effect, once, for the next request.
    #[must_use]
    pub fn new(effect: Effect) -> Self {
        Self {
            effect,
            when: When::default(),
            pace: Pace::default(),
            headers: BTreeMap::new(),
            times: once(),
            every: once(),
        }
    }

    /// An HTTP error in Bedrock's shape.
    #[must_use]
    pub fn error(status: u16, name: &str, message: &str) -> Self {
        Self::new(Effect::Error {
            status,
            name: name.to_owned(),
            message: message.to_owned(),
            headers: BTreeMap::new(),
        })
    }

    /// 429 `ThrottlingException`.
    #[must_use]
    pub fn throttling() -> Self {
        let message = "Too many requests, please wait before trying again.";
        Self::error(429, "ThrottlingException", message)
    }

    /// An answer that is not Bedrock's, with its content type.
    #[must_use]
    pub fn raw(status: u16, content_type: &str, body: &str) -> Self {
        Self::new(Effect::Raw {
            status,
            headers: BTreeMap::from([("content-type".to_owned(), content_type.to_owned())]),
            body: body.to_owned(),
        })
    }

    /// An answer that is not text, with its content type.
    #[must_use]
    pub fn bytes(status: u16, content_type: &str, body: &[u8]) -> Self {
        Self::new(Effect::Bytes {
            status,
            headers: BTreeMap::from([("content-type".to_owned(), content_type.to_owned())]),
            body: STANDARD.encode(body),
        })
    }

    /// A status without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self::new(Effect::Raw {
            status,
            headers: BTreeMap::new(),
            body: String::new(),
        })
    }

    /// An exception frame after some events.
    #[must_use]
    pub fn exception(after_events: usize, name: &str, message: &str) -> Self {
        Self::new(Effect::Exception {
            after_events,
            name: name.to_owned(),
            message: message.to_owned(),
        })
    }

    /// Changes only the pace.
    #[must_use]
    pub fn paced(pace: Pace) -> Self {
        Self::new(Effect::None).with_pace(pace)
    }

    /// Holds a stream after some events, at least one, until the simulator releases it.
    #[must_use]
    pub fn held(after_events: usize) -> Self {
        Self::paced(Pace {
            hold_after_events: after_events,
            ..Pace::default()
        })
    }

    /// Adds a header to the answer, if there is one.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets the pace.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Limits it to some requests.
    #[must_use]
    pub fn only(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// Applies it to every `n`-th of the requests that fit.
    #[must_use]
    pub fn every(mut self, n: u32) -> Self {
        self.every = n.max(1);
        self
    }

    /// Repeats it.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }
}

fn once() -> u32 {
    1
}

impl Effect {
    /// The name used in [`crate::Verdict::Faulted`].
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Error { .. } => "error",
            Self::Raw { .. } => "raw",
            Self::Bytes { .. } => "bytes",
            Self::UnknownOperation => "unknown_operation",
            Self::Close => "close",
            Self::Exception { .. } => "exception",
            Self::Truncate { .. } => "truncate",
            Self::Cut { .. } => "cut",
            Self::CorruptFrame { .. } => "corrupt_frame",
            Self::GuardrailIntervened { .. } => "guardrail_intervened",
            Self::CachedTokens { .. } => "cached_tokens",
        }
    }
}
