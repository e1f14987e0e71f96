//! Gateways that have hosts, policies and traces besides the filter.

use e2e::istio::{Hosts, TEAM};
use e2e::{Reply, run};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Gateway, start};
use crate::wire::last;

fn ask(model: &str) -> Value {
    json!({
        "model": model,
        "max_tokens": 10,
        "messages": [{"role": "user", "content": "Hi"}],
    })
}

/// A request to the team's host.
async fn send(gateway: &Gateway, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut call = gateway
        .envoy
        .request(Method::POST, path)
        .header("host", TEAM);
    for (name, value) in headers {
        call = call.header(*name, *value);
    }
    let body = ask(&gateway.model).to_string();
    let call = call.header("content-type", "application/json").body(body);
    gateway.envoy.send(call).await
}

#[test]
fn a_virtual_service_on_the_gateway_takes_no_chat_away() {
    run(async {
        let gateway = start("", Hosts::Team).await;
        let chat = send(&gateway, "/v1/chat/completions", &[]).await;
        assert_eq!(chat.status, 200, "{chat:?}");
        let own = send(&gateway, "/team", &[]).await;
        assert_eq!(own.text, "the team's own");
    });
}

#[test]
fn other_hosts_of_a_shared_gateway_do_not_notice_the_filter() {
    run(async {
        let gateway = start("sharing=shared", Hosts::Team).await;
        let id = ("x-request-id", "chosen-by-the-client");
        let own = send(&gateway, "/team", &[id]).await;
        assert_eq!(own.text, "the team's own");
        assert_eq!(own.header("x-request-id"), "");
        let chat = send(&gateway, "/v1/chat/completions", &[]).await;
        assert_eq!(chat.status, 200, "{chat:?}");
        assert_ne!(chat.header("x-request-id"), "");

        let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
        let own = send(&gateway, "/team", &upgrade).await;
        assert_eq!((own.status, own.text.as_str()), (403, ""));
        let chat = send(&gateway, "/v1/chat/completions", &upgrade).await;
        assert_eq!(chat.status, 400, "{chat:?}");
        assert_eq!(chat.json()["error"]["code"], "upgrade_not_supported");
    });
}

#[test]
fn with_tracing_bedrock_gets_no_trace_headers() {
    run(async {
        let gateway = start("", Hosts::All).await;
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let chat = send(&gateway, "/v1/chat/completions", &[("traceparent", parent)]).await;
        assert_eq!(chat.status, 200, "{chat:?}");
        let request = last(&gateway.bedrock);
        for name in ["traceparent", "tracestate"] {
            assert_eq!(request.header(name), None, "{name}");
        }
    });
}

#[test]
fn a_missing_module_costs_chats_alone() {
    run(async {
        let gateway = start("module=/nowhere/bedrock_filter.wasm", Hosts::Team).await;
        let own = send(&gateway, "/team", &[]).await;
        assert_eq!(own.text, "the team's own");
        let chat = send(&gateway, "/v1/chat/completions", &[]).await;
        assert_eq!(chat.status, 503, "{chat:?}");
        assert_eq!(chat.json()["error"]["code"], "service_unavailable");
        let message = send(&gateway, "/v1/messages", &[]).await;
        assert_eq!(message.json()["error"]["type"], "overloaded_error");
        assert_eq!(gateway.bedrock.requests(), []);
    });
}

#[test]
fn refusals_before_the_filter_are_in_the_clients_protocol() {
    run(async {
        let gateway = start("", Hosts::Team).await;
        let refusals = [
            (
                ("x-team-deny", "1"),
                403,
                "permission_error",
                "permission_denied",
            ),
            (
                ("x-team-token", "junk"),
                401,
                "authentication_error",
                "invalid_api_key",
            ),
        ];
        for (header, status, kind, code) in refusals {
            let chat = send(&gateway, "/v1/chat/completions", &[header]).await;
            assert_eq!(chat.status, status, "{chat:?}");
            assert_eq!(chat.header("content-type"), "application/json");
            assert_eq!(chat.json()["error"]["code"], code, "{chat:?}");
            let said = chat.json()["error"]["message"].to_string();
            assert!(said.contains("refused the request: "), "{said}");

            let message = send(&gateway, "/v1/messages", &[header]).await;
            assert_eq!(message.status, status, "{message:?}");
            assert_eq!(message.json()["type"], "error");
            assert_eq!(message.json()["error"]["type"], kind, "{message:?}");

            let own = send(&gateway, "/team", &[header]).await;
            assert_eq!(own.status, status, "{own:?}");
            assert_eq!(own.header("content-type"), "text/plain");
        }
        assert_eq!(gateway.bedrock.requests(), []);
    });
}
