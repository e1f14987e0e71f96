use std::time::Duration;

use serde_json::json;

use super::*;
use crate::config::Failover;
use crate::protocol::openai_chat::Chat;
use crate::routes::testing;

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

/// Relays a request of an ordinary client.
fn relay(
    dispatcher: &Rc<Dispatcher>,
    routes: &Arc<Routes>,
    body: Vec<u8>,
    now: SystemTime,
) -> Result<(Rc<Relay>, Plan), Error> {
    let hold = dispatcher.hold(routes, Client::default(), body.len())?;
    dispatcher.relay(routes, &Chat, (body, hold), now)
}

fn plan(dispatcher: &Rc<Dispatcher>, routes: &Arc<Routes>) -> (Rc<Relay>, Plan) {
    relay(dispatcher, routes, body(), now()).unwrap()
}

#[test]
fn requests_are_shared_by_weight_and_the_same_every_time() {
    let routes = routes(&[("a", 0, 3), ("b", 0, 1), ("c", 1, 100)]);
    let run = || {
        let dispatcher = Rc::new(Dispatcher::default());
        (0..400)
            .map(|_| plan(&dispatcher, &routes).1.cluster)
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
    let dispatcher = Rc::new(Dispatcher::default());
    let (relay, first) = plan(&dispatcher, &routes);
    assert_eq!(first.cluster, "bedrock|pool|a|b");
    assert_eq!(first.retries, 1);
    assert!(relay.begin("a", now()).is_some());
    // Envoy tries the next one without a word: the first did not even answer.
    assert!(relay.begin("b", now()).is_some());
    relay.answered();
    assert_eq!(relay.attempts(), (Some("b".to_owned()), 2));
    assert_eq!(plan(&dispatcher, &routes).1.cluster, "bedrock|pool|b|a");
    let later = now() + Duration::from_secs(2);
    let (relay, probe) = self::relay(&dispatcher, &routes, body(), later).unwrap();
    assert_eq!(probe.cluster, "bedrock|pool|a|b");
    relay.begin("a", later);
    relay.answered();
    assert_eq!(plan(&dispatcher, &routes).1.cluster, "bedrock|pool|a|b");
}

#[test]
fn channels_that_all_pause_are_tried_all_the_same() {
    let routes = routes(&[("a", 0, 1), ("b", 1, 1)]);
    let dispatcher = Rc::new(Dispatcher::default());
    let (relay, _) = plan(&dispatcher, &routes);
    for channel in ["a", "b"] {
        assert!(relay.begin(channel, now()).is_some());
        relay.failed(Failure::Unavailable, None, now());
    }
    let health = dispatcher.health.borrow();
    for channel in ["a", "b"] {
        let route = routes.route_on(channel, "claude-sonnet-4-5").unwrap();
        assert!(!health.is_well(target(&route), routes.revision(), now()));
    }
    drop(health);
    assert_eq!(plan(&dispatcher, &routes).1.cluster, "bedrock|pool|a|b");
}

#[test]
fn an_attempt_needs_a_channel_that_serves_the_request() {
    let routes = routes(&[("a", 0, 1), ("b", 0, 1)]);
    let dispatcher = Rc::new(Dispatcher::default());
    let (relay, _) = plan(&dispatcher, &routes);
    assert!(relay.begin("a", now()).is_some());
    relay.failed(Failure::Throttled(None), None, now());
    assert!(relay.begin("unknown", now()).is_none());
    assert!(relay.begin("b", now()).is_some());
    assert_eq!(relay.attempts(), (Some("b".to_owned()), 2));
}

#[test]
fn every_attempt_has_the_longest_time_that_one_of_the_pool_asks_for() {
    let channels = [
        json!({"name": "a", "first_byte_timeout_seconds": 5}),
        json!({"name": "b", "first_byte_timeout_seconds": 90}),
        // Not in one pool with the others.
        json!({"name": "c", "endpoint": "http://127.0.0.1:1", "first_byte_timeout_seconds": 200}),
    ];
    let routes = Arc::new(testing::routes(&channels, Some(Failover::default())));
    let dispatcher = Rc::new(Dispatcher::default());
    let stream =
        br#"{"model":"nova-pro","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
    for _ in 0..20 {
        let (_, plan) = relay(&dispatcher, &routes, stream.to_vec(), now()).unwrap();
        let expected = if plan.cluster == "bedrock|pool|c" {
            200
        } else {
            90
        };
        assert_eq!(plan.timeout, Duration::from_secs(expected), "{plan:?}");
    }
}

#[test]
fn requests_make_a_detour_while_no_attempts_are_made() {
    let routes = routes(&[("a", 0, 1)]);
    let dispatcher = Rc::new(Dispatcher::default());
    let (relay, _) = plan(&dispatcher, &routes);
    assert!(!relay.was_tried(now()));
    assert!(!dispatcher.reaches_pools(now()));
    assert!(dispatcher.reaches_pools(now() + Duration::from_secs(10)));
    let (relay, _) = plan(&dispatcher, &routes);
    relay.begin("a", now());
    let later = now() + Duration::from_secs(20);
    assert!(relay.was_tried(later));
    assert!(dispatcher.reaches_pools(later));
}

#[test]
fn what_is_held_is_limited_for_each_client_and_given_back() {
    let failover = Failover {
        max_held_bytes: body().len() * 4,
        ..Failover::default()
    };
    let routes = Arc::new(testing::routes(&[json!({"name": "a"})], Some(failover)));
    let dispatcher = Rc::new(Dispatcher::default());
    let (one, two) = (plan(&dispatcher, &routes), plan(&dispatcher, &routes));
    let refused = relay(&dispatcher, &routes, body(), now()).err().unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code),
        (503, Some("overloaded"))
    );
    assert!(refused.retry_after.is_some());
    let event = dispatcher.take_events().pop().unwrap();
    assert_eq!(
        (event.channel, event.what, event.reason),
        (None, What::Overload, "client")
    );
    let other = dispatcher.hold(&routes, Client::at(b"10.0.0.1:1"), body().len());
    let other = dispatcher.relay(&routes, &Chat, (body(), other.unwrap()), now());
    assert!(other.is_ok(), "there is room for others");
    drop((one, other));
    let three = plan(&dispatcher, &routes);
    drop((two, three));
    assert!(dispatcher.held.is_empty());
}

#[test]
fn a_request_that_nobody_can_carry_is_the_clients_error() {
    let routes = routes(&[("a", 0, 1)]);
    let dispatcher = Rc::new(Dispatcher::default());
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
        let error = relay(&dispatcher, &routes, body.into(), now())
            .err()
            .unwrap();
        assert_eq!(error.status, status, "{error}");
    }
    assert!(dispatcher.held.is_empty());
}

/// The order in which channels are tried, and the retries.
fn planned(routes: &Arc<Routes>, dispatcher: &Rc<Dispatcher>, now: SystemTime) -> Plan {
    relay(dispatcher, routes, body(), now).unwrap().1
}

#[test]
fn a_channel_without_credentials_is_no_attempt() {
    let channels = [
        json!({"name": "a", "credentials": {"type": "unavailable"}}),
        json!({"name": "b", "priority": 1}),
        json!({"name": "c", "priority": 2}),
    ];
    let routes = Arc::new(testing::routes(&channels, Some(Failover::default())));
    let dispatcher = Rc::new(Dispatcher::default());
    let plan = planned(&routes, &dispatcher, now());
    assert_eq!(
        (plan.cluster.as_str(), plan.retries),
        ("bedrock|pool|b|c", 1)
    );
    assert!(routes.pools().contains_key(&plan.cluster));
    assert!(routes.pools().keys().all(|name| !name.contains("|a")));
    assert!(dispatcher.take_events().is_empty());
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
    let dispatcher = Rc::new(Dispatcher::default());
    let later = now() + Duration::from_secs(10);
    let both = Arc::new(testing::routes(&channels, Some(Failover::default())));
    assert_eq!(
        planned(&both, &dispatcher, now()).cluster,
        "bedrock|pool|a|b"
    );
    assert_eq!(
        planned(&both, &dispatcher, later).cluster,
        "bedrock|pool|b|a"
    );
    let alone = Arc::new(testing::routes(&channels[..1], Some(Failover::default())));
    assert_eq!(
        planned(&alone, &dispatcher, now()).cluster,
        "bedrock|pool|a"
    );
    let error = relay(&dispatcher, &alone, body(), later).err().unwrap();
    assert_eq!(error.code, Some("credentials_unavailable"));
    assert_eq!((error.status.as_u16(), error.retry_after), (503, Some(10)));
    assert!(dispatcher.held.is_empty());
}

/// How an attempt ends.
type Ending = fn(&Relay);

#[test]
fn every_end_of_an_attempt_is_counted_by_its_reason() {
    let ends: [(&str, bool, Ending); 6] = [
        ("answered", false, |relay| relay.answered()),
        ("refused", false, |relay| relay.refused(None)),
        ("unavailable", true, |relay| {
            relay.failed(Failure::Unavailable, None, now());
        }),
        // It did not answer at all.
        ("unavailable", true, |relay| relay.note_silence(now())),
        ("throttled", true, |relay| {
            let time = Duration::from_secs(7);
            relay.failed(Failure::Throttled(Some(time)), None, now());
        }),
        ("credentials", true, |relay| {
            relay.failed(Failure::Credentials, None, now());
        }),
    ];
    for (reason, pauses, end) in ends {
        let routes = routes(&[("a", 0, 1), ("b", 1, 1)]);
        let dispatcher = Rc::new(Dispatcher::default());
        let (relay, _) = plan(&dispatcher, &routes);
        relay.begin("a", now()).unwrap();
        end(&relay);
        let event = |what| Event {
            channel: Some("a".to_owned()),
            what,
            reason,
        };
        let mut expected = vec![event(What::Attempt)];
        if pauses {
            expected.push(event(What::Cooldown));
        }
        assert_eq!(dispatcher.take_events(), expected);
        // Envoy goes on after what was the channel's fault.
        relay.begin("b", now()).unwrap();
        let expected = pauses.then(|| event(What::Failover));
        assert_eq!(dispatcher.take_events(), Vec::from_iter(expected));
    }
}

#[test]
fn a_model_without_on_demand_throughput_is_counted_and_called_otherwise() {
    let channels =
        [json!({"name": "a", "cross_region": "off", "retry_with_inference_profile": true})];
    let routes = Arc::new(testing::routes(&channels, Some(Failover::default())));
    let dispatcher = Rc::new(Dispatcher::default());
    let (relay, first) = plan(&dispatcher, &routes);
    assert_eq!(first.retries, 1);
    let route = relay.begin("a", now()).unwrap();
    assert!(route.model_id.starts_with("anthropic."), "{route:?}");
    let error = Error::server(http::StatusCode::BAD_REQUEST, "invalid_request", "no");
    relay.lacks_on_demand(&route, error);
    let again = relay.begin("a", now()).unwrap();
    assert!(again.model_id.starts_with("us.anthropic."), "{again:?}");
    let counted = dispatcher.take_events();
    assert_eq!(counted.len(), 1, "{counted:?}");
    assert_eq!(counted[0].reason, "on_demand_not_supported");
}

#[test]
fn what_is_known_of_a_channel_goes_with_it() {
    let dispatcher = Rc::new(Dispatcher::default());
    let both = routes(&[("a", 0, 1), ("b", 1, 1)]);
    let (relay, plan) = self::plan(&dispatcher, &both);
    assert!(plan.cluster.starts_with("bedrock|pool|a|"));
    relay.begin("a", now()).unwrap();
    relay.failed(Failure::Unavailable, None, now());
    let first = |routes| self::plan(&dispatcher, routes).1.cluster;
    assert!(first(&both).starts_with("bedrock|pool|b|"));
    // An edit of others changes nothing.
    dispatcher.configured(&routes(&[("a", 0, 1), ("b", 1, 1), ("c", 2, 1)]));
    assert!(first(&both).starts_with("bedrock|pool|b|"));
    // Deleted, and made anew: not the same channel.
    dispatcher.configured(&routes(&[("b", 1, 1)]));
    assert!(first(&both).starts_with("bedrock|pool|a|"));
}
