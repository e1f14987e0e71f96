//! Channels whose credentials come from AWS: what is asked, what is published, what is shown.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::envoy::{CDS, ECDS, Envoy, Service as At, cluster_names, plugin_json};

use crate::common::{self, DEADLINE, SECRET, TestService, channel, channel_with};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bedrock_filter::config::PluginConfig;
use bedrock_simulator::sts::{Sts, secret, session_token};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const ROLE: &str = "arn:aws:iam::123456789012:role/bedrock";
const KEY: &str = "k:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
/// `{"alg":"RS256"}`, `{"sub":"x"}` and a signature.
const WEB_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
const HOUR: Duration = Duration::from_secs(3600);

fn static_source() -> Value {
    channel("x")["credentials"].clone()
}

fn assume_role() -> Value {
    json!({"credentials": {
        "type": "assume_role",
        "role_arn": ROLE,
        "external_id": "team/a",
        "session_name": "team-a",
        "session_tags": {"team": "a", "cost centre": "7"},
        "duration_seconds": 900,
        "source": static_source(),
    }})
}

async fn start(dir: &Arc<TempDir>, sts: &Sts, extra: &[&str]) -> TestService {
    let url = sts.url();
    let tokens = dir.path().join("tokens").display().to_string();
    let arguments: Vec<_> = ["--sts-endpoint", &url, "--token-file-dirs", &tokens]
        .into_iter()
        .chain(extra.iter().copied())
        .collect();
    TestService::start_in(Arc::clone(dir), &arguments).await
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn dir() -> Arc<TempDir> {
    Arc::new(TempDir::new().unwrap())
}

/// What an Envoy that connects now is sent.
async fn published(service: &TestService) -> Value {
    let mut envoy = Envoy::connect(service, "e", At::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    plugin_json(&envoy.receive(ECDS).await)
}

/// Waits until `condition` holds for what is published.
async fn wait_published(service: &TestService, condition: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let config = published(service).await;
        if condition(&config) {
            return config;
        }
        assert!(tokio::time::Instant::now() < deadline, "{config}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether every channel has credentials.
fn is_served(config: &Value) -> bool {
    let channels = config["channels"].as_array().unwrap();
    let has_credentials = |channel: &Value| channel["credentials"]["type"] != "unavailable";
    !channels.is_empty() && channels.iter().all(has_credentials)
}

/// Waits until `condition` holds for a channel's `credential_status`.
async fn wait_status(service: &TestService, id: &str, condition: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let channel = service.get(&format!("/api/channels/{id}")).await.json();
        let status = channel["credential_status"].clone();
        if condition(&status) {
            return status;
        }
        assert!(tokio::time::Instant::now() < deadline, "{channel}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn names_that_resolve_to_metadata_are_not_called() {
    // The system's resolver takes it for 169.254.169.254, so it stands for a name that somebody else defines.
    let extra = ["--sts-endpoint", "http://0xa9fea9fe"];
    let service = TestService::start_in(dir(), &extra).await;
    let id = service.create(&channel_with("one", &assume_role())).await;
    let failed = |status: &Value| status["last_error"].is_string();
    let status = wait_status(&service, &id, failed).await;
    let reason = status["last_error"].as_str().unwrap();
    assert!(reason.contains("link-local address"), "{reason}");
}

/// Something in the place of STS that gives every call this answer.
async fn stray_sts(head: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let length = body.len();
    let answer = format!("{head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 16 * 1024]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_not_repeated() {
    let half = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
                <Credentials><AccessKeyId>hush-id</AccessKeyId><SecretAccessKey>hush-key</SecretAccessKey>";
    for (head, body) in [
        ("HTTP/1.1 200 OK\r\nx-proxy: hush-header", half),
        ("HTTP/1.1 200 OK\r\nx-proxy: hush-header", "hush: welcome"),
        (
            "HTTP/1.1 403 Forbidden\r\nx-proxy: hush-header",
            "<html>hush</html>",
        ),
        ("HTTP/1.1 500 Oops\r\nx-proxy: hush-header", "hush"),
    ] {
        let url = stray_sts(head, body).await;
        let service = TestService::start_in(dir(), &["--sts-endpoint", &url]).await;
        let id = service.create(&channel_with("one", &assume_role())).await;
        let failed = |status: &Value| status["last_error"].is_string();
        let status = wait_status(&service, &id, failed).await;
        assert_ne!(status["last_error"], "", "{head}");
        let channel = service.get(&format!("/api/channels/{id}")).await.text;
        assert!(!channel.contains("hush"), "{head}: {channel}");
    }
}

#[tokio::test]
async fn a_role_is_assumed_with_everything_that_is_configured() {
    let begun = since_epoch();
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    let service = start(&dir, &sts, &[]).await;
    let id = service.create(&channel_with("one", &assume_role())).await;
    let config = wait_published(&service, is_served).await;
    let mut issued = config["channels"][0]["credentials"].clone();
    let until = issued["expires_at"].take().as_u64().unwrap();
    // A little before AWS's own expiry.
    let margin = Duration::from_secs(10);
    let range = (begun + HOUR - margin).as_secs()..=(since_epoch() + HOUR - margin).as_secs();
    assert!(range.contains(&until), "{until}");
    let expected = json!({
        "type": "static",
        "access_key_id": "ASIAISSUED0001",
        "secret_access_key": secret(1),
        "session_token": session_token(1),
        "expires_at": null,
    });
    assert_eq!(issued, expected);
    // A renewal is a revision, but not an edit.
    assert_eq!(config["revision"], 2);
    let shown = service.get(&format!("/api/channels/{id}")).await.json();
    assert_eq!(shown["revision"], 1);
    assert_eq!(shown["credential_status"]["state"], "ready");
    assert_eq!(shown["credential_status"]["refreshes"], 1);
    assert!(shown["credential_status"]["expires_at"].is_string());

    let [call] = sts.calls().try_into().unwrap();
    let parameter = |name: &str| call.parameters.get(name).map(String::as_str);
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", ROLE),
        ("ExternalId", "team/a"),
        ("RoleSessionName", "team-a"),
        ("DurationSeconds", "900"),
        ("Tags.member.1.Key", "cost centre"),
        ("Tags.member.1.Value", "7"),
        ("Tags.member.2.Key", "team"),
    ] {
        assert_eq!(parameter(name), Some(value), "{call:?}");
    }
    let authorization = call.authorization.unwrap();
    assert!(
        authorization.contains("Credential=AKIDEXAMPLE/"),
        "{authorization}"
    );
    assert!(
        authorization.contains("/us-east-1/sts/aws4_request"),
        "{authorization}"
    );
    assert_eq!(call.security_token.as_deref(), Some(common::SESSION_TOKEN));
}

#[tokio::test]
async fn a_web_identity_needs_no_other_credentials_and_its_token_is_read_anew() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    let token_file = dir.path().join("tokens/token");
    std::fs::create_dir(dir.path().join("tokens")).unwrap();
    let credentials = json!({"credentials": {
        "type": "web_identity", "role_arn": ROLE, "token_file": token_file}});
    let service = start(&dir, &sts, &[]).await;
    let id = service.create(&channel_with("one", &credentials)).await;
    let failed = |status: &Value| status["state"] == "unavailable";
    let status = wait_status(&service, &id, failed).await;
    let reason = status["last_error"].as_str().unwrap();
    assert!(reason.starts_with("cannot read "), "{reason}");
    std::fs::write(&token_file, "SECRET=hush").unwrap();
    let no_token = |status: &Value| {
        let reason = status["last_error"].as_str().unwrap_or_default();
        assert!(!reason.contains("hush"), "{reason}");
        reason.contains("holds no token")
    };
    wait_status(&service, &id, no_token).await;
    assert!(sts.calls().is_empty(), "nothing but a token is sent");
    std::fs::write(&token_file, format!("{WEB_TOKEN}\n")).unwrap();
    let config = wait_published(&service, is_served).await;
    assert_eq!(
        config["channels"][0]["credentials"]["secret_access_key"],
        secret(1)
    );
    let call = sts.calls().remove(0);
    assert_eq!(call.parameters["Action"], "AssumeRoleWithWebIdentity");
    assert_eq!(call.parameters["WebIdentityToken"], WEB_TOKEN);
    assert_eq!(call.parameters["RoleSessionName"], "bedrock-filter");
    assert_eq!(call.authorization, None);
}

#[tokio::test]
async fn a_token_file_is_in_a_folder_that_the_operator_names() {
    let service = TestService::start().await;
    let ask = async |token_file: &str| {
        let credentials = json!({"type": "web_identity", "role_arn": ROLE,
            "token_file": token_file});
        let source = json!({"type": "bedrock_short_term_key", "source": credentials});
        let fields = json!({"enabled": false, "credentials": source});
        service.post(&channel_with("one", &fields)).await
    };
    for path in [
        "/proc/self/environ",
        "/etc/passwd",
        "/var/run/secrets/kubernetes.io/serviceaccount/../../../../../proc/self/environ",
        "/var/run/secrets/kubernetes.io/serviceaccount",
        "token",
    ] {
        let reply = ask(path).await;
        let fault = "/credentials/source/token_file invalid_path";
        assert_eq!(reply.problem(422), [fault], "{path}");
    }
    let refusal = ask("/etc/passwd").await.text;
    assert!(refusal.contains("--token-file-dirs"), "{refusal}");
    for path in [
        "/var/run/secrets/kubernetes.io/serviceaccount/token",
        "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
    ] {
        let reply = ask(path).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/channels/{id}");
        let gone = service.send(Method::DELETE, &path, "").await;
        assert_eq!(gone.status, 204);
    }
}

#[tokio::test]
async fn a_channel_whose_token_file_is_not_allowed_any_more_says_so() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    std::fs::create_dir(dir.path().join("tokens")).unwrap();
    let token_file = dir.path().join("tokens/token");
    std::fs::write(&token_file, WEB_TOKEN).unwrap();
    let credentials = json!({"credentials": {
        "type": "web_identity", "role_arn": ROLE, "token_file": token_file}});
    let service = start(&dir, &sts, &[]).await;
    let id = service.create(&channel_with("one", &credentials)).await;
    wait_published(&service, is_served).await;
    // Stored by hand, as it could be in a backup: nobody judges it then.
    service.shutdown().await;
    let url = format!("sqlite://{}", dir.path().join("test.db").display());
    let store = sqlx::SqlitePool::connect(&url).await.unwrap();
    let update = "UPDATE channels SET document = \
                  json_replace(document, '$.credentials.token_file', '/proc/self/environ')";
    sqlx::query(update).execute(&store).await.unwrap();
    sqlx::query("DELETE FROM issued_credentials")
        .execute(&store)
        .await
        .unwrap();
    store.close().await;
    let service = start(&dir, &sts, &[]).await;
    let status = wait_status(&service, &id, |it| it["state"] == "unavailable").await;
    let reason = status["last_error"].as_str().unwrap();
    assert!(reason.contains("--token-file-dirs"), "{reason}");
    assert_eq!(sts.calls().len(), 1);
}

#[tokio::test]
async fn a_short_term_key_is_minted_from_a_key_or_a_role() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    let service = start(&dir, &sts, &[]).await;
    let key = |source: &Value| json!({"credentials": {"type": "bedrock_short_term_key", "source": source}});
    service
        .create(&channel_with("from-key", &key(&static_source())))
        .await;
    let role = assume_role()["credentials"].clone();
    service
        .create(&channel_with("from-role", &key(&role)))
        .await;
    let config = wait_published(&service, is_served).await;
    for (index, access_key) in [(0, "AKIDEXAMPLE"), (1, "ASIAISSUED0001")] {
        let credentials = &config["channels"][index]["credentials"];
        assert_eq!(credentials["type"], "bedrock_api_key");
        let key = credentials["api_key"].as_str().unwrap();
        let encoded = key.strip_prefix("bedrock-api-key-").unwrap();
        let url = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
        assert!(
            url.starts_with("bedrock.amazonaws.com/?Action=CallWithBearerToken&"),
            "{url}"
        );
        assert!(
            url.contains(&format!("X-Amz-Credential={access_key}%2F")),
            "{url}"
        );
        assert!(
            url.contains("%2Fus-east-1%2Fbedrock%2Faws4_request"),
            "{url}"
        );
        let (_, rest) = url.split_once("X-Amz-Expires=").unwrap();
        let life: u64 = rest.split('&').next().unwrap().parse().unwrap();
        // No longer than the role's session.
        let expected = if index == 0 {
            43_200..=43_200
        } else {
            3_500..=3_600
        };
        assert!(expected.contains(&life), "{life}");
    }
}

#[tokio::test]
async fn credentials_are_renewed_before_they_expire_and_envoys_get_them() {
    let (sts, dir) = (Sts::start(Duration::from_secs(9)).await.unwrap(), dir());
    let service = start(&dir, &sts, &[]).await;
    service.create(&channel_with("one", &assume_role())).await;
    wait_published(&service, is_served).await;
    let mut envoy = Envoy::connect(&service, "e", At::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    let (mut secrets, mut versions) = (Vec::new(), BTreeSet::new());
    while secrets.len() < 2 {
        let response = envoy.receive(ECDS).await;
        envoy.ack(&response).await;
        let config = plugin_json(&response);
        assert!(is_served(&config), "it was not renewed in time: {config}");
        secrets.push(config["channels"][0]["credentials"]["secret_access_key"].clone());
        assert!(
            versions.insert(response.version_info.clone()),
            "{versions:?}"
        );
    }
    assert_eq!(secrets, [secret(1), secret(2)]);
}

#[tokio::test]
async fn a_channel_without_credentials_says_so_and_holds_up_no_other() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    sts.fail(Some((
        403,
        "AccessDenied",
        "is not authorized to perform: sts:AssumeRole",
    )));
    let service = start(&dir, &sts, &[]).await;
    let id = service.create(&channel_with("role", &assume_role())).await;
    service.create(&channel("key")).await;
    let unavailable = |status: &Value| status["state"] == "unavailable";
    let status = wait_status(&service, &id, unavailable).await;
    assert_eq!(
        status["last_error"],
        "AccessDenied: is not authorized to perform: sts:AssumeRole"
    );
    assert_eq!(status["expires_at"], Value::Null);
    let config = published(&service).await;
    let credentials = [0, 1].map(|index| config["channels"][index]["credentials"].clone());
    assert_eq!(credentials[0], json!({"type": "unavailable"}));
    assert_eq!(credentials[1]["type"], "static");
    assert_eq!(service.status().await["channels"], 2);
    let question = json!({"model": "nova-pro"});
    let explained = service
        .send(Method::POST, "/api/explain", question.to_string())
        .await
        .json();
    assert_eq!(explained["route"]["channel"], "key");
    let reason = explained["channels"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("no valid credentials"), "{reason}");
    // They come by themselves as soon as AWS agrees.
    sts.fail(None);
    let config = wait_published(&service, is_served).await;
    assert_eq!(config["channels"][0]["name"], "role");
    let ready = |status: &Value| status["state"] == "ready";
    assert_eq!(
        wait_status(&service, &id, ready).await["last_error"],
        Value::Null
    );
}

/// Names of the clusters that an Envoy which connects now is sent, those of pools without their generation.
async fn clusters(service: &TestService) -> Vec<String> {
    let mut envoy = Envoy::connect(service, "c", At::Clusters).await;
    envoy.subscribe(CDS, "").await;
    let names = cluster_names(&envoy.receive(CDS).await);
    let without_generation = |name: String| match name.strip_prefix("bedrock|pool|") {
        Some(pool) => format!("bedrock|pool|{}", pool.split_once('|').unwrap().1),
        None => name,
    };
    names.into_iter().map(without_generation).collect()
}

#[tokio::test]
async fn a_channel_without_credentials_is_in_no_pool_and_no_cluster_of_its_own() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    sts.fail(Some((503, "ServiceUnavailable", "down")));
    let service = start(&dir, &sts, &["--failover"]).await;
    let signed = json!({"signer": "envoy", "credentials": assume_role()["credentials"]});
    service.create(&channel_with("signed", &signed)).await;
    let id = service.create(&channel_with("role", &assume_role())).await;
    service.create(&channel("key")).await;
    wait_status(&service, &id, |it| it["state"] == "unavailable").await;
    let shared = "bedrock|https|bedrock-runtime.us-east-1.amazonaws.com|443";
    assert_eq!(clusters(&service).await, [shared, "bedrock|pool|key"]);
    sts.fail(None);
    wait_published(&service, is_served).await;
    let own = format!("{shared}|signed");
    assert_eq!(
        clusters(&service).await,
        [
            shared,
            &own,
            "bedrock|pool|key",
            "bedrock|pool|key|role",
            "bedrock|pool|role",
            "bedrock|pool|role|key",
            "bedrock|pool|signed"
        ]
    );
}

#[tokio::test]
async fn credentials_that_cannot_be_renewed_go_when_they_expire() {
    let (sts, dir) = (Sts::start(Duration::from_secs(3)).await.unwrap(), dir());
    let service = start(&dir, &sts, &[]).await;
    let id = service.create(&channel_with("one", &assume_role())).await;
    wait_published(&service, is_served).await;
    sts.fail(Some((400, "Throttling", "slow down")));
    wait_published(&service, |config| !is_served(config)).await;
    let status = wait_status(&service, &id, |status| status["state"] == "unavailable").await;
    assert_eq!(status["last_error"], "Throttling: slow down");
}

#[tokio::test]
async fn a_restart_serves_what_was_issued_without_asking_aws() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    let keys = ["--seal-key", KEY];
    let service = start(&dir, &sts, &keys).await;
    service.create(&channel_with("one", &assume_role())).await;
    let before = wait_published(&service, is_served).await;
    service.shutdown().await;
    sts.fail(Some((503, "ServiceUnavailable", "down")));
    let service = start(&dir, &sts, &keys).await;
    let after = published(&service).await;
    assert_eq!(sts.calls().len(), 1);
    let opened = |config: &Value| {
        let config = PluginConfig::from_json(config.to_string().as_bytes()).unwrap();
        config.open(&KEY.parse().unwrap()).unwrap()
    };
    assert_eq!(opened(&after), opened(&before));
    // Neither what was written nor what was issued is in clear anywhere.
    let files = std::fs::read_dir(dir.path()).unwrap();
    let bytes = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap());
    let on_disk = String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned();
    let shown = service.get("/api/channels").await.text;
    for text in [&on_disk, &shown, &after.to_string()] {
        for hidden in [SECRET, common::SESSION_TOKEN, &secret(1), &session_token(1)] {
            assert!(!text.contains(hidden), "{hidden}");
        }
    }
}

#[tokio::test]
async fn the_first_configuration_after_a_start_has_every_channel_that_aws_answers_for() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    sts.fail(Some((403, "AccessDenied", "no")));
    let service = start(&dir, &sts, &[]).await;
    service.create(&channel_with("one", &assume_role())).await;
    service.shutdown().await;
    sts.fail(None);
    let service = start(&dir, &sts, &[]).await;
    let config = published(&service).await;
    assert!(is_served(&config), "{config}");
    // Other content than that of revision 1.
    assert_eq!(config["revision"], 2);
    service.shutdown().await;
    // Without AWS the service starts all the same.
    std::fs::remove_file(dir.path().join("test.db")).unwrap();
    sts.fail(Some((403, "AccessDenied", "no")));
    let service = start(&dir, &sts, &[]).await;
    assert_eq!(service.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_start_does_not_wait_for_an_aws_that_hangs() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    sts.fail(Some((403, "AccessDenied", "no")));
    let service = start(&dir, &sts, &[]).await;
    service.create(&channel_with("role", &assume_role())).await;
    service.create(&channel("key")).await;
    service.shutdown().await;
    // Connections are made, and nobody answers.
    let hangs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", hangs.local_addr().unwrap());
    let extra = ["--sts-endpoint", &url];
    let started = TestService::start_in(dir, &extra);
    // Less than one attempt takes.
    let service = tokio::time::timeout(DEADLINE, started).await.unwrap();
    let config = published(&service).await;
    let kinds = [0, 1].map(|index| config["channels"][index]["credentials"]["type"].clone());
    assert_eq!(kinds, ["unavailable", "static"]);
}

#[tokio::test]
async fn reads_of_sources_are_bodies_and_stand_for_the_secrets_inside() {
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
    // Another key's fingerprint stands for nothing.
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
async fn faults_of_a_source_are_found_at_once_and_at_their_place() {
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
