mod breaks;

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::*;
use crate::chat::Error;
use crate::config::Failover;
use crate::health::Trouble;
use crate::protocol::openai_chat::Chat;
use crate::protocol::{Protocol, Said};
use crate::routes::{Routes, testing};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_480_496)
}

/// Channels by name, priority and weight.
fn routes(channels: &[(&str, u32, u32)]) -> Arc<Routes> {
    let channels: Vec<_> = channels
        .iter()
        .map(|(name, priority, weight)| json!({"name": name, "priority": priority, "weight": weight}))
        .collect();
    Arc::new(testing::routes(&channels, Some(Failover::default())))
}

fn body() -> Vec<u8> {
    br#"{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"Hi"}]}"#.to_vec()
}

/// Starts a request of an ordinary client.
fn start(
    picker: &Rc<ChannelPicker>,
    routes: &Arc<Routes>,
    body: Vec<u8>,
    now: SystemTime,
) -> Result<(Rc<RetryableRequest>, Plan), Error> {
    let reservation = picker.reserve(routes, Client::default(), body.len())?;
    let spoken = (&Chat as &'static dyn Protocol, &Said::default());
    RetryableRequest::start(picker, (routes, None), spoken, (body, reservation), now)
}

fn plan(picker: &Rc<ChannelPicker>, routes: &Arc<Routes>) -> (Rc<RetryableRequest>, Plan) {
    start(picker, routes, body(), now()).unwrap()
}

#[test]
fn requests_are_shared_by_weight_and_the_same_every_time() {
    let routes = routes(&[("a", 0, 3), ("b", 0, 1), ("c", 1, 100)]);
    let run = || {
        let picker = Rc::new(ChannelPicker::default());
        (0..400)
            .map(|_| plan(&picker, &routes).1.cluster)
            .collect::<Vec<_>>()
    };
    let clusters = run();
    let to = |first: &str| {
        let prefix = format!("bedrock|pool|{first}|");
        clusters
            .iter()
            .filter(|own| own.starts_with(&prefix))
            .count()
    };
    assert!((270..=330).contains(&to("a")), "{}", to("a"));
    assert!((70..=130).contains(&to("b")), "{}", to("b"));
    assert_eq!(to("c"), 0);
    assert_eq!(clusters, run());
}

#[test]
fn a_channel_that_fails_is_not_first_until_it_answers() {
    let routes = routes(&[("a", 0, 1), ("b", 1, 1)]);
    let picker = Rc::new(ChannelPicker::default());
    let (request, first) = plan(&picker, &routes);
    assert_eq!(first.cluster, "bedrock|pool|a|b");
    assert_eq!(first.retries, 1);
    assert!(request.begin_attempt("a", now()).is_some());
    // Envoy tries the next one without a word: the first did not even answer.
    assert!(request.begin_attempt("b", now()).is_some());
    request.answered();
    assert_eq!(request.last_channel().as_deref(), Some("b"));
    assert_eq!(request.attempts(), 2);
    assert_eq!(plan(&picker, &routes).1.cluster, "bedrock|pool|b|a");
    let later = now() + Duration::from_secs(2);
    let (request, probe) = start(&picker, &routes, body(), later).unwrap();
    assert_eq!(probe.cluster, "bedrock|pool|a|b");
    request.begin_attempt("a", later);
    request.answered();
    assert_eq!(plan(&picker, &routes).1.cluster, "bedrock|pool|a|b");
}

/// Attempts of requests, as Envoy makes them where nothing is answered.
fn counted(picker: &ChannelPicker) -> Vec<(EventKind, &'static str)> {
    let events = picker.take_events().into_iter();
    events.map(|event| (event.kind, event.reason)).collect()
}

#[test]
fn channels_are_tried_even_if_all_of_them_cool_down() {
    let routes = routes(&[("a", 0, 1), ("b", 1, 1)]);
    let picker = Rc::new(ChannelPicker::default());
    let (request, _) = plan(&picker, &routes);
    for channel in ["a", "b"] {
        assert!(request.begin_attempt(channel, now()).is_some());
        request.failed(Failure::Unavailable, None, now());
    }
    let cooldowns = picker.cooldowns.borrow();
    for channel in ["a", "b"] {
        let route = routes.route_on(channel, "claude-sonnet-4-5").unwrap();
        assert!(cooldowns.is_cooling_down(Target::of(&route), routes.revision(), now()));
    }
    drop(cooldowns);
    assert_eq!(plan(&picker, &routes).1.cluster, "bedrock|pool|a|b");
}

#[test]
fn an_attempt_needs_a_channel_that_serves_the_request() {
    let routes = routes(&[("a", 0, 1), ("b", 0, 1)]);
    let picker = Rc::new(ChannelPicker::default());
    let (request, _) = plan(&picker, &routes);
    assert!(request.begin_attempt("a", now()).is_some());
    request.failed(Failure::Throttled(None), None, now());
    assert!(request.begin_attempt("unknown", now()).is_none());
    assert!(request.begin_attempt("b", now()).is_some());
    assert_eq!(request.last_channel().as_deref(), Some("b"));
    assert_eq!(request.attempts(), 2);
}

#[test]
fn every_attempt_has_the_longest_time_that_a_channel_of_the_pool_allows() {
    let channels = [
        json!({"name": "a", "first_byte_timeout_seconds": 5}),
        json!({"name": "b", "first_byte_timeout_seconds": 90}),
        // Not in one pool with the others.
        json!({"name": "c", "endpoint": "http://127.0.0.1:1", "first_byte_timeout_seconds": 200}),
    ];
    let routes = Arc::new(testing::routes(&channels, Some(Failover::default())));
    let picker = Rc::new(ChannelPicker::default());
    let stream =
        br#"{"model":"nova-pro","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
    for _ in 0..20 {
        let (_, plan) = start(&picker, &routes, stream.to_vec(), now()).unwrap();
        let expected = if plan.cluster == "bedrock|pool|c" {
            200
        } else {
            90
        };
        assert_eq!(plan.timeout, Duration::from_secs(expected), "{plan:?}");
    }
}

#[test]
fn requests_bypass_the_pools_while_no_attempts_are_made() {
    let routes = routes(&[("a", 0, 1)]);
    let picker = Rc::new(ChannelPicker::default());
    let (request, _) = plan(&picker, &routes);
    assert!(!request.was_attempted(now()));
    assert!(!picker.uses_pools(now()));
    assert!(picker.uses_pools(now() + Duration::from_secs(10)));
    let (request, _) = plan(&picker, &routes);
    request.begin_attempt("a", now());
    let later = now() + Duration::from_secs(20);
    assert!(request.was_attempted(later));
    assert!(picker.uses_pools(later));
}

#[test]
fn memory_is_limited_for_each_client_and_given_back() {
    let failover = Failover {
        max_held_bytes: body().len() * 4,
        ..Failover::default()
    };
    let routes = Arc::new(testing::routes(&[json!({"name": "a"})], Some(failover)));
    let picker = Rc::new(ChannelPicker::default());
    let (one, two) = (plan(&picker, &routes), plan(&picker, &routes));
    let refused = start(&picker, &routes, body(), now()).err().unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code),
        (503, Some("overloaded"))
    );
    assert!(refused.retry_after.is_some());
    let event = picker.take_events().pop().unwrap();
    assert_eq!(
        (event.channel, event.kind, event.reason),
        (None, EventKind::Overload, "client")
    );
    let other = Client::at(b"10.0.0.1:1");
    let reserved = picker.reserve(&routes, other, body().len()).unwrap();
    let other = RetryableRequest::start(
        &picker,
        (&routes, None),
        (&Chat, &Said::default()),
        (body(), reserved),
        now(),
    );
    assert!(other.is_ok(), "there is room for others");
    drop((one, other));
    let three = plan(&picker, &routes);
    drop((two, three));
    assert!(picker.buffer.is_empty());
}

#[test]
fn a_request_that_no_channel_can_serve_is_the_clients_error() {
    let routes = routes(&[("a", 0, 1)]);
    let picker = Rc::new(ChannelPicker::default());
    for (body, status) in [
        (
            r#"{"model":"no-such","messages":[{"role":"user","content":"x"}]}"#,
            404,
        ),
        (
            r#"{"model":"nova-pro","n":2,"messages":[{"role":"user","content":"x"}]}"#,
            400,
        ),
        ("{", 400),
    ] {
        let error = start(&picker, &routes, body.into(), now()).err().unwrap();
        assert_eq!(error.status, status, "{error}");
    }
    assert!(picker.buffer.is_empty());
}

/// The order in which channels are tried, and the retries.
fn planned(routes: &Arc<Routes>, picker: &Rc<ChannelPicker>, now: SystemTime) -> Plan {
    start(picker, routes, body(), now).unwrap().1
}

#[test]
fn a_channel_without_credentials_does_not_count_as_an_attempt() {
    let channels = [
        json!({"name": "a", "credentials": {"type": "unavailable"}}),
        json!({"name": "b", "priority": 1}),
        json!({"name": "c", "priority": 2}),
    ];
    let routes = Arc::new(testing::routes(&channels, Some(Failover::default())));
    let picker = Rc::new(ChannelPicker::default());
    let plan = planned(&routes, &picker, now());
    assert_eq!(
        (plan.cluster.as_str(), plan.retries),
        ("bedrock|pool|b|c", 1)
    );
    assert!(routes.pools().contains_key(&plan.cluster));
    assert!(routes.pools().keys().all(|name| !name.contains("|a")));
    assert!(picker.take_events().is_empty());
}

#[test]
fn credentials_that_expired_are_not_tried_first_and_not_instead_of_an_answer() {
    let expiry = now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs()
        + 10;
    let key = json!({"type": "bedrock_api_key", "api_key": "k", "expires_at": expiry});
    let channels = [
        json!({"name": "a", "credentials": key}),
        json!({"name": "b", "priority": 1}),
    ];
    let picker = Rc::new(ChannelPicker::default());
    let later = now() + Duration::from_secs(10);
    let both = Arc::new(testing::routes(&channels, Some(Failover::default())));
    assert_eq!(planned(&both, &picker, now()).cluster, "bedrock|pool|a|b");
    assert_eq!(planned(&both, &picker, later).cluster, "bedrock|pool|b|a");
    let alone = Arc::new(testing::routes(&channels[..1], Some(Failover::default())));
    assert_eq!(planned(&alone, &picker, now()).cluster, "bedrock|pool|a");
    let error = start(&picker, &alone, body(), later).err().unwrap();
    assert_eq!(error.code, Some("credentials_unavailable"));
    assert_eq!((error.status.as_u16(), error.retry_after), (503, Some(10)));
    assert!(picker.buffer.is_empty());
}

/// How an attempt ends.
type Ending = fn(&RetryableRequest);

#[test]
fn every_end_of_an_attempt_is_counted_by_its_reason() {
    let ends: [(&str, bool, Ending); 6] = [
        ("answered", false, |request| request.answered()),
        ("refused", false, |request| request.refused(None)),
        ("unavailable", true, |request| {
            request.failed(Failure::Unavailable, None, now());
        }),
        // It did not answer at all.
        ("unavailable", true, |request| {
            request.fail_open_attempt(now())
        }),
        ("throttled", true, |request| {
            let time = Duration::from_secs(7);
            request.failed(Failure::Throttled(Some(time)), None, now());
        }),
        ("credentials", true, |request| {
            request.failed(Failure::Credentials, None, now());
        }),
    ];
    for (reason, cools_down, end) in ends {
        let routes = routes(&[("a", 0, 1), ("b", 1, 1)]);
        let picker = Rc::new(ChannelPicker::default());
        let (request, _) = plan(&picker, &routes);
        request.begin_attempt("a", now()).unwrap();
        end(&request);
        let event = |kind| Event {
            channel: Some("a".to_owned()),
            kind,
            reason,
        };
        let mut expected = vec![event(EventKind::Attempt)];
        if cools_down {
            expected.push(event(EventKind::Cooldown));
        }
        assert_eq!(picker.take_events(), expected);
        // Envoy goes on after what was the channel's fault.
        request.begin_attempt("b", now()).unwrap();
        let expected = cools_down.then(|| event(EventKind::Failover));
        assert_eq!(picker.take_events(), Vec::from_iter(expected));
    }
}

#[test]
fn a_model_without_on_demand_throughput_is_counted_and_called_through_a_profile() {
    let channels =
        [json!({"name": "a", "cross_region": "off", "retry_with_inference_profile": true})];
    let routes = Arc::new(testing::routes(&channels, Some(Failover::default())));
    let picker = Rc::new(ChannelPicker::default());
    let (request, first) = plan(&picker, &routes);
    assert_eq!(first.retries, 1);
    let route = request.begin_attempt("a", now()).unwrap();
    assert!(route.model_id.starts_with("anthropic."), "{route:?}");
    let error = Error::server(http::StatusCode::BAD_REQUEST, "invalid_request", "no");
    request.lacks_on_demand(&route, error);
    let again = request.begin_attempt("a", now()).unwrap();
    assert!(again.model_id.starts_with("us.anthropic."), "{again:?}");
    let counted = picker.take_events();
    assert_eq!(counted.len(), 1, "{counted:?}");
    assert_eq!(counted[0].reason, "on_demand_not_supported");
}

#[test]
fn a_deleted_channel_is_forgotten() {
    let picker = Rc::new(ChannelPicker::default());
    let both = routes(&[("a", 0, 1), ("b", 1, 1)]);
    let (request, plan) = self::plan(&picker, &both);
    assert!(plan.cluster.starts_with("bedrock|pool|a|"));
    request.begin_attempt("a", now()).unwrap();
    request.failed(Failure::Unavailable, None, now());
    let first = |routes| self::plan(&picker, routes).1.cluster;
    assert!(first(&both).starts_with("bedrock|pool|b|"));
    // An edit of others changes nothing.
    picker.use_routes(&routes(&[("a", 0, 1), ("b", 1, 1), ("c", 2, 1)]));
    assert!(first(&both).starts_with("bedrock|pool|b|"));
    // Deleted, and made anew: not the same channel.
    picker.use_routes(&routes(&[("b", 1, 1)]));
    assert!(first(&both).starts_with("bedrock|pool|a|"));
}
