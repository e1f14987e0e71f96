//! A request in the form that Bedrock gets: translated, then signed.

mod choice;
mod headers;
mod left_out;
mod refusals;
mod rules;
mod tags;
mod thoughts;
mod timeout;

pub use choice::{Wish, chosen};
pub use headers::Headers;
pub(crate) use headers::REQUEST_ID;
pub(crate) use refusals::too_large;
pub(crate) use rules::read_request;
pub(crate) use tags::{Untagged, untag};
pub(crate) use thoughts::Thoughts;
pub(crate) use timeout::{add as add_timeout, add_to_only as add_only_timeout};

use std::borrow::Cow;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::bedrock::{self, Answer, Dialect, EncodedRequest, Operation, Options, Target};
use crate::catalog::{ModelFamily, Thinking};
use crate::chat::{self, Effort, Error, Request};
use crate::json::Pieces;
use crate::passthrough::{self, fits};
use crate::protocol::anthropic_messages::Asked;
use crate::protocol::{Counter, Parsed, Reply};
use crate::routes::{Route, Routes};
use crate::sign::Unsigned;
use refusals::refuse_unknown;
use timeout::response_timeout;

/// Header that names the Envoy cluster of a call, for a `cluster_header` route.
pub(crate) const CLUSTER_HEADER: &str = "x-bedrock-cluster";

/// About as many headers as a call has, with those that the exchange adds.
const MOST_HEADERS: usize = 16;

/// The part of a request that is needed to read its answer.
pub(crate) struct Call {
    /// Name of the channel, for the log.
    pub(crate) channel: String,
    pub(crate) model: String,
    /// What is called: the id of a model or of a profile, the last segment of an ARN.
    pub(crate) profile: String,
    /// The id of the base model behind it, if the catalogue knows it.
    pub(crate) base_model: Option<&'static str>,
    /// The service tier that the client wants.
    pub(crate) tier: Option<&'static str>,
    /// The family that the body was written for, if only the channel vouches for it.
    pub(crate) assumed_family: Option<ModelFamily>,
    pub(crate) operation: Operation,
    pub(crate) reading: Reading,
    /// Whether the model may think long, and unseen, before it says anything.
    pub(crate) may_think: bool,
    /// Seconds since the epoch.
    pub(crate) created: u64,
    /// The model that serves the request, by the name that another name has chosen.
    pub(crate) chosen: Option<String>,
    /// What was left out of the request, to tell the client.
    pub(crate) left_out: Option<String>,
    /// Most tokens that the model takes.
    pub(crate) context: Option<u32>,
}

/// How an answer becomes the client's.
pub(crate) enum Reading {
    /// From the model's words to the client's.
    Translated(Box<Translated>),
    /// The model's words are the client's.
    Native,
    /// It is a number of tokens, reported like this.
    Count(Counter),
}

/// Who reads an answer, and who writes it.
pub(crate) struct Translated {
    /// Seals the model's thoughts for clients that send them back.
    pub(crate) thoughts: Thoughts,
    /// Whether the model's thoughts come with a proof.
    pub(crate) proves_thoughts: bool,
    /// Whether the client wants a stream, whatever the model gives.
    pub(crate) streams: bool,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) answer: Answer,
    /// Writes the answer as the client wants it.
    pub(crate) reply: Rc<dyn Reply>,
}

/// A request translated for the model that is to serve it.
pub struct Prepared {
    wording: Wording,
    operation: Operation,
    body: Pieces,
    path: String,
    /// Headers that are signed with the request.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What cannot be expressed for the model, besides unknown parameters.
    left_out: Vec<String>,
    tier: Option<&'static str>,
}

/// Whose words a request is in.
enum Wording {
    Translated(&'static dyn Dialect, Box<Answer>, Thoughts),
    Native,
    Count(Counter),
}

impl Call {
    /// What the client is told of its request in the headers of the answer; once.
    pub(crate) fn take_notes(&mut self) -> Headers {
        let mut headers = Headers::default();
        headers.add_some(left_out::LEFT_OUT, self.left_out.take());
        headers.add_some(choice::SERVED, self.chosen.clone());
        headers
    }
}

/// Whether a model may think before its answer begins: because it is asked to, or unasked.
fn may_think(route: &Route<'_>, request: &Request<'_>) -> bool {
    let effort = request.reasoning.effort;
    let is_asked = request.reasoning.thinking.is_some() || effort.is_some();
    let is_told_not_to = effort == Some(Effort::None);
    match route.model.map(|model| model.thinking) {
        Some(Thinking::None) => false,
        Some(Thinking::Always) => true,
        Some(Thinking::Effort | Thinking::NestedEffort) => !is_told_not_to,
        _ => is_asked && !is_told_not_to,
    }
}

impl Prepared {
    /// Puts a request into the words of where it goes: as it is, if the model behind speaks the client's, else
    /// translated.
    ///
    /// # Errors
    ///
    /// When the request cannot be expressed for the model.
    pub fn new(routes: &Routes, route: &Route<'_>, parsed: &Parsed<'_>) -> Result<Self, Error> {
        refuse_unknown(route, &parsed.request)?;
        let prepared = match (parsed.counter, parsed.native.as_deref()) {
            (Some(counter), _) => count(routes, route, (parsed, counter))?,
            (None, Some(asked))
                if is_native(route) && fits(asked, &parsed.request, route.model) =>
            {
                native(routes, route, (parsed, asked))?
            }
            (None, Some(asked)) if is_native(route) => {
                let rules = routes.anthropic_rules();
                let request = passthrough::translate(asked, &parsed.request, rules)?;
                translated(routes, route, &request)?
            }
            _ => translated(routes, route, parsed.translated()?.as_ref())?,
        };
        let limit = routes.limits().max_request_bytes;
        // Envoy's buffer holds twice the limit, and overrunning it would end the VM.
        if prepared.body.len() > limit.saturating_mul(2) {
            return Err(too_large(limit));
        }
        Ok(prepared)
    }

    /// What is asked of Bedrock.
    pub(crate) fn operation(&self) -> Operation {
        self.operation
    }

    /// How long the request may take on a channel until its answer begins.
    pub(crate) fn timeout(&self, route: &Route<'_>, request: &Request<'_>) -> Duration {
        response_timeout(route, request, self.operation)
    }

    /// Signs the request, as late as possible: AWS accepts only signatures of the last few minutes.
    pub(crate) fn sign(
        self,
        route: &Route<'_>,
        parsed: &Parsed<'_>,
        now: SystemTime,
    ) -> Result<(Call, Headers, Pieces), Error> {
        let request = &parsed.request;
        let body: Vec<_> = self.body.slices(request.source).collect();
        let headers = self.signed_headers(route, &body, now)?;
        let unknown = request.unknown.iter().chain(&request.left_out);
        let unknown = unknown.map(|name| &**name);
        let left_out = unknown.chain(self.left_out.iter().map(String::as_str));
        let call = Call {
            channel: route.channel.channel.name.clone(),
            model: request.model.to_string(),
            profile: last_segment(&route.model_id).to_owned(),
            base_model: route.model.map(|model| model.id),
            tier: self.tier,
            assumed_family: route.is_opaque().then_some(route.family),
            operation: self.operation,
            reading: match self.wording {
                Wording::Translated(dialect, answer, thoughts) => {
                    let reply = Rc::clone(&parsed.reply);
                    Reading::Translated(Box::new(Translated {
                        thoughts,
                        proves_thoughts: route.model.is_some_and(|own| own.thinking.is_proved()),
                        streams: request.stream,
                        dialect,
                        answer: *answer,
                        reply,
                    }))
                }
                Wording::Native => Reading::Native,
                Wording::Count(counter) => Reading::Count(counter),
            },
            may_think: may_think(route, request),
            created: now
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            chosen: None,
            left_out: left_out::value(left_out),
            context: route.model.and_then(|model| model.context),
        };
        Ok((call, headers, self.body))
    }

    /// The whole header map of a call: none of the client's headers goes upstream.
    fn signed_headers(
        &self,
        route: &Route<'_>,
        body: &[&[u8]],
        now: SystemTime,
    ) -> Result<Headers, Error> {
        let channel = route.channel;
        let unsigned = Unsigned {
            authority: &channel.authority,
            path: &self.path,
            headers: &self.headers,
            body,
        };
        let signature = channel.signer.sign(unsigned, now).map_err(|_| {
            Error::server(
                StatusCode::INTERNAL_SERVER_ERROR,
                "signing_failed",
                "The gateway could not sign the request.",
            )
        })?;
        let mut headers = Headers::with_capacity(MOST_HEADERS);
        headers.add(":method", Method::POST.as_str());
        headers.add(":scheme", channel.endpoint.scheme());
        headers.add(":authority", channel.authority.as_str());
        headers.add(":path", self.path.as_str());
        headers.extend(&self.headers);
        // Envoy does not correct the client's length, and surplus bytes would be a second request.
        headers.add("content-length", self.body.len().to_string());
        headers.add(CLUSTER_HEADER, channel.cluster.as_str());
        headers.extend(&signature);
        Ok(headers)
    }
}

/// What an ARN says after its account and the kind of its resource; any other id as it is.
fn last_segment(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// Whether the model behind a route speaks Anthropic's Messages over InvokeModel.
fn is_native(route: &Route<'_>) -> bool {
    route.family == ModelFamily::Anthropic && route.serving().invokes()
}

fn content_type() -> (HeaderName, HeaderValue) {
    (CONTENT_TYPE, HeaderValue::from_static("application/json"))
}

/// A request as the client wrote it, but for what Bedrock does not take.
fn native(
    routes: &Routes,
    route: &Route<'_>,
    (parsed, asked): (&Parsed<'_>, &Asked<'_>),
) -> Result<Prepared, Error> {
    let head = &parsed.request;
    let options = Options::of(head, route.channel.channel.guardrail.as_ref())?;
    let encoded = passthrough::encode(asked, head, route.model, routes.anthropic_rules())?;
    let operation = Operation::invoke(head);
    let mut headers = vec![content_type()];
    headers.extend(options.invoke_headers()?);
    Ok(Prepared {
        wording: Wording::Native,
        operation,
        body: encoded.body,
        path: bedrock::path(&route.model_id, operation),
        headers,
        left_out: encoded.left_out,
        tier: options.service_tier,
    })
}

/// A request translated to the model's own format.
fn translated(
    routes: &Routes,
    route: &Route<'_>,
    request: &Request<'_>,
) -> Result<Prepared, Error> {
    let thoughts = Thoughts::of(routes, route);
    let opened = thoughts.opened(request);
    let request = opened.as_ref().unwrap_or(request);
    let dialect = bedrock::dialect_for(route.serving(), request)?;
    let options = Options::of(request, route.channel.channel.guardrail.as_ref())?;
    let encoded = encoded(dialect, route, (request, &options))?;
    let lost = bedrock::lost_in_results(dialect, route.model, request).into_iter();
    let lost = lost.chain(bedrock::left_out(dialect, request, &encoded));
    let mut headers = vec![content_type()];
    if encoded.operation.takes_option_headers() {
        headers.extend(options.invoke_headers()?);
    }
    Ok(Prepared {
        path: bedrock::path(&route.model_id, encoded.operation),
        wording: Wording::Translated(dialect, Box::new(encoded.answer), thoughts),
        operation: encoded.operation,
        body: encoded.body,
        headers,
        left_out: (request.left_out.iter().map(ToString::to_string))
            .chain(lost.map(str::to_owned))
            .collect(),
        tier: options.service_tier,
    })
}

fn encoded(
    dialect: &'static dyn Dialect,
    route: &Route<'_>,
    (request, options): (&Request<'_>, &Options),
) -> Result<EncodedRequest, Error> {
    chat::check(request, |param| dialect.treatment(param))?;
    let target = Target {
        model: route.model,
        family: route.family,
        model_id: &route.model_id,
        options,
    };
    dialect.encode_request(request, &target)
}

/// The request that has the tokens of another counted: that one's body inside, and the base model's id, because
/// AWS counts for no profile.
///
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html>
fn count(
    routes: &Routes,
    route: &Route<'_>,
    (parsed, counter): (&Parsed<'_>, Counter),
) -> Result<Prepared, Error> {
    let Some(model) = route.model.filter(|model| model.count_tokens) else {
        let message = "Bedrock does not count tokens for this model.";
        return Err(Error::unsupported(chat::Param::Model, message));
    };
    let head = &parsed.request;
    let native = parsed.native.as_deref();
    let inner = if let Some(asked) = native.filter(|asked| fits(asked, head, route.model)) {
        passthrough::encode(asked, head, route.model, routes.anthropic_rules())?.body
    } else {
        let rules = routes.anthropic_rules();
        let request = match native {
            Some(asked) => Cow::Owned(passthrough::translate(asked, head, rules)?),
            None => parsed.translated()?,
        };
        let opened = Thoughts::of(routes, route).opened(&request);
        let request = opened.as_ref().unwrap_or(&*request);
        let options = Options::default();
        encoded(bedrock::dialect(route.family), route, (request, &options))?.body
    };
    let mut body = "{\"input\":{\"invokeModel\":{\"body\":\"".to_owned();
    STANDARD.encode_string(inner.into_vec(head.source), &mut body);
    body.push_str("\"}}}");
    Ok(Prepared {
        wording: Wording::Count(counter),
        operation: Operation::CountTokens,
        body: body.into_bytes().into(),
        path: bedrock::path(model.id, Operation::CountTokens),
        headers: vec![content_type()],
        left_out: Vec::new(),
        tier: None,
    })
}
