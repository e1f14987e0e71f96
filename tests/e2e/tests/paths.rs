//! Paths at which clients find the endpoints.

use e2e::{Stack, run, run_python, simulator};
use serde_json::json;

/// Prefixes besides `/v1`: those of clients without a `/v1`, of Azure's APIs, and one of an operator's own.
const PREFIXES: &str = "/,/openai,/openai/v1,/openai/deployments/{model},/team-a/v1";

#[test]
fn azures_clients_and_those_with_other_base_urls_are_served() {
    run(async {
        for attempts in [None, Some(2)] {
            let builder = Stack::builder().argument(format!("--path-prefixes={PREFIXES}"));
            let builder = builder.attempts(attempts);
            let (stack, bedrock) = (builder.start().await, simulator().await);
            let channel = stack.channel(&bedrock).await;
            let model = &channel.model;
            let input = json!({
                "url": stack.envoy.url(),
                "model": model,
                "prefixes": ["", "/v1", "/openai/v1", "/team-a/v1"],
            });
            let found = run_python("azure.py", &input).await;
            let answer = "You said: Hi there";
            let (chats, rest) = (json!([answer, answer, model]), json!([answer, true, model]));
            assert_eq!(found["azure"], chats, "{found}");
            assert_eq!(found["azure, the rest"], rest, "{found}");
            for prefix in input["prefixes"].as_array().unwrap() {
                let prefix = prefix.as_str().unwrap();
                assert_eq!(found["below"][prefix], chats, "{prefix}: {found}");
                assert_eq!(found["below, the rest"][prefix], rest, "{prefix}: {found}");
            }
            let requests = bedrock.requests();
            assert!(requests.iter().all(bedrock_simulator::Recorded::was_valid));
            let mut headers = requests.iter().flat_map(|own| &own.headers);
            let leaked = headers
                .find(|(name, value)| name == "api-key" || value.contains("azure-client-secret"));
            assert_eq!(leaked, None);
            // A slash at the end, as some clients write it, and a model in the path alone.
            let body = json!({"messages": [{"role": "user", "content": "Hi there"}]}).to_string();
            let path = format!("/openai/deployments/{model}/chat/completions/?api-version=x");
            let reply = stack.envoy.post_bytes(&path, body.into_bytes()).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            // Other paths belong to other services.
            for path in ["/azure/v1/models", "/openai/deployments/models"] {
                let reply = stack.envoy.get(path).await;
                assert_eq!(reply.status, 404, "{reply:?}");
                assert!(reply.text.contains("no such route"), "{reply:?}");
            }
        }
    });
}
