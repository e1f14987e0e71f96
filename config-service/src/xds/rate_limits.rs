//! Envoy's rate limit service, in front of [`crate::rate_limits`].
//!
//! <https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/ratelimit/v3/rls.proto>.

use std::time::{Duration, SystemTime};

use axum::http::header::RETRY_AFTER;
use bedrock_filter::limits::{Verdict, whole_seconds};
use bedrock_filter::protocol::Protocol as _;
use bedrock_filter::protocol::openai_chat::Chat;
use envoy_types::pb::envoy::config::core::v3::HeaderValue;
use envoy_types::pb::envoy::extensions::common::ratelimit::v3::RateLimitDescriptor;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_response::rate_limit::Unit;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_response::{
    Code, DescriptorStatus, RateLimit,
};
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_service_server::RateLimitService;
use envoy_types::pb::envoy::service::ratelimit::v3::{RateLimitRequest, RateLimitResponse};
use envoy_types::pb::google::protobuf::Duration as WireDuration;
use tonic::{Request, Response, Status, async_trait};

use crate::fleet::Fleet;
use crate::metrics::Metrics;
use crate::rate_limits::{Limit, MAX_CALLER_LEN, RateLimits, key};

/// The domain that the bootstraps' filters ask in.
const DOMAIN: &str = "bedrock";

/// Name under which health checks ask for the service: the empty name would say nothing about it.
pub(super) const HEALTH_NAME: &str = "ratelimit";

/// Longest question, in bytes; ours have two hundred.
pub(super) const MAX_QUESTION_BYTES: usize = 64 * 1024;

/// Answers Envoys' questions.
#[derive(Clone, Debug)]
pub(super) struct Service {
    limits: RateLimits,
    fleet: Fleet,
    metrics: Metrics,
}

impl Service {
    pub(super) fn new(limits: RateLimits, fleet: Fleet, metrics: Metrics) -> Self {
        Self {
            limits,
            fleet,
            metrics,
        }
    }

    fn answer(
        &self,
        question: &RateLimitRequest,
        now: Duration,
    ) -> Result<RateLimitResponse, Status> {
        // What is asked in another domain, or is no limit of ours, has no limit.
        let ours = question.domain == DOMAIN;
        let descriptors = question.descriptors.iter();
        let asked: Vec<_> = descriptors
            .map(|own| asked(own, question.hits_addend).filter(|_| ours))
            .collect();
        let ours: Vec<_> = asked.iter().copied().flatten().collect();
        if ours
            .iter()
            .any(|(limit, _)| limit.caller.len() > MAX_CALLER_LEN)
        {
            let message = format!("the caller's name is longer than {MAX_CALLER_LEN} bytes");
            return Err(Status::invalid_argument(message));
        }
        let verdicts = self.limits.take(&ours, now);
        for verdict in &verdicts {
            self.metrics.limited(verdict.kind.unit(), verdict.is_over());
        }
        Ok(response(&asked, &verdicts))
    }
}

#[async_trait]
impl RateLimitService for Service {
    async fn should_rate_limit(
        &self,
        request: Request<RateLimitRequest>,
    ) -> Result<Response<RateLimitResponse>, Status> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        if let Some(peer) = request.remote_addr() {
            self.fleet.asks_about_limits(peer.ip());
        }
        let answer = self.answer(request.get_ref(), now.unwrap_or_default())?;
        Ok(Response::new(answer))
    }
}

/// The limit in a descriptor, and how much is asked for.
///
/// What the descriptor asks for counts, and 0 asks for nothing. What the whole question asks for counts otherwise, and
/// 0 there means 1, because it is what a field has that is not set.
fn asked(descriptor: &RateLimitDescriptor, hits: u32) -> Option<(Limit<'_>, u64)> {
    let entries = descriptor.entries.iter();
    let entries: Vec<_> = entries
        .map(|own| (own.key.as_str(), own.value.as_str()))
        .collect();
    let limit = Limit::of_entries(&entries)?;
    let own = descriptor.hits_addend.as_ref().map(|own| own.value);
    let hits = own.unwrap_or_else(|| hits.max(1).into());
    // Nothing is given back: our filters reserve less than is used.
    Some((limit, if descriptor.is_negative_hits { 0 } else { hits }))
}

fn response(asked: &[Option<(Limit<'_>, u64)>], verdicts: &[Verdict]) -> RateLimitResponse {
    let is_over = verdicts.iter().any(Verdict::is_over);
    let mut next = verdicts.iter();
    let statuses = asked.iter().map(|own| {
        let verdict = own.and_then(|_| next.next());
        verdict.map_or_else(without_limit, status)
    });
    RateLimitResponse {
        overall_code: code(is_over).into(),
        statuses: statuses.collect(),
        response_headers_to_add: headers(verdicts),
        ..RateLimitResponse::default()
    }
}

/// How the caller stands with each limit, for the filter in front, which tells it to clients in their API's own way.
fn headers(verdicts: &[Verdict]) -> Vec<HeaderValue> {
    let standings: Vec<_> = verdicts.iter().map(Verdict::standing).collect();
    let mut told = Vec::with_capacity(8);
    Chat.limit_headers(&standings, SystemTime::UNIX_EPOCH, &mut |name, value| {
        told.push((name.to_owned(), value));
    });
    let wait = verdicts.iter().filter_map(|own| own.retry_after).max();
    let wait = wait.map(|wait| (RETRY_AFTER.to_string(), whole_seconds(wait).to_string()));
    let headers = told
        .into_iter()
        .chain(wait)
        .map(|(key, value)| HeaderValue {
            key,
            value,
            ..HeaderValue::default()
        });
    headers.collect()
}

fn code(is_over: bool) -> Code {
    if is_over { Code::OverLimit } else { Code::Ok }
}

fn without_limit() -> DescriptorStatus {
    DescriptorStatus {
        code: Code::Ok.into(),
        ..DescriptorStatus::default()
    }
}

fn status(verdict: &Verdict) -> DescriptorStatus {
    let limit = RateLimit {
        name: key(verdict.kind).to_owned(),
        requests_per_unit: verdict.limit,
        unit: Unit::Minute.into(),
    };
    DescriptorStatus {
        code: code(verdict.is_over()).into(),
        current_limit: Some(limit),
        limit_remaining: verdict.remaining,
        duration_until_reset: Some(WireDuration {
            seconds: i64::try_from(verdict.reset.as_secs()).unwrap_or(i64::MAX),
            nanos: verdict.reset.subsec_nanos().try_into().unwrap_or_default(),
        }),
        ..DescriptorStatus::default()
    }
}
