//! What Bedrock receives: one signed call, and nothing from the client but its meaning.

use bedrock_simulator::{Key, Recorded, Simulator, Verdict};
use e2e::{REGION, SECRET_ACCESS_KEY, Shared, run, shared, simulator};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// Every header that a call to Bedrock may carry, except `x-amz-security-token`.
const HEADERS: [&str; 5] = [
    "authorization",
    "content-length",
    "content-type",
    "host",
    "x-amz-date",
];

/// What clients and proxies put on requests.
const CLIENT_HEADERS: [(&str, &str); 17] = [
    ("authorization", "Bearer sk-client-secret"),
    ("x-api-key", "sk-client-secret"),
    ("cookie", "session=client-secret"),
    ("user-agent", "OpenAI/Python 3"),
    ("openai-organization", "org-client"),
    ("openai-project", "proj-client"),
    ("x-stainless-lang", "python"),
    ("x-amz-date", "20200101T000000Z"),
    ("x-amz-security-token", "client-secret"),
    ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
    ("x-amzn-bedrock-guardrailidentifier", "client-guardrail"),
    ("x-bedrock-cluster", "config-service"),
    ("x-bedrock-anything", "client"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-request-id", "client-request-id"),
    ("x-envoy-max-retries", "3"),
    (
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
];

/// The newest request that the simulator received.
pub(crate) fn last(bedrock: &Simulator) -> Recorded {
    bedrock.requests().pop().expect("a request arrived")
}

/// Its body.
pub(crate) fn last_body(bedrock: &Simulator) -> Value {
    last(bedrock).body.expect("a JSON body")
}

fn names(request: &Recorded) -> Vec<&str> {
    let mut names: Vec<_> = request
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn an_arn_is_exactly_one_encoded_path_segment() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        let request = last(&bedrock);
        assert_eq!(request.method, "POST");
        assert_eq!(request.query, "");
        let profile = channel.arn.rsplit('/').next().unwrap();
        assert_eq!(
            request.path,
            format!(
                "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2F{profile}/invoke"
            )
        );
        assert_eq!(request.verdict, Verdict::Accepted);
    });
}

#[test]
fn none_of_the_clients_headers_reach_bedrock() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for body in [channel.ask("Hi"), channel.ask_stream("Hi")] {
            let mut request = stack.envoy.chat_request(&body);
            for (name, value) in CLIENT_HEADERS {
                request = request.header(name, value);
            }
            assert_eq!(stack.envoy.send(request).await.status, 200);
            let request = last(&bedrock);
            assert_eq!(request.verdict, Verdict::Accepted);
            assert_eq!(names(&request), HEADERS);
            assert_eq!(request.leftovers(), Vec::<&str>::new());
            assert_eq!(request.header("content-type"), Some("application/json"));
            let length = request.header("content-length").unwrap();
            assert_eq!(length, request.body_bytes.to_string());
            assert_eq!(
                request.header("host"),
                Some(bedrock.addr().to_string().as_str())
            );
        }
    });
}

#[test]
fn a_session_token_is_sent_and_signed() {
    run(async {
        let stack = shared().await;
        let key = Key::new("ASIAEXAMPLE", SECRET_ACCESS_KEY).with_session_token("e2e-token");
        let bedrock = Simulator::builder().credentials(key).region(REGION);
        let bedrock = bedrock.start().await.unwrap();
        let fields = json!({"credentials": {
            "type": "static",
            "access_key_id": "ASIAEXAMPLE",
            "secret_access_key": SECRET_ACCESS_KEY,
            "session_token": "e2e-token",
        }});
        let channel = stack.channel_with(&bedrock, &fields).await;
        stack.envoy.chat(&channel.ask("Hi")).await.text_of_answer();
        let request = last(&bedrock);
        assert_eq!(request.verdict, Verdict::Accepted);
        assert_eq!(request.header("x-amz-security-token"), Some("e2e-token"));
        let authorization = request.header("authorization").unwrap();
        let (_, signed) = authorization.split_once("SignedHeaders=").unwrap();
        let signed: Vec<_> = signed.split(',').next().unwrap().split(';').collect();
        for name in ["host", "content-type", "x-amz-date", "x-amz-security-token"] {
            assert!(signed.contains(&name), "{name} is not in {signed:?}");
        }
    });
}

#[test]
fn a_client_over_http2_is_served_the_same() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let client = Client::builder().http2_prior_knowledge().build().unwrap();
        let url = format!("{}/v1/chat/completions", stack.envoy.url());
        for body in [channel.ask("Hi"), channel.ask_stream("Hi")] {
            let request = client.post(&url).json(&body);
            let reply = stack.envoy.send(request).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            assert!(reply.text.contains("said"), "{reply:?}");
            assert_eq!(names(&last(&bedrock)), HEADERS);
        }
    });
}

async fn check_denied(stack: &Shared, path: &str, cluster: &str, status: u16) {
    let request = stack.envoy.request(Method::POST, path).body("{}");
    let reply = stack
        .envoy
        .send(request.header("x-bedrock-cluster", cluster))
        .await;
    assert_eq!(reply.status, status, "{path}: {reply:?}");
    assert_eq!(reply.header("content-type"), "application/json");
    assert!(reply.json()["error"]["message"].is_string(), "{reply:?}");
}

#[test]
fn a_client_that_names_a_cluster_does_not_reach_bedrock() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let cluster = format!("bedrock|http|127.0.0.1|{}", bedrock.addr().port());
        assert!(stack.envoy.has_cluster(&cluster).await);
        let call = channel.path("invoke");
        for path in [
            &call,
            "/model/m/invoke",
            "/model/",
            "/v1/completions",
            "/",
            "//model/m/invoke",
        ] {
            check_denied(&stack, path, &cluster, 404).await;
        }
        // The filter handles our own paths, whatever headers they carry.
        check_denied(&stack, "/v1/chat/completions", &cluster, 400).await;
        check_denied(&stack, "/v1/chat/completions/", &cluster, 400).await;
        check_denied(&stack, "/v1/models", &cluster, 405).await;
        assert_eq!(bedrock.requests(), []);
    });
}

#[test]
fn other_paths_are_left_to_the_bootstraps_routes() {
    run(async {
        let stack = shared().await;
        for path in [
            "/",
            "/v1",
            "/v1/embeddings",
            "/v2/chat/completions",
            "/healthz",
        ] {
            let reply = stack.envoy.get(path).await;
            reply.error(404, "invalid_request_error", "not_found");
        }
    });
}
