//! What the gateway says about itself and its channels on the client's port.

use std::collections::BTreeMap;
use std::time::Duration;

use bedrock_filter::call::Headers;
use bedrock_filter::config::KeyDigest;
use bedrock_filter::exchange::{Arrival, Exchange, Step};
use bedrock_filter::health::{Ledger, Trouble};
use harness::{answer, headers, now, routes, send_to};
use serde_json::{Value, json};

const ARN: &str =
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456";

/// One that says which model is behind it.
const PROFILE: &str = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// Two channels that serve one model, and one that lacks credentials.
fn config() -> Value {
    let key = json!({
        "type": "static",
        "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    });
    json!({
        "revision": 7,
        "channels": [
            {"name": "two", "region": "eu-west-1", "credentials": key, "models": ["nova-pro", "nova-lite"]},
            {
                "name": "one", "region": "us-east-1", "credentials": key,
                "allow_model_ids": "any",
                "model_mapping": {"mine": "claude-sonnet-4-5"},
                "inference_profile_arn_map": {"claude-sonnet-4-5": ARN},
            },
            {"name": "open", "region": "us-west-2", "credentials": key},
            {"name": "poor", "region": "us-east-1", "credentials": {"type": "unavailable"}, "models": ["other"]},
            {"name": "off", "region": "us-east-1", "credentials": key, "enabled": false},
        ],
    })
}

/// What the workers remember, by channel.
type Memory = BTreeMap<String, Vec<u8>>;

fn exchange(config: &Value) -> Exchange {
    Exchange::new(routes(&config.to_string()))
}

/// Asks for a model, gets this answer, and remembers what it shows.
fn ask(memory: &mut Memory, model: &str, (status, kind): (&str, &str), body: &[u8]) {
    let mut exchange = exchange(&config());
    let request = json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
    let request = request.to_string().into_bytes();
    assert!(
        send_to(&mut exchange, "/v1/chat/completions", &request).is_ok(),
        "{model}"
    );
    assert_eq!(
        exchange.take_seen(),
        None,
        "nothing is known before the answer"
    );
    let head = headers(&[
        (":status", status),
        ("content-type", "application/json"),
        ("x-amzn-errortype", kind),
    ]);
    answer(&mut exchange, head, body, &[]);
    let Some(seen) = exchange.take_seen() else {
        return;
    };
    assert_eq!(exchange.take_seen(), None, "it is told once");
    let stored = memory.entry(seen.channel.clone()).or_default();
    let mut ledger = Ledger::read(stored);
    ledger.note(&seen, now());
    *stored = ledger.to_bytes();
}

fn get(path: &str) -> Headers {
    headers(&[
        (":method", "GET"),
        (":path", path),
        (":authority", "gateway.example"),
    ])
}

/// What is answered; with the status.
fn health(memory: &Memory, path: &str) -> (u16, Value) {
    let mut exchange = exchange(&config());
    let mut step = exchange.request_headers(get(path), Arrival::Complete);
    if exchange.asks_health() {
        assert_eq!(step, Step::Wait);
        let soon = now() + Duration::from_secs(1);
        step = exchange.health(soon, &mut |channel| {
            Ledger::read(memory.get(channel).map_or(&[][..], Vec::as_slice))
        });
    }
    assert!(exchange.is_done());
    let Step::Reply(reply) = step else {
        panic!("{path}: {step:?}");
    };
    (
        reply.status.as_u16(),
        serde_json::from_slice(&reply.body).unwrap(),
    )
}

/// `channel model reason` of each endpoint in a list.
fn list(told: &Value, name: &str) -> Vec<String> {
    let all = told[format!("{name}_endpoints")].as_array().unwrap();
    assert_eq!(told[format!("{name}_count")], json!(all.len()));
    let words = all.iter().map(|own| {
        let word = |name: &str| own[name].as_str().unwrap_or("-").to_owned();
        assert_eq!(own["error"].is_string(), own["reason"].is_string(), "{own}");
        [word("channel"), word("model"), word("reason")].join(" ")
    });
    words.collect()
}

const ANSWER: &[u8] = br#"{"content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
const NOVA: &[u8] = br#"{"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}"#;

#[test]
fn what_nobody_has_asked_is_not_known() {
    let (status, told) = health(&Memory::new(), "/health");
    assert_eq!(status, 200);
    assert_eq!(list(&told, "healthy"), [""; 0]);
    assert_eq!(list(&told, "unhealthy"), ["poor other no_credentials"]);
    let unknown = [
        "two nova-lite -",
        "two nova-pro -",
        "one claude-sonnet-4-5 -",
        "one mine -",
        "open * -",
    ];
    assert_eq!(list(&told, "unknown"), unknown);
}

#[test]
fn real_answers_show_how_the_channels_are() {
    let mut memory = Memory::new();
    ask(&mut memory, "mine", ("200", ""), ANSWER);
    ask(
        &mut memory,
        "nova-pro",
        ("429", "ThrottlingException"),
        b"{}",
    );
    ask(&mut memory, "nova-lite", ("200", ""), NOVA);
    // One that nobody wrote down.
    ask(
        &mut memory,
        "claude-haiku-4-5",
        ("500", "InternalServerException"),
        b"{}",
    );
    let (_, told) = health(&memory, "/health/");
    assert_eq!(list(&told, "healthy"), ["two nova-lite -", "one mine -"]);
    let unhealthy = [
        "two nova-pro throttled",
        "one claude-haiku-4-5 unavailable",
        "poor other no_credentials",
    ];
    assert_eq!(list(&told, "unhealthy"), unhealthy);
    assert_eq!(
        list(&told, "unknown"),
        ["one claude-sonnet-4-5 -", "open * -"]
    );
    let seconds = now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert_eq!(
        told["healthy_endpoints"][0]["last_answered"],
        json!(seconds)
    );
    assert_eq!(told["healthy_endpoints"][0]["region"], "eu-west-1");
    // An answer makes it healthy again.
    ask(&mut memory, "nova-pro", ("200", ""), NOVA);
    let (_, told) = health(&memory, "/health?model=nova-pro");
    assert_eq!(list(&told, "healthy"), ["two nova-pro -"]);
    assert_eq!(
        list(&told, "unknown"),
        ["one nova-pro -", "open nova-pro -"]
    );
    assert_eq!(list(&told, "unhealthy"), [""; 0]);
}

/// An answer of which half has come, as Envoy then says that the connection broke.
#[test]
fn an_answer_that_breaks_off_shows_its_channel_in_trouble() {
    let mut exchange = exchange(&config());
    let request = json!({"model": "nova-pro", "messages": [{"role": "user", "content": "Hi"}]});
    let request = request.to_string().into_bytes();
    assert!(!exchange.awaits_more());
    send_to(&mut exchange, "/v1/chat/completions", &request).unwrap();
    let head = headers(&[(":status", "200"), ("content-type", "application/json")]);
    exchange.response_headers(head, Arrival::Partial);
    let half = &NOVA[..20];
    assert_eq!(
        exchange.response_body(half.len(), Arrival::Partial, &mut || half.to_vec()),
        Step::Wait
    );
    assert!(exchange.awaits_more());
    exchange.broke_off();
    let seen = exchange.take_seen().unwrap();
    assert_eq!(
        (&*seen.channel, seen.trouble),
        ("two", Some(Trouble::Unavailable))
    );
    assert!(!exchange.awaits_more());
    // One that is whole cannot break any more.
    let mut whole = self::exchange(&config());
    send_to(&mut whole, "/v1/chat/completions", &request).unwrap();
    let head = headers(&[(":status", "200"), ("content-type", "application/json")]);
    answer(&mut whole, head, NOVA, &[]);
    assert!(!whole.awaits_more());
    whole.broke_off();
    assert_eq!(whole.take_seen().unwrap().trouble, None);
}

#[test]
fn refused_credentials_are_about_every_model_of_a_channel() {
    let mut memory = Memory::new();
    ask(&mut memory, "nova-pro", ("200", ""), NOVA);
    let refused = ("403", "UnrecognizedClientException");
    ask(&mut memory, "nova-lite", refused, b"{}");
    let (_, told) = health(&memory, "/health");
    let unhealthy = [
        "two nova-lite credentials",
        "two nova-pro credentials",
        "poor other no_credentials",
    ];
    assert_eq!(list(&told, "unhealthy"), unhealthy);
}

#[test]
fn a_fault_of_the_request_says_nothing_about_the_channel() {
    let mut memory = Memory::new();
    ask(
        &mut memory,
        "nova-pro",
        ("400", "ValidationException"),
        b"{}",
    );
    assert!(memory.is_empty());
    let (_, told) = health(&memory, "/health?model=nova-pro");
    assert_eq!(list(&told, "unknown").len(), 3);
}

#[test]
fn no_arn_and_no_secret_is_told() {
    let mut memory = Memory::new();
    ask(&mut memory, PROFILE, ("200", ""), ANSWER);
    let (_, told) = health(&memory, "/health");
    assert!(
        list(&told, "healthy").contains(&"one (an ARN) -".to_owned()),
        "{told}"
    );
    let (_, asked) = health(
        &memory,
        &format!("/health?model={}", PROFILE.replace('/', "%2F")),
    );
    assert_eq!(list(&asked, "healthy"), ["one (an ARN) -"]);
    for told in [told, asked] {
        let text = told.to_string();
        assert!(
            !text.contains("arn:") && !text.contains("123456789012"),
            "{text}"
        );
        assert!(!text.contains("wJalr") && !text.contains("AKID"), "{text}");
    }
}

#[test]
fn a_model_that_nobody_serves_is_not_found() {
    let (status, told) = health(&Memory::new(), "/health?model=no+such%2Dmodel");
    assert_eq!(status, 404);
    assert_eq!(told["error"]["code"], "model_not_found");
    let message = told["error"]["message"].as_str().unwrap();
    assert!(message.contains("no such-model"), "{message}");
}

#[test]
fn load_balancers_are_answered() {
    for path in [
        "/health/liveliness",
        "/health/liveness",
        "/health/liveness/",
    ] {
        assert_eq!(
            health(&Memory::new(), path),
            (200, json!("I'm alive!")),
            "{path}"
        );
    }
    let ready = json!({"status": "healthy", "revision": 7});
    assert_eq!(health(&Memory::new(), "/health/readiness"), (200, ready));
    for path in ["/health", "/health/liveliness", "/health/readiness"] {
        let head = |method: &str| {
            let mut head = get(path);
            head.0[0].1 = method.into();
            head
        };
        let mut exchange = exchange(&config());
        let step = exchange.request_headers(head("HEAD"), Arrival::Complete);
        assert!(
            matches!(step, Step::Reply(_)) || exchange.asks_health(),
            "{path}"
        );
        let step = self::exchange(&config()).request_headers(head("POST"), Arrival::Partial);
        let Step::Reply(reply) = step else {
            panic!("{path}: {step:?}");
        };
        assert_eq!(reply.status, 405, "{path}");
    }
}

#[test]
fn they_are_somebody_elses_where_they_are_switched_off() {
    let mut config = config();
    config["health_endpoints"] = json!(false);
    for path in ["/health", "/health/liveliness", "/health/readiness"] {
        let step = exchange(&config).request_headers(get(path), Arrival::Complete);
        assert_eq!(step, Step::Pass, "{path}");
    }
    for path in [
        "/health/other",
        "/healthz",
        "/v1/health",
        "/health/liveliness/x",
    ] {
        let step = exchange(&self::config()).request_headers(get(path), Arrival::Complete);
        assert_eq!(step, Step::Pass, "{path}");
    }
}

#[test]
fn who_hides_channels_from_answers_hides_them_here() {
    let mut config = config();
    config["failover"] = json!({"answer_headers": false});
    let mut exchange = exchange(&config);
    exchange.request_headers(get("/health"), Arrival::Complete);
    let Step::Reply(reply) = exchange.health(now(), &mut |_| Ledger::default()) else {
        panic!("no reply");
    };
    let told: Value = serde_json::from_slice(&reply.body).unwrap();
    assert!(told["unknown_count"].as_u64() > Some(3));
    assert!(!told.to_string().contains("\"channel\""), "{told}");
}

/// What a caller with these rights is told.
fn told_to(rights: &Value, path: &str) -> (u16, Value) {
    let mut config = config();
    let mut caller = json!({
        "name": "a",
        "keys": [{"sha256": KeyDigest::of(b"sk-a").to_string()}],
    });
    for (name, value) in rights.as_object().unwrap() {
        caller[name] = value.clone();
    }
    config["callers"] = json!({"mode": "required", "entries": [caller]});
    let mut exchange = exchange(&config);
    exchange.set_now(now());
    let mut head = get(path);
    head.add("api-key", "sk-a");
    let mut step = exchange.request_headers(head, Arrival::Complete);
    if exchange.asks_health() {
        // Somebody else has asked for this one.
        let mut memory = Memory::new();
        ask(
            &mut memory,
            "claude-haiku-4-5",
            ("500", "InternalServerException"),
            b"{}",
        );
        step = exchange.health(now(), &mut |channel| {
            Ledger::read(memory.get(channel).map_or(&[][..], Vec::as_slice))
        });
    }
    let Step::Reply(reply) = step else {
        panic!("{path}: {step:?}");
    };
    let body = serde_json::from_slice(&reply.body).unwrap();
    (reply.status.as_u16(), body)
}

#[test]
fn a_caller_is_told_of_nothing_that_it_may_not_use() {
    let all = |rights: Value, path: &str| {
        let (status, told) = told_to(&rights, path);
        assert_eq!(status, 200, "{told}");
        let lists = ["healthy", "unhealthy", "unknown"];
        let all = lists.iter().flat_map(|name| list(&told, name));
        all.collect::<Vec<_>>()
    };
    let everything = all(json!({}), "/health");
    assert_eq!(everything.len(), 7, "{everything:?}");
    assert_eq!(
        all(json!({"channels": ["two", "poor"]}), "/health"),
        [
            "poor other no_credentials",
            "two nova-lite -",
            "two nova-pro -"
        ]
    );
    assert_eq!(
        all(
            json!({"channels": ["two", "one"], "models": ["nova-*", "mine"]}),
            "/health"
        ),
        ["two nova-lite -", "two nova-pro -", "one mine -"]
    );
    assert_eq!(
        all(json!({"channels": ["two"]}), "/health?model=nova-pro"),
        ["two nova-pro -"]
    );
    let (status, _) = told_to(&json!({"models": ["nova-lite"]}), "/health?model=nova-pro");
    assert_eq!(status, 404);
}

/// A first installation has none yet, and its pods have to become ready.
#[test]
fn a_gateway_without_channels_is_ready() {
    let mut exchange = exchange(&json!({"revision": 1, "channels": []}));
    let step = exchange.request_headers(get("/health/readiness"), Arrival::Complete);
    let Step::Reply(reply) = step else {
        panic!("{step:?}");
    };
    assert_eq!(reply.status, 200);
    let told: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(told, json!({"status": "healthy", "revision": 1}));
}
