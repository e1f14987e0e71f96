//! What the service counts, for Prometheus.
//!
//! Label values come from this program, or are names of existing channels. They are never what a client or
//! an Envoy can make up, because every new value would stay in memory.
//!
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::channel::CredentialStatus;
use crate::fleet::FleetCounts;

/// Buckets for the seconds from an edit to its acknowledgement.
const PUSH_SECONDS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Buckets for the seconds that a request to the admin address takes.
const REQUEST_SECONDS: [f64; 7] = [0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 10.0];

/// Label for requests without a matching route.
const NO_ROUTE: &str = "none";

/// Everything that is counted while the service runs. Clones share one count.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    answers: Family<Answer, Counter>,
    pushed: Histogram,
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    limited: Family<Limited, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    resource: &'static str,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limited {
    limit: &'static str,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Channel {
    channel: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Caller {
    caller: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verdict {
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

/// What became of what Envoys reported of requests: by verdict, how many there were.
#[derive(Debug)]
pub(crate) struct UsageCounts {
    pub(crate) reports: Vec<(&'static str, u64)>,
    pub(crate) records: Vec<(&'static str, u64)>,
}

/// Values that are read when metrics are requested.
#[derive(Debug)]
pub(crate) struct Now {
    pub(crate) revision: u64,
    pub(crate) channels: usize,
    pub(crate) fleet: FleetCounts,
    pub(crate) credentials: Vec<CredentialStatus>,
    /// Callers with a budget, and the part of it that is used.
    pub(crate) budgets: Vec<(String, f64)>,
    /// What became of what Envoys reported of requests, if that is recorded.
    pub(crate) usage: Option<UsageCounts>,
    pub(crate) time: SystemTime,
}

impl Default for Metrics {
    fn default() -> Self {
        let durations: fn() -> Histogram = || Histogram::new(REQUEST_SECONDS);
        let inner = Inner {
            answers: Family::default(),
            pushed: Histogram::new(PUSH_SECONDS),
            requests: Family::default(),
            durations: Family::new_with_constructor(durations),
            limited: Family::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }
}

impl Metrics {
    /// An Envoy has acknowledged a resource.
    pub(crate) fn acknowledged(&self, resource: &'static str) {
        self.answered(resource, "ack");
    }

    /// An Envoy has refused a resource.
    pub(crate) fn rejected(&self, resource: &'static str) {
        self.answered(resource, "nack");
    }

    fn answered(&self, resource: &'static str, verdict: &'static str) {
        self.inner
            .answers
            .get_or_create(&Answer { resource, verdict })
            .inc();
    }

    /// An Envoy has acknowledged the current plugin configuration, this long after it was created.
    pub(crate) fn pushed(&self, after: Duration) {
        self.inner.pushed.observe(after.as_secs_f64());
    }

    /// A request to the admin address has been answered. `route` is the route's template, `None` if no
    /// route matched.
    pub(crate) fn requested(
        &self,
        route: Option<&str>,
        method: &Method,
        status: StatusCode,
        took: Duration,
    ) {
        let route = route.unwrap_or(NO_ROUTE).to_owned();
        let label = Route {
            route: route.clone(),
        };
        let request = Request {
            route,
            method: known(method),
            status: status.as_u16(),
        };
        self.inner.requests.get_or_create(&request).inc();
        let duration = self.inner.durations.get_or_create(&label);
        duration.observe(took.as_secs_f64());
    }

    /// An Envoy has asked about a caller's limit on `limit`.
    pub(crate) fn limited(&self, limit: &'static str, is_over: bool) {
        let verdict = if is_over { "over" } else { "ok" };
        let counter = self
            .inner
            .limited
            .get_or_create(&Limited { limit, verdict });
        counter.inc();
    }

    /// All metrics as text.
    pub(crate) fn encode(&self, now: &Now) -> String {
        let mut registry = Registry::with_prefix("config_service");
        self.register(&mut registry);
        now.register(&mut registry);
        let mut encoded = String::new();
        // Writing to a `String` cannot fail.
        let _ = text::encode(&mut encoded, &registry);
        encoded
    }

    fn register(&self, registry: &mut Registry) {
        let inner = &self.inner;
        registry.register(
            "xds_answers",
            "Envoys' answers to pushed configuration, by resource (clusters, plugin) and verdict",
            inner.answers.clone(),
        );
        registry.register_with_unit(
            "push_duration",
            "Time from creating a revision to an Envoy's acknowledgement of it",
            Unit::Seconds,
            inner.pushed.clone(),
        );
        registry.register(
            "http_requests",
            "Requests to the admin address",
            inner.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "How long requests to the admin address took",
            Unit::Seconds,
            inner.durations.clone(),
        );
        registry.register(
            "rate_limit_checks",
            "Limits that Envoys asked about, by what they limit (requests, tokens) and verdict (ok, over)",
            inner.limited.clone(),
        );
    }
}

impl Now {
    fn register(&self, registry: &mut Registry) {
        gauge(
            registry,
            "revision",
            "The published revision",
            self.revision,
        );
        let channels = u64::try_from(self.channels).unwrap_or(u64::MAX);
        gauge(
            registry,
            "channels",
            "Channels, including disabled ones",
            channels,
        );
        let envoys = Family::<State, Gauge>::default();
        let FleetCounts {
            active,
            pending,
            rejected,
            held,
            stalled,
        } = self.fleet;
        for (state, count) in [
            ("active", active),
            ("pending", pending),
            ("rejected", rejected),
            ("held", held),
        ] {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            envoys.get_or_create(&State { state }).set(count);
        }
        registry.register(
            "envoys",
            "Connected Envoys, by how they stand with the published revision",
            envoys,
        );
        let stalled = u64::try_from(stalled).unwrap_or(u64::MAX);
        gauge(
            registry,
            "envoys_stalled",
            "Connected Envoys that have been behind the published configuration for more than 30 \
             seconds",
            stalled,
        );
        let build = Family::<Build, Gauge>::default();
        let version = env!("CARGO_PKG_VERSION");
        build.get_or_create(&Build { version }).set(1);
        registry.register("build", "The running version", build);
        self.register_credentials(registry);
        self.register_budgets(registry);
        self.register_usage(registry);
    }

    fn register_usage(&self, registry: &mut Registry) {
        let Some(usage) = &self.usage else {
            return;
        };
        let counted = |counts: &[(&'static str, u64)]| {
            let all = Family::<Verdict, Counter>::default();
            for (verdict, count) in counts {
                all.get_or_create(&Verdict { verdict }).inc_by(*count);
            }
            all
        };
        registry.register(
            "usage_reports",
            "Envoys' reports of usage, by verdict (stored, failed); a report that failed comes again",
            counted(&usage.reports),
        );
        registry.register(
            "usage_records",
            "Records in reports of usage, by verdict (stored, implausible, unreadable, dropped by an Envoy without room)",
            counted(&usage.records),
        );
    }

    fn register_budgets(&self, registry: &mut Registry) {
        let used = Family::<Caller, Gauge<f64, AtomicU64>>::default();
        for (caller, part) in &self.budgets {
            let caller = caller.clone();
            used.get_or_create(&Caller { caller }).set(*part);
        }
        registry.register(
            "budget_used_ratio",
            "Part of a caller's monthly budget that is used, 1 for all; `*` stands for everybody together",
            used,
        );
    }

    fn register_credentials(&self, registry: &mut Registry) {
        let expiry = Family::<Channel, Gauge>::default();
        let failing = Family::<Channel, Gauge>::default();
        for status in &self.credentials {
            let label = Channel {
                channel: status.channel.clone(),
                kind: status.kind,
            };
            if let Some(at) = status.expiry {
                expiry
                    .get_or_create(&label)
                    .set(seconds_until(at, self.time));
            }
            let is_failing = i64::from(status.last_error.is_some());
            failing.get_or_create(&label).set(is_failing);
        }
        registry.register_with_unit(
            "credentials_expire_in",
            "Time until the credentials that AWS issued for a channel expire; negative once they \
             have",
            Unit::Seconds,
            expiry,
        );
        registry.register(
            "credentials_failing",
            "1 when the latest attempt to get a channel's credentials from AWS failed",
            failing,
        );
    }
}

/// A method as a label: those that HTTP defines, and one word for everything that a client makes up.
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-9.1>, <https://www.rfc-editor.org/rfc/rfc5789>
fn known(method: &Method) -> &'static str {
    match *method {
        Method::CONNECT => "CONNECT",
        Method::DELETE => "DELETE",
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::TRACE => "TRACE",
        _ => "OTHER",
    }
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let gauge = Gauge::<i64>::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    registry.register(name, help, gauge);
}

fn seconds_until(time: SystemTime, now: SystemTime) -> i64 {
    let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(now) {
        Ok(left) => seconds(left),
        Err(error) => -seconds(error.duration()),
    }
}
