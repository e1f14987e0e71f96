//! One HTTP exchange as a state machine without IO.
//!
//! The host layer tells an [`Exchange`] what arrived and carries out the [`Step`] it returns. Bodies
//! are read through a callback, so that they are copied out of Envoy only when they are needed.

mod attempt;
mod body;
mod head;
mod opening;
mod outcome;
mod relayed;
mod request;
mod response;
mod stand_in;

pub use body::Body;
pub use outcome::{End, Outcome};

use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, StatusCode};

use crate::bedrock::ResponseStream;
use crate::call::{Call, Headers};
use crate::chat::Error;
use crate::protocol::{Protocol, openai_chat};
use crate::relay::{Client, Dispatcher, Relay};
use crate::routes::Routes;
use attempt::Attempt;
use head::Head;
use opening::Opening;

/// What Envoy has to do next.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Go on with what arrived, unchanged.
    Pass,
    /// Hold back what arrived until more is there.
    Wait,
    /// Go on with these changes.
    Edit(Edit),
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
    /// Headers besides `content-type`, which is JSON's, and `content-length`, which Envoy adds.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// JSON.
    pub body: Vec<u8>,
}

/// Reads the bytes that Envoy holds.
pub type ReadBody<'r> = &'r mut dyn FnMut() -> Vec<u8>;

/// One exchange, from the first request header to the last byte of the answer.
pub struct Exchange {
    routes: Arc<Routes>,
    /// What the client speaks, as far as its path says.
    protocol: &'static dyn Protocol,
    phase: Phase,
    /// Where requests are relayed, on a listener whose filter stands on the clusters too.
    dispatcher: Option<Rc<Dispatcher>>,
    /// Whose request it is, where that is of interest.
    client: Client,
    /// What an exchange is an attempt of, on a cluster.
    attempt: Option<Attempt>,
    /// What became of the call.
    outcome: Option<Box<Outcome>>,
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
    /// The call is on its way to Bedrock.
    Upstream(Call),
    /// The request is tried on one channel after the other.
    Relayed(Rc<Relay>),
    /// An error of the last attempt is held back until it is whole.
    RelayedError(Rc<Relay>, Head),
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
            phase: Phase::Head,
            dispatcher: None,
            client: Client::default(),
            attempt: None,
            outcome: None,
        }
    }

    /// An exchange on a listener whose filter stands on the clusters too, if the configuration says
    /// that it does.
    #[must_use]
    pub fn on_listener(routes: Arc<Routes>, dispatcher: &Rc<Dispatcher>) -> Self {
        let relays = routes.failover().is_some();
        Self {
            dispatcher: relays.then(|| Rc::clone(dispatcher)),
            ..Self::new(routes)
        }
    }

    /// Whether the rest of the exchange passes unchanged, so that nothing needs to be read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// Tells a request that is to be relayed whose it is; what is held for others depends on it.
    pub fn set_client(&mut self, client: impl FnOnce() -> Client) {
        if self.dispatcher.is_some() && matches!(self.phase, Phase::RequestBody { .. }) {
            self.client = client();
        }
    }

    /// What every attempt of this request has to find, while the request is being tried.
    #[must_use]
    pub fn relay(&self) -> Option<&Rc<Relay>> {
        match &self.phase {
            Phase::Relayed(relay) => Some(relay),
            _ => None,
        }
    }

    fn take_phase(&mut self) -> Phase {
        std::mem::replace(&mut self.phase, Phase::Done)
    }

    fn reply(&mut self, error: &Error) -> Step {
        // Envoy shows the filter its own reply too; it must pass unchanged.
        self.phase = Phase::Done;
        self.note_end(|| End::Failed(error.clone()));
        Step::Reply(Reply::error(self.protocol, error))
    }
}

impl Edit {
    fn pass_to(headers: Headers, body: Vec<u8>) -> Step {
        Step::Edit(Self {
            headers: Some(headers),
            body: Some(body.into()),
        })
    }

    fn body(body: Vec<u8>) -> Step {
        Step::Edit(Self {
            headers: None,
            body: Some(body.into()),
        })
    }
}

impl Reply {
    /// A 503: the gateway cannot serve right now.
    #[must_use]
    pub fn unavailable() -> Self {
        let message = "The gateway cannot serve the request right now, please retry.";
        let error = Error::server(
            StatusCode::SERVICE_UNAVAILABLE,
            "service_unavailable",
            message,
        );
        Self::error(&openai_chat::Chat, &error)
    }

    fn error(protocol: &dyn Protocol, error: &Error) -> Self {
        Self {
            status: error.status,
            headers: Headers::of_error(error).fields(),
            body: protocol.error_body(error),
        }
    }
}
