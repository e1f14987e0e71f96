//! What AWS refuses, delays or tells by halves.

use bedrock_simulator::{Effect, Fault, Operation};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{account, ask, channel, only, problems, told};
use crate::common::{ARN, TestService};

#[tokio::test]
async fn a_refusal_loses_nothing_and_is_told() {
    let service = TestService::start().await;
    let bedrock = account().start().await.unwrap();
    let id = service
        .create(&channel(
            &bedrock,
            &json!({"inference_profile_arn_map": {"house": ARN}}),
        ))
        .await;
    let first = told(&service, &id).await;
    let denied = "User: arn:aws:iam::123456789012:user/gateway is not authorized to perform: bedrock:ListInferenceProfiles on resource: * because no identity-based policy allows the bedrock:ListInferenceProfiles action";
    bedrock.inject(
        Fault::error(403, "AccessDeniedException", denied)
            .only(only(Operation::ListInferenceProfiles))
            .times(2),
    );
    bedrock.inject(
        Fault::error(403, "AccessDeniedException", denied)
            .only(only(Operation::GetInferenceProfile)),
    );
    let report = told(&service, &id).await;
    assert_eq!(
        problems(&report),
        [
            "ListInferenceProfiles AccessDeniedException",
            "ListInferenceProfiles AccessDeniedException",
            "GetInferenceProfile AccessDeniedException",
        ]
    );
    let problem = &report["discovery"]["problems"][0];
    assert!(
        problem["message"].as_str().unwrap().contains(denied),
        "{problem}"
    );
    assert!(
        problem["remedy"]
            .as_str()
            .unwrap()
            .contains("bedrock:ListInferenceProfiles"),
        "{problem}"
    );
    for list in ["system_profiles", "application_profiles"] {
        assert_eq!(
            report["discovery"][list], first["discovery"][list],
            "{list}"
        );
    }
    assert_eq!(report["warnings"], json!([]));
}

#[tokio::test]
async fn half_a_list_counts_as_none() {
    let service = TestService::start().await;
    let bedrock = account().page_size(20).start().await.unwrap();
    let id = service.create(&channel(&bedrock, &json!({}))).await;
    // The third page fails, however often it is asked for.
    let page = only(Operation::ListInferenceProfiles);
    bedrock.inject(Fault::new(Effect::None).only(page.clone()).times(2));
    bedrock.inject(
        Fault::error(500, "InternalServerException", "It broke.")
            .only(page)
            .times(3),
    );
    let report = told(&service, &id).await;
    assert_eq!(
        problems(&report),
        ["ListInferenceProfiles InternalServerException"]
    );
    let message = report["discovery"]["problems"][0]["message"]
        .as_str()
        .unwrap();
    assert!(message.contains("after 2 pages"), "{message}");
    assert_eq!(report["discovery"]["system_profiles"], Value::Null);
    assert!(
        report["discovery"]["application_profiles"].is_object(),
        "the other list is known"
    );
}

#[tokio::test]
async fn aws_gets_time_where_it_throttles() {
    let service = TestService::start().await;
    let bedrock = account().start().await.unwrap();
    let id = service.create(&channel(&bedrock, &json!({}))).await;
    bedrock.inject(
        Fault::throttling()
            .only(only(Operation::ListFoundationModels))
            .times(2),
    );
    assert_eq!(problems(&told(&service, &id).await), [] as [String; 0]);
    bedrock.inject(
        Fault::throttling()
            .only(only(Operation::ListFoundationModels))
            .times(3),
    );
    let report = told(&service, &id).await;
    assert_eq!(
        problems(&report),
        ["ListFoundationModels ThrottlingException"]
    );
    assert!(
        report["discovery"]["models"].is_object(),
        "what was known stays"
    );
}

#[tokio::test]
async fn wrong_credentials_and_regions_are_told() {
    let service = TestService::start().await;
    let bedrock = account().start().await.unwrap();
    let id = service
        .create(&channel(&bedrock, &json!({"region": "eu-west-1"})))
        .await;
    let report = told(&service, &id).await;
    let first = problems(&report).remove(0);
    assert_eq!(first, "ListFoundationModels InvalidSignatureException");
    assert_eq!(report["discovery"]["models"], Value::Null);
    let gone = json!({"name": "gone", "credentials": {"type": "static", "access_key_id": "AKIDOTHER", "secret_access_key": "x"}});
    let id = service.create(&channel(&bedrock, &gone)).await;
    assert_eq!(
        problems(&told(&service, &id).await).remove(0),
        "ListFoundationModels UnrecognizedClientException"
    );
    assert_eq!(
        ask(&service, "no-such-channel").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_stranger_is_no_account() {
    let service = TestService::start().await;
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = other.local_addr().unwrap().port();
    let router = axum::Router::new().fallback(|| async { "what I am is nobody's business" });
    tokio::spawn(async move { axum::serve(other, router).await });
    let mut channel = channel(&account().start().await.unwrap(), &json!({}));
    channel["endpoint"] = json!(format!("http://127.0.0.1:{port}"));
    let id = service.create(&channel).await;
    let report = told(&service, &id).await;
    assert_eq!(problems(&report), ["ListFoundationModels unanswered"]);
    assert!(
        !report.to_string().contains("nobody's business"),
        "{report}"
    );
}
