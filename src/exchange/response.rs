//! The way down: from Bedrock's answer, or Envoy's own, to the client's.

use std::borrow::Cow;

use http::StatusCode;
use memchr::memmem;
use serde::Deserialize;

use super::{Edit, End, Exchange, Head, Phase, ReadBody, Step};
use crate::bedrock::{self, ChannelFault, ResponseStream, UpstreamError, decode_error};
use crate::call::{Call, Headers, LEFT_OUT};
use crate::chat::{AnswerHead, Error, Usage};

/// What Bedrock answers where there is no such path.
const UNKNOWN_OPERATION: &str = "UnknownOperationException";

/// Longest error that is read, in bytes; AWS's are some hundred.
const MAX_ERROR_LEN: usize = 64 * 1024;

impl Exchange {
    /// Takes the answer's headers; `end` when there is no body.
    ///
    /// Envoy's own answers (no upstream, timeout, body too large) come through here too.
    pub fn response_headers(&mut self, headers: Headers, end: bool) -> Step {
        let phase = self.take_phase();
        let head = Head::new(headers);
        let call = match phase {
            Phase::Upstream(call) => Some(call),
            Phase::RequestBody { .. } => None,
            Phase::Relayed(relay) => return self.relayed_headers(relay, head, end),
            other => {
                self.phase = other;
                return Step::Pass;
            }
        };
        if let Some(attempt) = self.attempt.take_if(|_| head.status != StatusCode::OK) {
            return self.attempt_refused(attempt, head, end);
        }
        if end {
            let error = match &call {
                Some(call) => head.error(b"", Some(call)),
                None => head.refusal(),
            };
            return self.replace_bodiless(&head, &error);
        }
        self.phase = match call {
            Some(call) if head.is_event_stream() => Phase::FirstFrame(call, head),
            call => Phase::WholeAnswer(call, head),
        };
        Step::Wait
    }

    /// Takes a piece of the answer's body; `buffered` counts all that Envoy holds, in bytes.
    pub fn response_body(&mut self, buffered: usize, end: bool, read: ReadBody<'_>) -> Step {
        match self.take_phase() {
            Phase::RelayedError(relay, head) if end => {
                self.relayed_body(&relay, &head, &error_body(buffered, read))
            }
            Phase::Refusal(head) if end || head.is_whole(buffered) => {
                self.refusal_body(&head, &error_body(buffered, read), end)
            }
            held @ (Phase::RelayedError(..) | Phase::Refusal(_)) => {
                self.phase = held;
                Step::Wait
            }
            Phase::WholeAnswer(call, head) => self.whole_answer(call, head, (buffered, end), read),
            Phase::FirstFrame(call, head) => self.first_frame(call, head, (buffered, end), read),
            Phase::Opening(opening) => self.opening(opening, &read(), (buffered, end)),
            Phase::Stream(mut stream) => {
                let mut out = stream.push(&read());
                if end {
                    out.extend(stream.finish());
                }
                self.note_stream(&stream);
                if !end {
                    self.phase = Phase::Stream(stream);
                }
                Edit::body(out)
            }
            other => {
                self.phase = other;
                Step::Pass
            }
        }
    }

    /// Takes the answer's trailers, which end it like a last piece of body would.
    ///
    /// Nothing can be added to a stream any more that already passes.
    pub fn response_trailers(&mut self, buffered: usize, read: ReadBody<'_>) -> Step {
        match self.take_phase() {
            // Without a body there is nothing that Envoy would let the filter replace.
            Phase::WholeAnswer(call, head) if buffered == 0 => {
                let error = match &call {
                    Some(call) => head.error(b"", Some(call)),
                    None => head.refusal(),
                };
                self.replace_bodiless(&head, &error)
            }
            Phase::FirstFrame(call, head) if buffered == 0 => {
                let error = head.error(b"", Some(&call));
                self.replace_bodiless(&head, &error)
            }
            Phase::RelayedError(relay, head) if buffered == 0 => {
                self.relayed_headers(relay, head, true)
            }
            held @ (Phase::WholeAnswer(..)
            | Phase::FirstFrame(..)
            | Phase::Opening(_)
            | Phase::RelayedError(..)
            | Phase::Refusal(_)) => {
                self.phase = held;
                self.response_body(buffered, true, read)
            }
            other => {
                self.phase = other;
                Step::Pass
            }
        }
    }

    fn whole_answer(
        &mut self,
        call: Option<Call>,
        head: Head,
        (buffered, end): (usize, bool),
        read: ReadBody<'_>,
    ) -> Step {
        if buffered > self.routes.limits().max_response_bytes {
            let message = "The model's answer is larger than the gateway's limit.";
            let error = Error::server(StatusCode::BAD_GATEWAY, "response_too_large", message);
            return self.replace(&head, &error, end);
        }
        // An attempt does not wait for the end if it can help it: see `Attempt::failed`.
        let is_whole = end || (self.attempt.is_some() && head.is_whole(buffered));
        if !is_whole {
            self.phase = Phase::WholeAnswer(call, head);
            return Step::Wait;
        }
        let body = read();
        match call {
            Some(mut call) if head.status == StatusCode::OK => {
                let left_out = call.left_out.take();
                match head.decode(call, body) {
                    Ok((answer, end)) => {
                        self.note_end(|| end);
                        let mut headers = head.json(answer.len());
                        headers.add_some(LEFT_OUT, left_out);
                        self.succeeded(&mut headers);
                        Edit::pass_to(headers, answer)
                    }
                    Err(error) => self.replace(&head, &error, end),
                }
            }
            Some(call) => {
                let error = head.error(&body, Some(&call));
                self.replace(&head, &error, end)
            }
            None => self.replace(&head, &head.refusal(), end),
        }
    }

    /// The client will get this answer; an attempt says whose it is.
    pub(super) fn succeeded(&mut self, headers: &mut Headers) {
        if let Some(attempt) = self.attempt.take() {
            attempt.succeeded(headers);
        }
    }

    /// Puts an error in place of an answer that was held back.
    ///
    /// If the upstream is still sending, a reply of our own ends that at once. An edit would keep the
    /// client's connection busy until the upstream is done, although the client has its answer.
    pub(super) fn replace(&mut self, head: &Head, error: &Error, end: bool) -> Step {
        self.phase = Phase::Done;
        self.note_end(|| End::Failed(error.clone()));
        if let Some(attempt) = &self.attempt {
            return attempt.failed(error, end);
        }
        let body = self.protocol.error_body(error);
        if end {
            return Edit::pass_to(head.error_json(error, body.len()), body);
        }
        Step::Reply(head.reply(self.protocol, error))
    }

    /// The same where there is no body that Envoy would let the filter replace.
    fn replace_bodiless(&mut self, head: &Head, error: &Error) -> Step {
        self.phase = Phase::Done;
        self.note_end(|| End::Failed(error.clone()));
        match &self.attempt {
            Some(attempt) => attempt.failed(error, true),
            None => Step::Reply(head.reply(self.protocol, error)),
        }
    }
}

impl Call {
    pub(super) fn into_stream(self, head: &Head) -> ResponseStream {
        let out = self.reply.stream(&self.answer_head(head, None));
        let decoder = bedrock::decoder(self.dialect, self.answer);
        ResponseStream::new(decoder, out)
    }

    fn answer_head(&self, head: &Head, id: Option<&str>) -> AnswerHead {
        let tier = head.headers.get_str("x-amzn-bedrock-service-tier");
        AnswerHead {
            id: head.answer_id(id),
            created: self.created,
            model: self.model.clone(),
            service_tier: tier.map(str::to_owned),
        }
    }
}

impl Head {
    /// The client's body for a whole answer, and how the call ended.
    fn decode(&self, mut call: Call, body: Vec<u8>) -> Result<(Vec<u8>, End), Error> {
        // A malformed path is answered with 200: only the body tells.
        if is_unknown_operation(&body) {
            return Err(decode_error(StatusCode::OK, Some(UNKNOWN_OPERATION), b"").reply());
        }
        if call.operation.is_stream() {
            let message = "Bedrock answered with something other than an event stream.";
            return Err(Error::server(
                StatusCode::BAD_GATEWAY,
                "invalid_upstream_response",
                message,
            ));
        }
        call.answer.header_usage = self.usage();
        let mut completion =
            bedrock::decode(call.dialect, &body, &call.answer).map_err(|error| error.reply())?;
        completion.settle();
        // A long answer need not be in memory three times: linear memory never shrinks.
        drop(body);
        let head = call.answer_head(self, completion.id.as_deref());
        let end = End::Answered {
            reason: completion.finish_reason,
            usage: completion.usage,
            unknown_reason: completion.unknown_reason.clone(),
        };
        Ok((call.reply.whole(&completion, &head), end))
    }

    /// Token counts that Bedrock tells in headers.
    ///
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-invoke.html>
    fn usage(&self) -> Option<Usage> {
        let count = |name: &str| {
            let text = self.headers.get_str(name);
            text.and_then(|text| text.parse().ok())
        };
        Some(Usage {
            input: count("x-amzn-bedrock-input-token-count")?,
            output: count("x-amzn-bedrock-output-token-count")?,
            cache_read: count("x-amzn-bedrock-cache-read-input-token-count").unwrap_or(0),
            cache_write: count("x-amzn-bedrock-cache-write-input-token-count").unwrap_or(0),
            reasoning: 0,
        })
    }

    /// The error in an answer that is none.
    pub(super) fn error(&self, body: &[u8], call: Option<&Call>) -> Error {
        let error_type = self.headers.get_str("x-amzn-errortype");
        let status = if self.status < StatusCode::BAD_REQUEST {
            StatusCode::BAD_GATEWAY
        } else {
            self.status
        };
        let error = decode_error(status, error_type, body);
        if let Some(call) = call {
            if error.is_about_credentials() {
                log_refused_credentials(&call.channel, &error);
            } else if let Some(fault) = error.channel_fault() {
                log_channel_fault(&call.channel, &call.model, fault);
            }
        }
        let from_aws = self.headers.get("x-amzn-requestid").is_some() || !error.is_anonymous();
        if status == StatusCode::NOT_FOUND && !from_aws {
            let message = "The gateway has no route to Bedrock. Its administrator should look at \
                           the route that follows the x-bedrock-cluster header.";
            return Error::server(StatusCode::SERVICE_UNAVAILABLE, "no_route", message);
        }
        let mut reply = error.reply();
        if let Some(family) = call.and_then(|call| call.assumed_family)
            && error.is_about_schema()
        {
            reply.message.push_str(&format!(
                " (The request was written for the model family `{}`. If the ARN serves another, the \
                 gateway's administrator can name it in the channel's model_families.)",
                family.name()
            ));
        }
        reply
    }

    /// AWS's id of the request, so that an answer can be found in AWS's logs.
    fn answer_id(&self, own: Option<&str>) -> String {
        let id = self.headers.get_str("x-amzn-requestid").or(own);
        id.unwrap_or("unknown").to_owned()
    }
}

/// The client cannot mend this; the operator should not have to hear of it from them.
pub(super) fn log_refused_credentials(channel: &str, error: &UpstreamError) {
    log::error!(
        "channel {channel}: Bedrock refused its credentials: {}",
        error.exception
    );
}

/// Likewise: what has to be done stands in the administrator's own configuration or account.
pub(super) fn log_channel_fault(channel: &str, model: &str, fault: ChannelFault) {
    log::error!(
        "channel {channel}: Bedrock does not serve {model:?}. {}",
        fault.remedy()
    );
}

/// The body of an error. Longer ones are no errors of AWS's, and not worth reading.
fn error_body(buffered: usize, read: ReadBody<'_>) -> Vec<u8> {
    if buffered > MAX_ERROR_LEN {
        Vec::new()
    } else {
        read()
    }
}

/// Recognises `{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"}}`.
fn is_unknown_operation(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(rename = "Output", borrow)]
        output: Output<'a>,
    }

    #[derive(Deserialize)]
    struct Output<'a> {
        #[serde(rename = "__type", borrow)]
        kind: Cow<'a, str>,
    }

    // Longer bodies are answers, and most that are not are none of these either.
    body.len() < 1024
        && memmem::find(body, UNKNOWN_OPERATION.as_bytes()).is_some()
        && serde_json::from_slice::<Body<'_>>(body)
            .is_ok_and(|body| body.output.kind.ends_with(UNKNOWN_OPERATION))
}
