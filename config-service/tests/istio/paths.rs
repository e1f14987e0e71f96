//! The paths that the filter takes over.

use super::{filter, sealed, values};
use serde_json::Value;

/// The paths that a manifest denies if the filter was bypassed, and what it says of replies, as text.
async fn taken(flags: &[&str]) -> (Vec<String>, String) {
    let flags: Vec<_> = ["--path-prefixes", "/llm"]
        .iter()
        .chain(flags)
        .copied()
        .collect();
    let manifest = filter(&sealed(&flags).await, "").await;
    let denied = values(&manifest, "HTTP_ROUTE").into_iter();
    let paths = denied.filter_map(|own| {
        own["name"].as_str()?.strip_prefix("filter-bypassed")?;
        let matched = own["match"].as_object()?.values().next()?;
        let text = matched.as_str().map(str::to_owned);
        text.or_else(|| Some(matched.to_string()))
    });
    let replies = &values(&manifest, "NETWORK_FILTER")[0]["typed_config"]["local_reply_config"];
    (paths.collect(), Value::to_string(replies))
}

#[tokio::test]
async fn those_of_other_protocols_are_left_to_others() {
    let (all, replies) = taken(&[]).await;
    for path in [
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/messages",
        "/v1/models",
        "/llm/messages",
    ] {
        assert!(all.iter().any(|own| own == path), "{path}: {all:?}");
    }
    assert_eq!(all.len(), 9, "{all:?}");
    assert!(replies.contains("/llm/responses") && replies.contains("/v1/messages"));

    let flags = ["--protocols", "openai_chat", "--no-health-endpoints"];
    let (some, replies) = taken(&flags).await;
    let mut own = [
        "/v1/chat/completions",
        "/v1/models",
        "/llm/chat/completions",
        "/llm/models",
    ];
    own.sort_unstable();
    let mut seen = some.clone();
    seen.sort_unstable();
    assert_eq!(seen, own);
    for left in [
        "/v1/messages",
        "/v1/responses",
        "/llm/messages",
        "/llm/responses",
    ] {
        assert!(!replies.contains(left), "{left}: {replies}");
    }
    assert!(replies.contains("/v1/chat/completions") && replies.contains("/llm/models"));

    let (_, replies) = taken(&["--protocols", "anthropic_messages"]).await;
    assert!(replies.contains("/v1/messages") && !replies.contains("/v1/chat/completions"));
}

#[tokio::test]
async fn what_istio_refuses_is_answered_in_the_clients_protocol() {
    let prefixes = "/openai/v1,/openai/deployments/{model}";
    let manifest = filter(&sealed(&["--path-prefixes", prefixes]).await, "").await;
    let manager = &values(&manifest, "NETWORK_FILTER")[0]["typed_config"];
    let mappers = manager["local_reply_config"]["mappers"].as_array().unwrap();
    let refusals = &mappers[..4];
    for mapper in refusals {
        let filters = mapper["filter"]["and_filter"]["filters"]
            .as_array()
            .unwrap();
        let expression = |filter: &Value| {
            let place = "/extension_filter/typed_config/expression";
            let text = filter.pointer(place).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let [kind, paths] = [&filters[0], &filters[1]].map(expression);
        assert!(kind.contains("rbac_access_denied") && kind.contains("jwt_authn_access_denied"));
        let format = &mapper["body_format_override"]["json_format"];
        let (own, other) = if format["type"] == "error" {
            ("messages", "chat/completions")
        } else {
            ("chat/completions", "messages")
        };
        for path in ["/v1/", "/openai/v1/"] {
            let condition = |name| format!("request.url_path.startsWith(\"{path}{name}\")");
            assert!(paths.contains(&condition(own)), "{paths}");
            assert!(!paths.contains(&condition(other)), "{paths}");
        }
        let deployment = format!(
            "(request.url_path.startsWith(\"/openai/deployments/\") && \
             request.url_path.contains(\"/{own}\"))"
        );
        assert!(paths.contains(&deployment), "{paths}");
    }
}
