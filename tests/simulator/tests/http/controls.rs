//! Headers that concern Bedrock itself.

use bedrock_simulator::{Effect, Fault};
use serde_json::json;

use crate::client::{Call, HAIKU, body, events, start};

const GUARDRAIL: [(&str, &str); 2] = [
    ("x-amzn-bedrock-guardrailidentifier", "abc123"),
    ("x-amzn-bedrock-guardrailversion", "DRAFT"),
];

fn call(headers: &[(&'static str, &str)]) -> Call {
    let mut call = Call::invoke(HAIKU, &body("Hi"));
    let owned = headers
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    call.headers.extend(owned);
    call
}

#[tokio::test]
async fn values_are_checked() {
    let simulator = start().await;
    let metadata = "x-amzn-bedrock-request-metadata";
    let seventeen: serde_json::Map<_, _> = (0..17).map(|n| (format!("k{n}"), json!("v"))).collect();
    let seventeen = json!(seventeen).to_string();
    for (name, value, status) in [
        ("x-amzn-bedrock-service-tier", "flex", 200),
        ("x-amzn-bedrock-service-tier", "auto", 400),
        ("x-amzn-bedrock-performanceconfig-latency", "optimized", 200),
        ("x-amzn-bedrock-performanceconfig-latency", "fast", 400),
        ("x-amzn-bedrock-trace", "ENABLED", 200),
        ("x-amzn-bedrock-trace", "enabled", 400),
        (metadata, r#"{"team":"a"}"#, 200),
        (metadata, r#"{"team":1}"#, 400),
        (metadata, r#"{"team":"a*b"}"#, 400),
        (metadata, "{}", 400),
        (metadata, "team", 400),
        (metadata, seventeen.as_str(), 400),
        ("x-amzn-bedrock-guardrailidentifier", "abc", 400),
    ] {
        let response = call(&[(name, value)]).send(&simulator).await;
        assert_eq!(response.status(), status, "{name}: {value}");
    }
    let version = [GUARDRAIL[0], ("x-amzn-bedrock-guardrailversion", "v1")];
    assert_eq!(call(&version).send(&simulator).await.status(), 400);
}

#[tokio::test]
async fn tier_and_latency_are_echoed() {
    let simulator = start().await;
    let names = [
        "x-amzn-bedrock-service-tier",
        "x-amzn-bedrock-performanceconfig-latency",
    ];
    let asked = call(&[(names[0], "priority"), (names[1], "optimized")]);
    let response = asked.send(&simulator).await;
    assert_eq!(response.headers()[names[0]], "priority");
    assert_eq!(response.headers()[names[1]], "optimized");
    let plain = call(&[]).send(&simulator).await;
    assert!(
        names
            .iter()
            .all(|name| !plain.headers().contains_key(*name))
    );
}

#[tokio::test]
async fn a_guardrail_reports_what_it_did() {
    let simulator = start().await;
    let watched = call(&[
        GUARDRAIL[0],
        GUARDRAIL[1],
        ("x-amzn-bedrock-trace", "ENABLED"),
    ]);
    let (_, answer) = watched.json(&simulator).await;
    assert_eq!(answer["amazon-bedrock-guardrailAction"], "NONE");
    assert!(answer["amazon-bedrock-trace"]["guardrail"].is_object());
    let (_, untraced) = call(&GUARDRAIL).json(&simulator).await;
    assert!(untraced.get("amazon-bedrock-trace").is_none());
    simulator.inject(Fault::new(Effect::GuardrailIntervened {
        message: "Blocked.".into(),
    }));
    let mut streamed = watched;
    streamed.path = streamed
        .path
        .replace("/invoke", "/invoke-with-response-stream");
    let bytes = streamed.send(&simulator).await.bytes().await.unwrap();
    let end = events(&bytes).pop().unwrap();
    assert_eq!(end["amazon-bedrock-guardrailAction"], "INTERVENED");
}

#[tokio::test]
async fn the_guardrails_field_needs_a_guardrail() {
    let simulator = start().await;
    for (headers, config, status) in [
        (&GUARDRAIL[..], json!({"tagSuffix": "xyz"}), 200),
        (&GUARDRAIL[..], json!({"tagSuffix": "x-y"}), 400),
        (&GUARDRAIL[..], json!({"suffix": "xyz"}), 400),
        (&[], json!({"tagSuffix": "xyz"}), 400),
    ] {
        let mut request = body("Hi");
        request["amazon-bedrock-guardrailConfig"] = config.clone();
        let mut call = call(headers);
        call.body = request.to_string().into_bytes();
        assert_eq!(call.send(&simulator).await.status(), status, "{config}");
    }
}
