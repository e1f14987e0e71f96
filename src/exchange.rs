//! One HTTP exchange as a state machine without IO.
//!
//! The host layer tells an [`Exchange`] what arrived and carries out the [`Step`] it returns. Bodies
//! are read through a callback, so that they are copied out of Envoy only when they are needed.

mod answer;
mod arrival;
mod attempt;
mod body;
mod caller;
mod cors;
mod figures;
mod head;
mod health;
mod life;
mod limits;
mod listener;
mod measure;
mod opening;
mod outcome;
mod paths;
mod placeholder;
mod report;
mod request;
mod response;
mod steps;
mod usage;

pub use crate::telemetry::{End, Outcome};
pub use body::Body;
pub use health::Recall;
pub use life::LetGo;

use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderName, HeaderValue, StatusCode};

use crate::bedrock::ResponseStream;
use crate::call::{Call, Headers};
use crate::callers::Caller;
use crate::chat::{Clock, Error};
use crate::failover::{BegunAnswer, ChannelPicker, Client, RetryableRequest};
use crate::limits::Tally;
use crate::protocol::{Protocol, Said, openai_chat};
use crate::routes::Routes;
use crate::telemetry::Shared;
pub use arrival::Arrival;
use arrival::Held;
use attempt::Attempt;
use head::{Head, To};
use life::Life;
use limits::Limited;
use measure::Measure;
use opening::Opening;
use report::Account;

/// What Envoy has to do next.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Let what arrived pass, unchanged.
    Pass,
    /// Hold back what arrived until there is more.
    Wait,
    /// Let what arrived pass with these changes.
    Edit(Edit),
    /// Change what arrived, and hold it back until more is there or a tick lets go of it.
    Hold(Edit),
    /// Change what arrived, let go of it as a tick does, and hold back what comes next.
    Release(Edit),
    /// Answer the client; nothing goes upstream.
    Reply(Reply),
}

/// Changes to the message that is passing through.
#[derive(Debug, Default, PartialEq)]
pub struct Edit {
    /// The whole new header map, pseudo-headers included; `None` keeps the old one.
    pub headers: Option<Headers>,
    /// The bytes in place of those that arrived; `None` keeps them.
    pub body: Option<Body>,
}

/// An answer of the filter's own.
#[derive(Debug, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers besides `content-type`, which is JSON's if there is a body, and `content-length`, which Envoy adds.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// JSON.
    pub body: Vec<u8>,
}

/// Reads the bytes that Envoy holds.
pub type ReadBody<'r> = &'r mut dyn FnMut() -> Vec<u8>;

/// One exchange, from the first request header to the last byte of the answer.
pub struct Exchange {
    routes: Arc<Routes>,
    /// What the client speaks, according to the path.
    protocol: &'static dyn Protocol,
    /// Who asks, if that is known.
    caller: Option<Arc<Caller>>,
    /// What would become of the request if every client needed a key; empty where nobody looks.
    foreseen: &'static str,
    /// Who would be served then.
    foreseen_for: Option<Arc<Caller>>,
    /// The identities by which Envoy knows the client.
    known: Vec<String>,
    /// The time of the latest callback that needed it.
    now: Option<SystemTime>,
    /// What the request says outside its body.
    said: Said,
    /// Whether the id in it is not quite the one that arrived.
    is_id_mended: bool,
    /// How long the request is, where that is known and may be needed.
    measure: Option<Measure>,
    phase: Phase,
    stage: Stage,
    /// Whether the client of a stream needs a sign of life.
    life: Life,
    /// The outcome of the latest call.
    outcome: Shared,
    account: Account,
    /// The origin of the page that asks, if it may read the answer.
    page: Option<HeaderValue>,
    /// What counts against the caller's limits.
    limited: Option<Box<Limited>>,
    /// Where to say what the exchange has used, if its caller has limits.
    tally: Option<Rc<Tally>>,
    /// What the prompt has at least, in tokens, if what requests use is recorded: most models tell only at the end of an
    /// answer.
    prompt: u64,
    /// Whether [`Self::take_seen`] has returned the outcome.
    is_told: bool,
    /// Tells the time to answers that say when they ended.
    clock: Option<Clock>,
}

/// Where an exchange runs.
enum Stage {
    /// On a listener, from where calls go straight to Bedrock. Also on a cluster, once the attempt is settled.
    Single,
    /// On a listener whose clusters have the filter too.
    Listener {
        picker: Rc<ChannelPicker>,
        /// Whose request it is.
        client: Client,
    },
    /// On a cluster: it is one attempt.
    Cluster(Attempt),
    /// On either of the two, once the answer of an attempt has begun.
    Answering(Rc<BegunAnswer>),
}

/// Where an exchange stands; each phase carries what it needs.
enum Phase {
    /// Nothing arrived yet.
    Head,
    /// A chat request whose body is awaited.
    RequestBody {
        /// Headers that stay on the call.
        kept: Headers,
    },
    /// The client asks how the channels are doing, or how they are with a model.
    Health {
        /// The model.
        model: Option<String>,
    },
    /// The caller asks what it has used.
    Figures,
    /// The call is on its way to Bedrock.
    Upstream(Call),
    /// The request is tried on one channel after the other.
    Attempted(Rc<RetryableRequest>),
    /// An error of the last attempt is held back until it is whole.
    AttemptedError(Rc<RetryableRequest>, Head),
    /// The refusal of an attempt is held back until it is whole, because another may follow.
    Refusal(Head),
    /// An answer is held back until it is whole.
    WholeAnswer(Option<Call>, Head),
    /// A streamed answer is held back until its first frame is whole.
    FirstFrame(Call, Head),
    /// A streamed answer of an attempt is held back until it says something.
    Opening(Box<Opening>),
    /// A streamed answer passes through.
    Stream(Box<ResponseStream>),
    /// Nothing is left to do.
    Done,
}

impl Exchange {
    /// An exchange that is served by this configuration to its end, even if a newer one arrives.
    #[must_use]
    pub fn new(routes: Arc<Routes>) -> Self {
        Self {
            routes,
            protocol: &openai_chat::Chat,
            caller: None,
            foreseen: "",
            foreseen_for: None,
            known: Vec::new(),
            now: None,
            said: Said::default(),
            is_id_mended: false,
            measure: None,
            phase: Phase::Head,
            stage: Stage::Single,
            life: Life::default(),
            outcome: Shared::default(),
            account: Account::default(),
            page: None,
            limited: None,
            tally: None,
            prompt: 0,
            is_told: false,
            clock: None,
        }
    }

    /// An exchange on a listener, with failover if that is configured: then the clusters have the filter too.
    #[must_use]
    pub fn on_listener(routes: Arc<Routes>, picker: &Rc<ChannelPicker>) -> Self {
        let stage = match routes.failover() {
            Some(_) => Stage::Listener {
                picker: Rc::clone(picker),
                client: Client::default(),
            },
            None => Stage::Single,
        };
        Self {
            stage,
            ..Self::new(routes)
        }
    }

    /// Gives it a clock. Without one, no answer says when it ended.
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = Some(clock);
    }

    /// Whether the rest of the exchange passes unchanged, so that nothing needs to be read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// Says whose request it is, if it may be tried several times: each client has its share of memory.
    pub fn set_client(&mut self, name: impl FnOnce() -> Client) {
        if let Stage::Listener { client, .. } = &mut self.stage
            && matches!(self.phase, Phase::RequestBody { .. })
        {
            *client = name();
        }
    }

    /// The request that every attempt has to find, while it is being tried.
    #[must_use]
    pub fn retryable(&self) -> Option<&Rc<RetryableRequest>> {
        match &self.phase {
            Phase::Attempted(request) => Some(request),
            _ => None,
        }
    }

    /// The attempt that this exchange is, until it is settled.
    fn own_attempt(&self) -> Option<&Attempt> {
        match &self.stage {
            Stage::Cluster(attempt) => Some(attempt),
            Stage::Single | Stage::Listener { .. } | Stage::Answering(_) => None,
        }
    }

    /// The same, to settle it.
    fn take_attempt(&mut self) -> Option<Attempt> {
        match std::mem::replace(&mut self.stage, Stage::Single) {
            Stage::Cluster(attempt) => Some(attempt),
            other => {
                self.stage = other;
                None
            }
        }
    }

    /// The id that has to take the place of the one that the request came with, if that was not fit for logs and headers.
    #[must_use]
    pub fn mended_id(&self) -> Option<&str> {
        self.said.id.as_deref().filter(|_| self.is_id_mended)
    }

    /// The id under which the client is to be answered, while it awaits an answer and if its protocol puts one into
    /// errors: those that Envoy writes behind the filter's back need it, and take its protocol's shape by it.
    #[must_use]
    pub fn reply_id(&self) -> Option<String> {
        let (_, prefix) = self.protocol.id_header().filter(|_| !self.is_done())?;
        Some([prefix, self.said.id.as_deref().unwrap_or("unknown")].concat())
    }

    /// Ends the exchange with a 503: the gateway cannot serve the request right now.
    #[must_use]
    pub fn unavailable(&mut self) -> Reply {
        self.phase = Phase::Done;
        let message = "The gateway cannot serve the request right now; please retry.";
        let error = Error::server(
            StatusCode::SERVICE_UNAVAILABLE,
            "service_unavailable",
            message,
        );
        self.account.refuse(&error);
        Reply::error(self.protocol, &error, self.said.id.as_deref())
    }

    /// Who the answer is for.
    fn to(&self) -> To<'_> {
        To {
            protocol: self.protocol,
            request_id: self.said.id.as_deref(),
        }
    }

    fn take_phase(&mut self) -> Phase {
        std::mem::replace(&mut self.phase, Phase::Done)
    }

    fn reply(&mut self, error: &Error) -> Step {
        // Envoy shows the filter its own reply too; it must pass unchanged.
        self.phase = Phase::Done;
        self.account.refuse(error);
        if let Some(step) = self.reply_estimate(error) {
            return step;
        }
        self.note_end(|| End::Failed(error.clone()));
        Step::Reply(Reply::error(self.protocol, error, self.said.id.as_deref()))
    }
}

impl Edit {
    fn pass_to(headers: Headers, body: Vec<u8>) -> Step {
        Step::Edit(Self {
            headers: Some(headers),
            body: Some(body.into()),
        })
    }
}

impl Reply {
    fn error(protocol: &dyn Protocol, error: &Error, id: Option<&str>) -> Self {
        let mut headers = Headers::of_error(error);
        headers.extend(&protocol.error_headers(error));
        headers.add_id(protocol.id_header(), id);
        Self {
            status: protocol.error_status(error),
            headers: headers.fields(),
            body: protocol.error_body(error, id),
        }
    }
}
