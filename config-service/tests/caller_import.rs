//! Keys of other gateways are taken over, each with what was allowed to it there.

use std::collections::BTreeSet;

use crate::apply::run;
use crate::callers::{create, pushed, set_mode};
use crate::common::{Reply, TestService, receive};
use bedrock_filter::config::KeyDigest;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const LITELLM: &str = include_str!("caller_import/litellm.json");
const LITELLM_ROWS: &str = include_str!("caller_import/litellm-rows.jsonl");
const ONE_API: &str = include_str!("caller_import/one-api.json");

/// The key of `one-api.json` that may do everything, as its clients send it.
const ONE_API_KEY: &str = "sk-Qm7XhTz2RkP0aW9dLs4Vb8NcYf3GjU6EoI1tHxKy5MqZwAeB";

async fn import(service: &TestService, query: &str, export: &str) -> Reply {
    let path = format!("/api/callers/import?{query}");
    service.send(Method::POST, &path, export).await
}

/// The caller with this name, as the API shows it.
async fn caller(service: &TestService, name: &str) -> Value {
    let list = service.get(&format!("/api/callers?name={name}")).await;
    let list = list.json()["callers"].as_array().unwrap().clone();
    list.into_iter().find(|own| own["name"] == name).unwrap()
}

#[track_caller]
fn has(view: &Value, expected: &Value) {
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(view[field], *value, "{field} of {view}");
    }
}

#[tokio::test]
async fn keys_of_litellm_become_callers_with_their_limits() {
    let service = TestService::start().await;
    let reply = import(&service, "from=litellm", LITELLM).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let report = reply.json();
    assert_eq!(report["loss_count"], 0, "{report}");
    let names = report["callers"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|own| own["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "search-team",
            "search-team-9f86d081884c",
            "batch--nightly-",
            "litellm-60303ae22b99"
        ]
    );
    let team = caller(&service, "search-team").await;
    has(
        &team,
        &json!({
            "enabled": true, "models": ["claude-sonnet-4-5", "bedrock/*"], "rpm": 600, "tpm": 200_000,
            "concurrent_requests": 8, "monthly_usd": 99.5,
        }),
    );
    has(
        &team["labels"],
        &json!({"imported-from": "litellm", "litellm.key_alias": "search-team", "litellm.user_id": "ann"}),
    );
    let key = &team["keys"][0];
    assert_eq!(
        (&key["name"], &key["expires_at"]),
        (&json!("sk-...4Qwe"), &json!("2031-01-31T18:00:00Z"))
    );
    // `printf key | sha256sum`
    assert_eq!(key["hint"], "sha256:2c70e12b…");
    assert_eq!(caller(&service, "batch--nightly-").await["enabled"], false);
    assert_eq!(
        caller(&service, "litellm-60303ae22b99").await["models"],
        json!([])
    );
    // The key works as it is.
    set_mode(&service, "required").await;
    let entries = pushed(&service).await["callers"]["entries"].clone();
    let hashes = entries.as_array().unwrap().iter();
    let hashes: BTreeSet<_> = hashes
        .map(|own| own["keys"][0]["sha256"].as_str().unwrap().to_owned())
        .collect();
    assert!(hashes.contains(&KeyDigest::of(b"key").to_string()));
}

#[tokio::test]
async fn the_same_export_can_be_imported_again_after_it_has_grown() {
    let service = TestService::start().await;
    let dry = import(&service, "from=litellm&dry_run=true", LITELLM).await;
    assert_eq!(dry.json()["callers"].as_array().unwrap().len(), 4);
    assert!(dry.json()["callers"][0].get("id").is_none());
    let list = service.get("/api/callers").await.json();
    assert_eq!(
        (&list["callers"], &list["revision"]),
        (&json!([]), &json!(0))
    );
    import(&service, "from=litellm", LITELLM).await;
    // Pages of the API can follow one another.
    let more = format!("{LITELLM}\n{LITELLM_ROWS}");
    let again = import(&service, "from=litellm&accept_losses=true", &more).await;
    let again = again.json();
    assert_eq!(again["known"], 4, "{again}");
    assert_eq!(again["callers"].as_array().unwrap().len(), 2, "{again}");
    let revision = service.get("/api/callers").await.json()["revision"].clone();
    assert_eq!(revision, 6, "one for each caller");
    let history = service.get("/api/callers/history").await.json();
    assert_eq!(history["entries"].as_array().unwrap().len(), 6);
    let idle = import(&service, "from=litellm&accept_losses=true", &more).await;
    assert_eq!(idle.json()["known"], 6);
    let path = format!(
        "/api/callers/{}",
        caller(&service, "rows").await["id"].as_str().unwrap()
    );
    let body = json!({"revision": 5}).to_string();
    let back = service
        .send(Method::POST, &format!("{path}/rollback"), body)
        .await;
    assert_eq!(back.status, StatusCode::OK, "{back:?}");
}

#[tokio::test]
async fn what_cannot_be_kept_is_said_and_has_to_be_accepted() {
    let service = TestService::start().await;
    let refused = import(&service, "from=litellm", LITELLM_ROWS).await;
    let codes = refused.problem(422);
    assert_eq!(
        codes,
        [
            "/0/models not_kept",
            "/0/max_budget not_kept",
            "/0/team_id not_kept",
            "/0/metadata not_kept",
            "/1/allowed_routes not_kept",
        ]
    );
    assert!(!refused.text.contains("langfuse-hush"), "{refused:?}");
    let dry = import(&service, "from=litellm&dry_run=true", LITELLM_ROWS).await;
    assert_eq!(dry.json()["loss_count"], 5);
    let (done, said, _) = {
        let file = service.dir.path().join("rows.jsonl");
        std::fs::write(&file, LITELLM_ROWS).unwrap();
        let file = file.to_str().unwrap();
        let words = [
            "callers",
            "import",
            "--from=litellm",
            "--accept-losses",
            file,
        ];
        run(&service, &words).await
    };
    assert!(
        done && said.contains("not kept: line 1: `max_budget` is not for a month"),
        "{said}"
    );
    assert!(
        said.contains("2 callers created, 0 keys were known already, 5 losses"),
        "{said}"
    );
    let rows = caller(&service, "rows").await;
    has(&rows, &json!({"enabled": false, "monthly_usd": null}));
}

#[tokio::test]
async fn keys_of_one_api_are_known_as_their_clients_send_them() {
    let service = TestService::start().await;
    let refused = import(&service, "from=one-api", ONE_API).await;
    assert_eq!(
        refused.problem(422),
        [
            "/1/remain_quota not_kept",
            "/1/subnet not_kept",
            "/2/status not_kept",
            "/2/remain_quota not_kept"
        ]
    );
    let reply = import(&service, "from=one-api&accept_losses=true", ONE_API).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert!(!reply.text.contains("Qm7XhTz2"), "{reply:?}");
    let own = caller(&service, "default").await;
    let mark = KeyDigest::of(ONE_API_KEY.as_bytes()).mark().to_string();
    assert_eq!(own["keys"][0]["fingerprint"], mark);
    has(&own, &json!({"enabled": true, "models": [], "rpm": null}));
    let list = service.get("/api/callers").await.json();
    let all = list["callers"].as_array().unwrap();
    let limited = all
        .iter()
        .find(|own| own["labels"]["one-api.id"] == "7")
        .unwrap();
    has(
        limited,
        &json!({"models": ["gpt-4o", "claude-3-haiku"], "enabled": true}),
    );
    assert_eq!(limited["keys"][0]["expires_at"], "2030-01-01T00:00:00Z");
    let spent = all
        .iter()
        .find(|own| own["labels"]["one-api.id"] == "8")
        .unwrap();
    assert_eq!(spent["enabled"], false);
    // Nothing of a key is stored or told but its hash.
    let database = std::fs::read(service.dir.path().join("test.db-wal")).unwrap();
    let text = String::from_utf8_lossy(&database);
    assert!(!text.contains("Qm7XhTz2") && text.contains("one-api.id"));
}

#[tokio::test]
async fn every_fault_is_reported_at_once_with_its_line_and_without_keys() {
    let service = TestService::start().await;
    create(&service, &json!({"name": "taken"})).await;
    let hash = |key: &str| KeyDigest::of(key.as_bytes()).to_string();
    let export = [
        json!({"token": "sk-...hush", "key_alias": "taken"}),
        json!({"token": hash("1"), "rpm_limit": 0, "models": ["", 5]}),
        json!({"token": hash("2"), "expires": "soon", "tpm_limit": -1}),
        json!({"token": hash("2"), "blocked": "maybe"}),
        json!(["hush"]),
        json!({"token": hash("3"), "max_budget": -5}),
    ];
    let export: Vec<_> = export.iter().map(Value::to_string).collect();
    let export = format!("{{\"keys\":[\n{}\n]}}", export.join(",\n"));
    let refused = import(&service, "from=litellm", &export).await;
    assert!(!refused.text.contains("hush"), "{refused:?}");
    let problem = refused.json();
    let messages = problem["errors"].as_array().unwrap().iter();
    let lines: Vec<_> = messages
        .map(|own| {
            own["message"]
                .as_str()
                .unwrap()
                .split(':')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    let mut codes = refused.problem(422);
    codes.sort();
    assert_eq!(
        codes,
        [
            "/0/token invalid_key_hash",
            "/1/models not_a_string",
            "/1/models/0 invalid_model_name",
            "/1/rpm out_of_range",
            "/2/expires invalid_time",
            "/2/tpm_limit out_of_range",
            "/3 duplicate_key",
            "/3/blocked invalid_type",
            "/4 not_an_object",
            "/5/max_budget out_of_range",
        ]
    );
    for line in ["line 2", "line 3", "line 4", "line 5", "line 6", "line 7"] {
        assert!(lines.iter().any(|own| own == line), "{line}: {lines:?}");
    }
    let list = service.get("/api/callers").await.json();
    assert_eq!(list["callers"].as_array().unwrap().len(), 1);
    let broken = import(&service, "from=one-api", "[{\"key\": \"sk-hush\"").await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert!(!broken.text.contains("hush"), "{broken:?}");
    let masked = json!([{"key": "sk-Qm7X**********AeB1"}, {"name": "x"}, {"key": 5}]).to_string();
    let refused = import(&service, "from=one-api", &masked).await;
    let codes = refused.problem(422);
    assert_eq!(
        codes,
        [
            "/0/key masked_key",
            "/1/key required",
            "/2/key invalid_type"
        ]
    );
    import(&service, "from=elsewhere", "[]").await.problem(400);
}

#[tokio::test]
async fn a_viewer_imports_nothing() {
    let service = TestService::start().await;
    let body = json!({"name": "dashboard", "role": "viewer"}).to_string();
    let token = service.send(Method::POST, "/api/tokens", body).await.json();
    let token = token["token"].as_str().unwrap();
    let url = service.url("/api/callers/import?from=litellm&dry_run=true");
    let request = reqwest::Client::new().post(url).bearer_auth(token);
    receive(request.body("[]")).await.problem(403);
}

#[tokio::test]
async fn thousands_of_keys_are_one_import() {
    let service = TestService::start().await;
    let rows = (0..2_000).map(|number: u32| {
        let hash = KeyDigest::of(&number.to_le_bytes()).to_string();
        json!({"token": hash, "key_alias": format!("user-{number}"), "rpm_limit": 60}).to_string()
    });
    let export: Vec<_> = rows.collect();
    let reply = import(&service, "from=litellm", &export.join("\n")).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text.len());
    let list = service.get("/api/callers?limit=1").await.json();
    assert_eq!(list["revision"], 2_000);
}

#[tokio::test]
async fn revoked_keys_stay_revoked_when_their_file_is_imported_again() {
    let service = TestService::start().await;
    let hash = |key: &str| KeyDigest::of(key.as_bytes()).to_string();
    let export = json!([
        {"token": hash("revoked"), "key_alias": "leaver"},
        {"token": hash("deleted"), "key_alias": "closed"},
        {"token": hash("kept"), "key_alias": "stayer"},
    ])
    .to_string();
    import(&service, "from=litellm", &export).await;
    let leaver = caller(&service, "leaver").await;
    let path = format!(
        "/api/callers/{}/keys/{}",
        leaver["id"].as_str().unwrap(),
        leaver["keys"][0]["id"].as_str().unwrap()
    );
    service.send(Method::DELETE, &path, "").await;
    let closed = caller(&service, "closed").await;
    let path = format!("/api/callers/{}", closed["id"].as_str().unwrap());
    service.send(Method::DELETE, &path, "").await;
    let service = service.restart().await;
    let report = import(&service, "from=litellm", &export).await.json();
    assert_eq!(
        (&report["callers"], &report["known"], &report["revoked"]),
        (&json!([]), &json!(1), &json!(2)),
        "{report}"
    );
    let own = format!("/api/callers/{}", leaver["id"].as_str().unwrap());
    for key in ["revoked", "deleted"] {
        let body = json!({ "key_hash": hash(key) }).to_string();
        let path = format!("{own}/keys");
        let refused = service.send(Method::POST, &path, body).await;
        assert_eq!(refused.problem(422), ["/key_hash revoked_key"]);
    }
}

#[tokio::test]
async fn fractions_of_a_cent_are_a_loss() {
    let service = TestService::start().await;
    let budget = |dollars: f64| {
        let hash = KeyDigest::of(&dollars.to_le_bytes()).to_string();
        let entry = json!({"token": hash, "max_budget": dollars, "budget_duration": "1mo"});
        json!([entry]).to_string()
    };
    for dollars in [0.004, 12.345_678] {
        let refused = import(&service, "from=litellm", &budget(dollars)).await;
        assert_eq!(refused.problem(422), ["/0/max_budget not_kept"]);
    }
    let kept = import(&service, "from=litellm", &budget(12.34)).await;
    assert_eq!(kept.status, StatusCode::OK, "{kept:?}");
    let nothing = json!([{"token": KeyDigest::of(b"").to_string()}]).to_string();
    let refused = import(&service, "from=litellm", &nothing).await;
    assert_eq!(refused.problem(422), ["/0/token invalid_key_hash"]);
}
