//! Injected faults on plain answers, the control routes, and observers.

use std::sync::{Arc, Mutex};

use bedrock_simulator::{Effect, Fault, Operation, Simulator, Verdict, When};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use crate::client::{Call, HAIKU, SONNET, body, builder, http, start};

fn call() -> Call {
    Call::invoke(HAIKU, &body("Hi"))
}

#[tokio::test]
async fn an_error_has_its_type_message_and_headers() {
    let simulator = start().await;
    simulator.inject(Fault::throttling().with_header("retry-after", "7"));
    let response = call().send(&simulator).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "7");
    let kind = response.headers()["x-amzn-errortype"].to_str().unwrap();
    assert!(kind.starts_with("ThrottlingException:"));
    let answer: Value = response.json().await.unwrap();
    assert_eq!(
        answer,
        json!({"message": "Too many requests, please wait before trying again."})
    );
    assert_eq!(call().send(&simulator).await.status(), 200, "once");
}

#[tokio::test]
async fn any_answer_can_have_more_headers() {
    let simulator = start().await;
    for fault in [
        Fault::new(Effect::None),
        Fault::new(Effect::UnknownOperation),
    ] {
        simulator.inject(fault.with_header("set-cookie", "a=b"));
        let response = call().send(&simulator).await;
        assert_eq!(response.headers()["set-cookie"], "a=b");
        assert_eq!(response.headers()["content-type"], "application/json");
    }
}

#[tokio::test]
async fn front_door_answers_need_not_be_json() {
    let simulator = start().await;
    simulator.inject(Fault::raw(503, "text/plain", "slow down"));
    simulator.inject(Fault::raw(502, "text/html", "<html>Bad Gateway</html>"));
    simulator.inject(Fault::empty(500));
    simulator.inject(Fault::new(Effect::UnknownOperation));
    let mut seen = Vec::new();
    for _ in 0..4 {
        let response = call().send(&simulator).await;
        let kind = response.headers().get("content-type").cloned();
        let kind = kind
            .map(|kind| kind.to_str().unwrap().to_owned())
            .unwrap_or_default();
        seen.push((
            response.status().as_u16(),
            kind,
            response.text().await.unwrap(),
        ));
    }
    let unknown = r#"{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}"#;
    let text = |status, kind: &str, body: &str| (status, kind.to_owned(), body.to_owned());
    assert_eq!(
        seen,
        [
            text(503, "text/plain", "slow down"),
            text(502, "text/html", "<html>Bad Gateway</html>"),
            text(500, "", ""),
            text(200, "application/json", unknown),
        ]
    );
}

#[tokio::test]
async fn a_connection_can_close_without_an_answer() {
    let simulator = start().await;
    for make in [Call::invoke, Call::stream] {
        simulator.inject(Fault::new(Effect::Close));
        let result = make(HAIKU, &body("Hi")).request(&simulator).send().await;
        let error = result.expect_err("no answer");
        assert!(error.is_request(), "{error:?}");
    }
    assert_eq!(call().send(&simulator).await.status(), 200);
}

#[tokio::test]
async fn a_plain_body_can_be_cut() {
    let simulator = start().await;
    simulator.inject(Fault::new(Effect::Cut { after_events: 0 }));
    let response = call().send(&simulator).await;
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn guardrails_and_cached_tokens_show_in_plain_answers() {
    let simulator = start().await;
    simulator.inject(Fault::new(Effect::GuardrailIntervened {
        message: "Blocked.".into(),
    }));
    let (_, blocked) = call().json(&simulator).await;
    assert_eq!(blocked["amazon-bedrock-guardrailAction"], "INTERVENED");
    assert_eq!(blocked["content"][0]["text"], "Blocked.");
    simulator.inject(Fault::new(Effect::CachedTokens { read: 7, write: 3 }));
    let (_, cached) = call().json(&simulator).await;
    assert_eq!(cached["usage"]["cache_read_input_tokens"], 7);
    assert_eq!(cached["usage"]["cache_creation_input_tokens"], 3);
}

#[tokio::test]
async fn a_fault_never_hides_a_bad_request() {
    let simulator = start().await;
    simulator.inject(Fault::throttling());
    let mut bad = call();
    bad.body = b"{}".to_vec();
    assert_eq!(bad.send(&simulator).await.status(), 400);
    assert_eq!(simulator.pending_faults().len(), 1);
    call().send(&simulator).await;
    let faulted = Verdict::Faulted {
        effect: "error".into(),
    };
    assert_eq!(simulator.requests()[1].verdict, faulted);
}

#[tokio::test]
async fn faults_select_their_requests() {
    let simulator = start().await;
    simulator.inject(Fault::throttling().only(When {
        model: Some("sonnet".into()),
        operation: Some(Operation::Invoke),
        ..When::default()
    }));
    assert_eq!(call().send(&simulator).await.status(), 200);
    assert_eq!(
        Call::stream(SONNET, &body("Hi"))
            .send(&simulator)
            .await
            .status(),
        200
    );
    assert_eq!(
        Call::invoke(SONNET, &body("Hi"))
            .send(&simulator)
            .await
            .status(),
        429
    );
}

async fn post(simulator: &Simulator, faults: &Value) -> u16 {
    let url = format!("{}/_simulator/faults", simulator.url());
    http()
        .build()
        .unwrap()
        .post(url)
        .json(faults)
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test]
async fn faults_are_injected_and_dropped_over_http() {
    let simulator = start().await;
    let error = json!({"effect": {"error": {"status": 503, "name": "ServiceUnavailableException", "message": "m"}}, "times": 2});
    assert_eq!(
        post(&simulator, &json!([error, {"effect": "close"}])).await,
        204
    );
    assert_eq!(call().send(&simulator).await.status(), 503);
    assert_eq!(simulator.pending_faults().len(), 2);
    let url = format!("{}/_simulator/faults", simulator.url());
    let pending: Value = http()
        .build()
        .unwrap()
        .get(&url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(pending[0]["times"], 1);
    assert_eq!(
        http()
            .build()
            .unwrap()
            .delete(&url)
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
    assert_eq!(call().send(&simulator).await.status(), 200);
}

#[tokio::test]
async fn a_list_with_a_mistake_injects_nothing() {
    let simulator = start().await;
    let list = json!([{"effect": "close"}, {"effect": "explode"}]);
    assert_eq!(post(&simulator, &list).await, 400);
    assert!(simulator.pending_faults().is_empty());
}

#[tokio::test]
async fn dropping_the_simulator_ends_its_connections_and_frees_the_port() {
    let simulator = start().await;
    let address = simulator.addr();
    let mut idle = tokio::net::TcpStream::connect(address).await.unwrap();
    // One answered request proves that the idle connection was accepted too.
    call().send(&simulator).await;
    drop(simulator);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(
        std::time::Duration::from_secs(20),
        idle.read_to_end(&mut rest),
    );
    let _closed_or_reset = ended.await.expect("the connection ends");
    let again = Simulator::builder().listen(address).start();
    assert_eq!(again.await.unwrap().addr(), address);
}

#[tokio::test]
async fn faults_are_replaced_without_forgetting_what_was_received() {
    let simulator = start().await;
    simulator.inject(Fault::empty(500).times(9));
    assert_eq!(call().send(&simulator).await.status(), 500);
    simulator.replace_faults([Fault::empty(502), Fault::empty(503)]);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(call().send(&simulator).await.status().as_u16());
    }
    assert_eq!(seen, [502, 503, 200]);
    assert_eq!(simulator.requests().len(), 4);
}

#[tokio::test]
async fn an_observer_sees_every_request_with_its_verdict() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let simulator = builder()
        .observer(move |request| noted.lock().unwrap().push(request.verdict.clone()))
        .start()
        .await
        .unwrap();
    simulator.inject(Fault::empty(500));
    let url = format!("{}/model/x/invoke", simulator.url());
    let unsigned = http().build().unwrap().get(url).send().await;
    assert_eq!(unsigned.unwrap().status(), 200);
    call().send(&simulator).await;
    call().send(&simulator).await;
    let effect = "raw".to_owned();
    assert_eq!(
        *seen.lock().unwrap(),
        [
            Verdict::UnknownOperation,
            Verdict::Faulted { effect },
            Verdict::Accepted
        ]
    );
}
