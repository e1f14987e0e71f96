//! Sources of credentials as bodies of edits.

use std::collections::BTreeSet;

use bedrock_simulator::sts::Sts;
use reqwest::Method;
use serde_json::json;

use super::{HOUR, ROLE, assume_role, dir, start};
use crate::common::{SECRET, TestService, channel_with};

#[tokio::test]
async fn reads_of_sources_can_be_sent_back_and_keep_their_secrets() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    let service = start(&dir, &sts, &[]).await;
    let key = json!({"credentials": {"type": "bedrock_short_term_key",
        "source": assume_role()["credentials"]}});
    for (name, fields) in [
        ("role", assume_role()),
        ("key", key),
        (
            "web",
            json!({"credentials": {"type": "web_identity", "role_arn": ROLE,
                "token_file": dir.path().join("tokens/t")}}),
        ),
        (
            "chain",
            json!({"enabled": false, "credentials": {"type": "default_chain", "profile": "p"}}),
        ),
    ] {
        let id = service.create(&channel_with(name, &fields)).await;
        let path = format!("/api/channels/{id}");
        let read = service.get(&path).await.json();
        assert!(!read.to_string().contains(SECRET), "{read}");
        let put = service.send(Method::PUT, &path, read.to_string()).await;
        assert_eq!(put.status, 200, "{put:?}");
        assert_eq!(
            put.json()["revision"],
            read["revision"],
            "nothing was changed"
        );
        let patched = service
            .patch(&id, &json!({"credentials": read["credentials"]}))
            .await;
        assert_eq!(patched.json()["credentials"], read["credentials"]);
    }
    // Another key's fingerprint is worth nothing.
    let id = service.create(&channel_with("other", &assume_role())).await;
    let mut credentials =
        service.get(&format!("/api/channels/{id}")).await.json()["credentials"].clone();
    credentials["source"]["fingerprint"] = json!("0123456789abcdef");
    let reply = service
        .patch(&id, &json!({"credentials": credentials}))
        .await;
    assert_eq!(
        reply.problem(422),
        ["/credentials/source/secret_access_key secret_required"]
    );
}

#[tokio::test]
async fn all_faults_of_a_source_are_found_with_their_pointers() {
    let service = TestService::start().await;
    let fields = json!({"region": "moon", "credentials": {
        "type": "assume_role",
        "role_arn": "role",
        "duration_seconds": 60,
        "source": {"type": "static", "access_key_id": "A-1", "secret_access_key": "top secret"},
    }});
    let reply = service.post(&channel_with("one", &fields)).await;
    let faults: BTreeSet<_> = reply.problem(422).into_iter().collect();
    let expected = [
        "/credentials/duration_seconds out_of_range",
        "/credentials/role_arn invalid_role_arn",
        "/credentials/source/access_key_id invalid_access_key_id",
        "/credentials/source/secret_access_key invalid_secret",
        "/region invalid_region",
    ];
    assert_eq!(faults, expected.map(str::to_owned).into());
    assert!(!reply.text.contains("top secret"), "{reply:?}");
    let minted = json!({"signer": "envoy", "credentials": {"type": "bedrock_short_term_key"}});
    let faults = service
        .post(&channel_with("one", &minted))
        .await
        .problem(422);
    assert_eq!(faults, ["/signer nothing_to_sign"]);
    for (credentials, fault) in [
        (json!({"type": "magic"}), "/credentials/type unknown_value"),
        (
            json!({"type": "assume_role"}),
            "/credentials/role_arn required",
        ),
        (
            json!({"type": "web_identity", "role_arn": ROLE}),
            "/credentials/token_file required",
        ),
        (
            json!({"type": "assume_role", "role_arn": ROLE, "roel": 1}),
            "/credentials/roel unknown_field",
        ),
        (
            json!({"type": "assume_role", "role_arn": ROLE, "source": null}),
            "/credentials/source invalid_type",
        ),
        (
            json!({"type": "assume_role", "role_arn": ROLE, "duration_seconds": -1}),
            "/credentials/duration_seconds out_of_range",
        ),
        (
            json!({"type": "assume_role", "role_arn": ROLE, "session_tags": {"a": 1}}),
            "/credentials/session_tags/a not_a_string",
        ),
        (
            json!({"type": "bedrock_short_term_key",
                "source": {"type": "bedrock_api_key", "api_key": "k"}}),
            "/credentials/source unsuitable_source",
        ),
    ] {
        let fields = json!({"credentials": credentials});
        let faults = service
            .post(&channel_with("one", &fields))
            .await
            .problem(422);
        assert!(
            faults.iter().any(|it| it == fault),
            "{faults:?} has no {fault}"
        );
    }
}
