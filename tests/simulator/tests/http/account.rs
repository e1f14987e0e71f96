//! The control plane: what an account has.

use bedrock_simulator::{Fault, Key, Operation, Simulator, Verdict, When};
use serde_json::{Value, json};

use crate::client::{Call, SECRET, builder, start};

const APPLICATION: &str =
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456";
const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

async fn get(simulator: &Simulator, path: &str) -> (u16, Value) {
    Call::get(path).json(simulator).await
}

fn ids(list: &Value) -> Vec<&str> {
    let all = list["inferenceProfileSummaries"].as_array().unwrap();
    all.iter()
        .map(|own| own["inferenceProfileId"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn models_are_listed_with_how_they_can_be_called() {
    let simulator = builder()
        .without_model("amazon.nova-lite-v1:0")
        .start()
        .await
        .unwrap();
    let (status, list) = get(&simulator, "/foundation-models").await;
    assert_eq!(status, 200);
    let find = |id: &str| {
        let all = list["modelSummaries"].as_array().unwrap();
        all.iter().find(|own| own["modelId"] == id).cloned()
    };
    let sonnet = find(SONNET).unwrap();
    assert_eq!(
        sonnet["inferenceTypesSupported"],
        json!(["INFERENCE_PROFILE"])
    );
    assert_eq!(
        sonnet["modelArn"],
        format!("arn:aws:bedrock:us-east-1::foundation-model/{SONNET}")
    );
    let nova = find("amazon.nova-pro-v1:0").unwrap();
    assert_eq!(nova["inferenceTypesSupported"], json!(["ON_DEMAND"]));
    assert_eq!(find("amazon.nova-lite-v1:0"), None);
}

#[tokio::test]
async fn profiles_of_aws_and_of_the_account_are_listed_apart() {
    let simulator = builder()
        .inference_profile(APPLICATION, SONNET)
        .start()
        .await
        .unwrap();
    let (_, list) = get(&simulator, "/inference-profiles?maxResults=1000").await;
    let system = format!("us.{SONNET}");
    assert!(ids(&list).contains(&system.as_str()), "{list}");
    assert!(ids(&list).iter().all(|id| !id.starts_with("eu.")), "{list}");
    let (_, list) = get(&simulator, "/inference-profiles?type=APPLICATION").await;
    assert_eq!(ids(&list), ["abc123def456"]);
    let one = &list["inferenceProfileSummaries"][0];
    assert_eq!(
        (&one["type"], &one["status"]),
        (&json!("APPLICATION"), &json!("ACTIVE"))
    );
    let encoded = APPLICATION.replace(':', "%3A").replace('/', "%2F");
    for id in [encoded.as_str(), "abc123def456"] {
        let (status, found) = get(&simulator, &format!("/inference-profiles/{id}")).await;
        assert_eq!((status, &found), (200, one), "{id}");
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    let simulator = builder().page_size(7).start().await.unwrap();
    let (mut all, mut path) = (Vec::new(), "/inference-profiles".to_owned());
    let mut pages = 0;
    loop {
        let (status, list) = get(&simulator, &path).await;
        assert_eq!(status, 200, "{list}");
        all.extend(ids(&list).into_iter().map(str::to_owned));
        pages += 1;
        let Some(token) = list["nextToken"].as_str() else {
            break;
        };
        let token = token
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        path = format!("/inference-profiles?nextToken={token}");
    }
    assert!(pages > 5, "{pages}");
    all.dedup();
    let whole = start().await;
    let (_, list) = get(&whole, "/inference-profiles?maxResults=1000").await;
    assert_eq!(all, ids(&list));
}

#[tokio::test]
async fn what_aws_refuses_is_refused() {
    let simulator = builder()
        .credentials(Key::new("AKIDELSEWHERE", SECRET).with_regions(["eu-west-1"]))
        .start()
        .await
        .unwrap();
    for (path, expected) in [
        (
            "/inference-profiles?maxResults=0",
            (400, "ValidationException"),
        ),
        (
            "/inference-profiles?maxResults=1001",
            (400, "ValidationException"),
        ),
        (
            "/inference-profiles?nextToken=made-up",
            (400, "ValidationException"),
        ),
        ("/inference-profiles?type=OWN", (400, "ValidationException")),
        ("/inference-profiles/a%20b", (400, "ValidationException")),
        (
            "/inference-profiles/nobody",
            (404, "ResourceNotFoundException"),
        ),
    ] {
        let response = Call::get(path).send(&simulator).await;
        let name = response.headers()["x-amzn-errortype"].to_str().unwrap();
        let name = name.split(':').next().unwrap().to_owned();
        assert_eq!(
            (response.status().as_u16(), name.as_str()),
            expected,
            "{path}"
        );
    }
    let mut wrong = Call::get("/foundation-models");
    wrong.key = Key::new("AKIDEXAMPLE", "wrong");
    assert_eq!(wrong.send(&simulator).await.status(), 403);
    let mut elsewhere = Call::get("/foundation-models");
    elsewhere.key = Key::new("AKIDELSEWHERE", SECRET);
    let (status, answer) = elsewhere.json(&simulator).await;
    assert_eq!(status, 403);
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.contains("bedrock:ListFoundationModels"),
        "{message}"
    );
    let signed = Call::get("/foundation-models?byProvider=a");
    let (client, request) = signed.request(&simulator).build_split();
    let mut request = request.unwrap();
    request.url_mut().set_query(Some("byProvider=b"));
    let altered = client.execute(request).await.unwrap();
    assert_eq!(altered.status(), 403, "the query is signed");
}

#[tokio::test]
async fn faults_meet_the_operation_that_they_are_for() {
    let simulator = start().await;
    simulator.inject(Fault::throttling().only(When {
        operation: Some(Operation::ListInferenceProfiles),
        ..When::default()
    }));
    assert_eq!(get(&simulator, "/foundation-models").await.0, 200);
    assert_eq!(get(&simulator, "/inference-profiles").await.0, 429);
    assert_eq!(get(&simulator, "/inference-profiles").await.0, 200);
    let verdicts: Vec<_> = simulator
        .requests()
        .into_iter()
        .map(|own| own.verdict)
        .collect();
    let effect = "error".to_owned();
    assert_eq!(
        verdicts,
        [
            Verdict::Accepted,
            Verdict::Faulted { effect },
            Verdict::Accepted
        ]
    );
}
