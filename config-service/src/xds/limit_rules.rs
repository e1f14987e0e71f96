//! The rules of a fleet's own rate limit service, `envoyproxy/ratelimit`, which asks for them like an Envoy for its
//! resources, on the aggregated stream.
//!
//! <https://github.com/envoyproxy/ratelimit#loading-configuration>.

use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use envoy_types::pb::ratelimit::config::ratelimit::v3::{
    RateLimitConfig, RateLimitDescriptor, RateLimitPolicy, RateLimitUnit,
};
use envoy_types::util::pack_any;
use tokio::sync::{mpsc, watch};
use tonic::{Status, Streaming};

use super::stopping::say_goodbye;
use super::wire;
use crate::fleet::Node;
use crate::limit_rules::{CALLER, DOMAIN, Engine, LimitRules, Rule, Rules};

const RULES_TYPE: &str = "type.googleapis.com/ratelimit.config.ratelimit.v3.RateLimitConfig";

/// Whether a request is for rules.
pub(super) fn are_asked(request: &DiscoveryRequest) -> bool {
    request.type_url == RULES_TYPE
}

/// One stream of a rate limit service.
pub(super) struct Stream {
    rules: watch::Receiver<Rules>,
    engine: Engine,
    node: Node,
    /// The version that was sent last, and whether it has been answered.
    sent: u64,
    is_answered: bool,
    nonces: u64,
}

impl Stream {
    /// A stream that begins with this request. Whatever version it says that the service has, it gets all rules at once: on
    /// a new stream the service shows the version and the nonce of the last one, and would not ask again.
    pub(super) fn new(rules: &LimitRules, first: &DiscoveryRequest) -> Self {
        let node = first.node.as_ref().map(wire::node).unwrap_or_default();
        tracing::info!(node.id, "a rate limit service asks for its rules");
        Self {
            rules: rules.subscribe(),
            engine: rules.connect(),
            node,
            sent: 0,
            is_answered: true,
            nonces: 0,
        }
    }

    /// Sends rules until either side ends the stream.
    pub(super) async fn run(
        mut self,
        mut requests: Streaming<DiscoveryRequest>,
        responses: mpsc::Sender<Result<DiscoveryResponse, Status>>,
        mut stopped: watch::Receiver<bool>,
    ) {
        loop {
            if let Some(response) = self.advance()
                && responses.send(Ok(response)).await.is_err()
            {
                break;
            }
            tokio::select! {
                message = requests.message() => match message {
                    Ok(Some(request)) => self.take(&request),
                    Ok(None) | Err(_) => break,
                },
                changed = self.rules.changed() => if changed.is_err() {
                    break;
                },
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
        }
        say_goodbye(&stopped, &responses);
        tracing::info!(
            node.id = self.node.id,
            "the rate limit service disconnected"
        );
    }

    /// What to send now: one answer at a time.
    fn advance(&mut self) -> Option<DiscoveryResponse> {
        let rules = self.rules.borrow_and_update();
        if !self.is_answered || rules.version == self.sent {
            return None;
        }
        self.sent = rules.version;
        self.is_answered = false;
        self.nonces += 1;
        Some(response(&rules, self.nonces))
    }

    fn take(&mut self, request: &DiscoveryRequest) {
        if request.response_nonce != self.nonces.to_string() {
            return;
        }
        self.is_answered = true;
        self.engine.answered(self.sent);
        match &request.error_detail {
            None => tracing::debug!(
                node.id = self.node.id,
                version = self.sent,
                "the rate limit service has taken its rules"
            ),
            Some(error) => tracing::error!(
                node.id = self.node.id,
                version = self.sent,
                reason = error.message,
                "the rate limit service refuses its rules and keeps those that it had"
            ),
        }
    }
}

fn response(rules: &Rules, nonce: u64) -> DiscoveryResponse {
    let descriptors = rules.all().map(|rule| descriptor(rule, rules.is_shadow));
    let config = RateLimitConfig {
        name: DOMAIN.to_owned(),
        domain: DOMAIN.to_owned(),
        descriptors: descriptors.collect(),
    };
    DiscoveryResponse {
        version_info: rules.version.to_string(),
        resources: vec![pack_any(config)],
        type_url: RULES_TYPE.to_owned(),
        nonce: nonce.to_string(),
        ..DiscoveryResponse::default()
    }
}

fn descriptor(rule: Rule, is_shadow: bool) -> RateLimitDescriptor {
    let limit = RateLimitPolicy {
        unit: RateLimitUnit::Minute.into(),
        requests_per_unit: rule.limit,
        name: rule.kind.key().to_owned(),
        ..RateLimitPolicy::default()
    };
    let caller = RateLimitDescriptor {
        key: CALLER.to_owned(),
        rate_limit: Some(limit),
        shadow_mode: is_shadow,
        ..RateLimitDescriptor::default()
    };
    RateLimitDescriptor {
        key: rule.kind.key().to_owned(),
        value: rule.value.map(|own| own.to_string()).unwrap_or_default(),
        descriptors: vec![caller],
        ..RateLimitDescriptor::default()
    }
}
