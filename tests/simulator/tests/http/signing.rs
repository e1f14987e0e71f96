//! Who may call: signatures, tokens, regions, bearer keys.

use std::time::{Duration, SystemTime};

use bedrock_simulator::{Key, Simulator, Verdict};
use serde_json::json;

use crate::client::{Call, HAIKU, SECRET, SONNET, body, builder, http, key, start};

const PROFILE: &str =
    "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123def456";

#[tokio::test]
async fn signed_requests_for_ids_profiles_and_arns_are_served() {
    let simulator = start().await;
    let raw_colons = PROFILE.replace("%3A", ":");
    for model in [HAIKU, SONNET, PROFILE, &raw_colons] {
        let (status, answer) = Call::invoke(model, &body("Hi")).json(&simulator).await;
        assert_eq!(
            (status, &answer["content"][0]["text"]),
            (200, &json!("You said: Hi")),
            "{model}"
        );
    }
    let paths: Vec<String> = simulator.requests().into_iter().map(|r| r.path).collect();
    assert_eq!(
        paths[2],
        format!("/model/{PROFILE}/invoke"),
        "the raw path is recorded"
    );
}

#[tokio::test]
async fn refusals_carry_the_type_header_and_a_request_id() {
    let simulator = start().await;
    let mut call = Call::invoke(HAIKU, &body("Hi"));
    call.key = Key::new("AKIDEXAMPLE", "wrong");
    let response = call.send(&simulator).await;
    assert_eq!(response.status(), 403);
    assert_eq!(
        response.headers()["x-amzn-errortype"],
        "InvalidSignatureException:http://internal.amazon.com/coral/com.amazon.bedrock/"
    );
    assert_eq!(response.headers()["x-amzn-requestid"].len(), 36);
    let answer: serde_json::Value = response.json().await.unwrap();
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .starts_with("The request signature we calculated")
    );
}

/// The status and the exception name of the only refusal.
async fn verdict(simulator: &Simulator, call: &Call) -> (u16, String) {
    simulator.clear();
    let response = call.send(simulator).await;
    let status = response.status().as_u16();
    match &simulator.requests()[0].verdict {
        Verdict::Refused {
            status: recorded,
            name,
            ..
        } => {
            assert_eq!(*recorded, status);
            (status, name.clone())
        }
        other => (status, format!("{other:?}")),
    }
}

#[tokio::test]
async fn keys_tokens_clocks_and_scopes_are_checked() {
    let simulator = builder()
        .credentials(Key::new("AKIDTEMPORARY", SECRET).with_session_token("token//+="))
        .credentials(
            Key::new("AKIDEXPIRED", SECRET)
                .with_session_token("old")
                .expired(),
        )
        .start()
        .await
        .unwrap();
    let call = |edit: &dyn Fn(&mut Call)| {
        let mut call = Call::invoke(HAIKU, &body("Hi"));
        edit(&mut call);
        call
    };
    let temporary = || Key::new("AKIDTEMPORARY", SECRET);
    for (what, call, status, name) in [
        (
            "token",
            call(&|c| c.key = temporary().with_session_token("token//+=")),
            200,
            "Accepted",
        ),
        (
            "no token",
            call(&|c| c.key = temporary()),
            403,
            "UnrecognizedClientException",
        ),
        (
            "other token",
            call(&|c| c.key = temporary().with_session_token("x")),
            403,
            "UnrecognizedClientException",
        ),
        (
            "expired",
            call(&|c| c.key = Key::new("AKIDEXPIRED", SECRET).with_session_token("old")),
            403,
            "ExpiredTokenException",
        ),
        (
            "unknown key",
            call(&|c| c.key = Key::new("AKIDOTHER", SECRET)),
            403,
            "UnrecognizedClientException",
        ),
        (
            "late",
            call(&|c| c.skew = -400),
            403,
            "InvalidSignatureException",
        ),
        (
            "early",
            call(&|c| c.skew = 400),
            403,
            "InvalidSignatureException",
        ),
        (
            "region",
            call(&|c| c.region = "eu-west-1"),
            403,
            "InvalidSignatureException",
        ),
    ] {
        assert_eq!(
            verdict(&simulator, &call).await,
            (status, name.to_owned()),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_key_may_be_added_at_run_time_and_expire() {
    let simulator = start().await;
    let mut call = Call::invoke(HAIKU, &body("Hi"));
    let (now, hour) = (SystemTime::now(), Duration::from_secs(3600));
    for (id, expiry, expected) in [
        ("ASIALIVE", now + hour, (200, "Accepted")),
        ("ASIAOVER", now - hour, (403, "ExpiredTokenException")),
    ] {
        call.key = Key::new(id, SECRET).with_session_token(id);
        let unknown = (403, "UnrecognizedClientException".to_owned());
        assert_eq!(verdict(&simulator, &call).await, unknown, "{id}");
        simulator.admit(call.key.clone().until(expiry));
        let (status, name) = verdict(&simulator, &call).await;
        assert_eq!((status, name.as_str()), expected, "{id}");
    }
}

#[tokio::test]
async fn an_unsigned_request_lacks_a_token_and_a_bearer_key_is_enough() {
    let simulator = builder()
        .bearer_key("bedrock-api-key-EXAMPLE")
        .start()
        .await
        .unwrap();
    let url = format!("{}/model/{HAIKU}/invoke", simulator.url());
    let post = |authorization: Option<&str>| {
        let request = http().build().unwrap().post(&url);
        let request = request.body(body("Hi").to_string());
        authorization
            .map(|value| request.try_clone().unwrap().header("authorization", value))
            .unwrap_or(request)
    };
    assert_eq!(post(None).send().await.unwrap().status(), 403);
    assert_eq!(
        post(Some("Bearer other")).send().await.unwrap().status(),
        403
    );
    assert_eq!(post(Some("Basic QQ==")).send().await.unwrap().status(), 400);
    assert_eq!(
        post(Some("Bearer bedrock-api-key-EXAMPLE"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn keys_are_limited_to_their_regions_and_accounts() {
    let simulator = builder()
        .region("us-east-1")
        .region("eu-west-1")
        .credentials(
            Key::new("AKIDEUROPE", SECRET)
                .with_regions(["eu-west-1"])
                .with_account("210987654321"),
        )
        .start()
        .await
        .unwrap();
    let mut call = Call::invoke(HAIKU, &body("Hi"));
    call.region = "eu-west-1";
    assert_eq!(verdict(&simulator, &call).await.0, 200, "an unlimited key");
    call.key = Key::new("AKIDEUROPE", SECRET);
    assert_eq!(verdict(&simulator, &call).await.0, 200, "its own region");
    call.region = "us-east-1";
    assert_eq!(
        verdict(&simulator, &call).await,
        (403, "AccessDeniedException".into())
    );
    let arn = PROFILE.replace("us-east-1", "eu-west-1");
    let mut call = Call::invoke(&arn, &body("Hi"));
    call.region = "eu-west-1";
    assert_eq!(verdict(&simulator, &call).await.0, 200);
    call.key = Key::new("AKIDEUROPE", SECRET);
    assert_eq!(
        verdict(&simulator, &call).await,
        (403, "AccessDeniedException".into())
    );
    call.key = key();
    call.path = format!("/model/{PROFILE}/invoke");
    assert_eq!(
        verdict(&simulator, &call).await,
        (400, "ValidationException".into()),
        "ARN of another region"
    );
}

#[tokio::test]
async fn http_2_carries_the_host_as_authority() {
    let simulator = start().await;
    let call = Call::invoke(HAIKU, &body("Hi"));
    let client = http().http2_prior_knowledge();
    let mut request = client
        .build()
        .unwrap()
        .post(format!("{}{}", simulator.url(), call.path));
    for (name, value) in call.signed_headers(&simulator.addr().to_string()) {
        if name != "host" {
            request = request.header(name, value);
        }
    }
    let response = request.body(call.body).send().await.unwrap();
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
    assert_eq!(response.status(), 200);
}
