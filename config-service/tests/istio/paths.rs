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
