//! What an answer of Bedrock's becomes for the client.

use std::borrow::Cow;
use std::rc::Rc;

use http::StatusCode;
use memchr::memmem;
use serde::Deserialize;

use super::measure::count;
use super::{End, Head};
use crate::bedrock::{self, ChannelFault, ResponseStream, UpstreamError, decode_error};
use crate::call::{Call, Reading, Translated};
use crate::chat::{AnswerHead, Error, Usage, report};
use crate::passthrough;

/// Bedrock's exception for a path that does not exist.
const UNKNOWN_OPERATION: &str = "UnknownOperationException";

impl Call {
    /// Whether the client gets a stream, even of an answer that arrives as a whole.
    pub(super) fn streams(&self) -> bool {
        matches!(&self.reading, Reading::Translated(own) if own.streams)
    }

    pub(super) fn into_stream(self, head: &Head) -> ResponseStream {
        match self.reading {
            Reading::Translated(own) => {
                let answer_head = head.answer_head(&own, (self.created, &self.model), None);
                let out = own.reply.stream(&answer_head);
                ResponseStream::new(bedrock::decoder(own.dialect, own.answer), out)
            }
            Reading::Native | Reading::Count(_) => {
                ResponseStream::of(Box::new(passthrough::Stream::new(&self.model)))
            }
        }
    }
}

impl Head {
    /// The client's body for a whole answer, and how the call ended.
    pub(super) fn decode(&self, call: Call, body: Vec<u8>) -> Result<(Vec<u8>, End), Error> {
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
        let named = (call.created, call.model.as_str());
        match call.reading {
            Reading::Translated(own) => self.translate(*own, named, body),
            Reading::Native => {
                let whole = passthrough::whole(&body, &call.model);
                let whole = whole.map_err(|error| error.reply())?;
                let end = End::Answered {
                    reason: whole.reason,
                    usage: whole.usage,
                    unknown_reason: whole.unknown_reason,
                };
                Ok((whole.body, end))
            }
            Reading::Count(counter) => count(&body, counter),
        }
    }

    /// The client's body for an answer in another format.
    fn translate(
        &self,
        mut own: Translated,
        named: (u64, &str),
        body: Vec<u8>,
    ) -> Result<(Vec<u8>, End), Error> {
        own.answer.header_usage = self.usage();
        let mut completion =
            bedrock::decode(own.dialect, &body, &own.answer).map_err(|error| error.reply())?;
        completion.settle();
        // A long answer need not be in memory three times: linear memory never shrinks.
        drop(body);
        let head = self.answer_head(&own, named, completion.id.as_deref());
        let end = End::Answered {
            reason: completion.finish_reason,
            usage: completion.usage,
            unknown_reason: completion.unknown_reason.clone(),
        };
        if !own.streams {
            return Ok((own.reply.whole(&completion, &head), end));
        }
        let mut stream = own.reply.stream(&head);
        report(&completion, &mut *stream);
        Ok((stream.take(), end))
    }

    /// What an answer says about itself: `created`, and the client's name for the model, are the request's.
    fn answer_head(
        &self,
        own: &Translated,
        (created, model): (u64, &str),
        id: Option<&str>,
    ) -> AnswerHead {
        let tier = self.headers.get_str("x-amzn-bedrock-service-tier");
        AnswerHead {
            id: self.answer_id(id),
            created,
            clock: self.clock,
            model: model.to_owned(),
            service_tier: tier.map(str::to_owned),
            proves_thoughts: own.proves_thoughts,
            sealer: Some(Rc::new(own.thoughts.clone())),
        }
    }

    /// Token counts that Bedrock sends in headers.
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
            ..Usage::default()
        })
    }

    /// The error that came in place of an answer.
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
            let message = "The gateway has no route to Bedrock. Its administrator should check the \
                           route that follows the x-bedrock-cluster header.";
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

/// Clients cannot fix this, and operators should not have to hear of it from them.
pub(super) fn log_refused_credentials(channel: &str, error: &UpstreamError) {
    log::error!(
        "channel {channel}: Bedrock refused its credentials: {}",
        error.exception
    );
}

/// Likewise: only an administrator can fix this, in the configuration or in the account.
pub(super) fn log_channel_fault(channel: &str, model: &str, fault: ChannelFault) {
    log::error!(
        "channel {channel}: Bedrock does not serve {model:?}. {}",
        fault.remedy()
    );
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

    // Longer bodies are answers, and the search rules out most of the short ones.
    body.len() < 1024
        && memmem::find(body, UNKNOWN_OPERATION.as_bytes()).is_some()
        && serde_json::from_slice::<Body<'_>>(body)
            .is_ok_and(|body| body.output.kind.ends_with(UNKNOWN_OPERATION))
}
