//! Which hosts get a channel's credentials: an editor must not learn secrets that they did not
//! enter.

use std::sync::{Arc, Mutex};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::common::{ARN, Reply, SECRET, TOKEN, TestService, channel_with};
use crate::{apply, web};

const API_KEY: &str = "ABSKexample-of-an-api-key";
const ELSEWHERE: &str = "https://bedrock.example";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";

/// Somebody else's host, which reads what it gets.
struct Thief {
    url: String,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Thief {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 64 * 1024];
                let count = stream.read(&mut bytes).await.unwrap_or(0);
                all.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        Self { url, seen }
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }
}

fn key() -> Value {
    json!({"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": SECRET})
}

/// Every type of credentials with a secret that an administrator enters, and the path of that
/// secret.
fn kinds() -> [(Value, &'static str); 5] {
    let mut temporary = key();
    temporary["session_token"] = json!("a-session-token");
    let role = json!({"type": "assume_role", "role_arn": ROLE, "source": key()});
    let minted = json!({"type": "bedrock_short_term_key", "source": role});
    let api_key = json!({"type": "bedrock_api_key", "api_key": API_KEY});
    [
        (key(), "/credentials/secret_access_key"),
        (temporary, "/credentials/secret_access_key"),
        (api_key, "/credentials/api_key"),
        (role, "/credentials/source/secret_access_key"),
        (minted, "/credentials/source/source/secret_access_key"),
    ]
}

/// Creates a disabled channel, so that AWS is not called.
async fn create(service: &TestService, name: &str, fields: &Value) -> String {
    let mut channel = channel_with(name, fields);
    channel["enabled"] = json!(false);
    service.create(&channel).await
}

/// Restarts a service with these flags.
async fn restart(service: TestService, flags: &[&str]) -> TestService {
    let dir = Arc::clone(&service.dir);
    service.shutdown().await;
    TestService::start_in(dir, flags).await
}

#[track_caller]
fn refused(reply: &Reply, place: &str) {
    assert_eq!(reply.problem(422), [format!("{place} secret_required")]);
    let text = &reply.text;
    assert!(!text.contains(SECRET) && !text.contains(API_KEY), "{text}");
}

#[tokio::test]
async fn an_editor_cannot_have_a_stored_key_sent_to_a_host_of_their_own() {
    let (service, thief) = (TestService::start().await, Thief::start().await);
    for (number, secret) in [API_KEY, "a-session-token"].iter().enumerate() {
        let credentials = &kinds()[2 - number].0;
        let fields = json!({"credentials": credentials,
            "inference_profile_arn_map": {"claude-sonnet-4-5": ARN}});
        let id = create(&service, &format!("c{number}"), &fields).await;
        let reply = service.patch(&id, &json!({"endpoint": thief.url})).await;
        let plan = json!({"stream": false}).to_string();
        let path = format!("/api/channels/{id}/test");
        if reply.status.is_success() {
            service.send(Method::POST, &path, plan).await;
        }
        assert!(!thief.seen().contains(secret), "{}", thief.seen());
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{reply:?}");
    }
}

#[tokio::test]
async fn another_host_needs_the_secret_again_for_every_type_and_every_edit() {
    let service = TestService::start().await;
    for (number, (credentials, place)) in kinds().iter().enumerate() {
        let name = format!("c{number}");
        let fields = json!({"credentials": credentials});
        let id = create(&service, &name, &fields).await;
        let path = format!("/api/channels/{id}");
        let read = service.get(&path).await.json();

        for endpoint in [
            ELSEWHERE,
            "https://bedrock.example:8443",
            "https://vpce-0a.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            "http://127.0.0.1:9000",
        ] {
            let edit = json!({"endpoint": endpoint});
            refused(&service.patch(&id, &edit).await, place);
        }
        let mut whole = read.clone();
        whole["endpoint"] = json!(ELSEWHERE);
        refused(&service.put(&id, &whole).await, place);
        whole.as_object_mut().unwrap().remove("credentials");
        refused(&service.put(&id, &whole).await, place);
        whole.as_object_mut().unwrap().remove("id");
        let by_name = format!("/api/channels/by-name/{name}");
        let reply = service.send(Method::PUT, &by_name, whole.to_string()).await;
        refused(&reply, place);
        assert_eq!(service.get(&path).await.json(), read);

        let edit = json!({"endpoint": ELSEWHERE, "credentials": credentials});
        let reply = service.patch(&id, &edit).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        // Edits that do not change the host are as free as ever.
        for edit in [
            json!({"models": ["claude-3-haiku"]}),
            json!({"endpoint": format!("{ELSEWHERE}:443/")}),
        ] {
            assert_eq!(service.patch(&id, &edit).await.status, StatusCode::OK);
        }
        for endpoint in [json!(null), json!("http://bedrock.example:443")] {
            let reply = service.patch(&id, &json!({"endpoint": endpoint})).await;
            assert!(
                reply
                    .problem(422)
                    .contains(&format!("{place} secret_required"))
            );
        }
        let back = json!({"revision": read["revision"]}).to_string();
        let reply = service
            .send(Method::POST, &format!("{path}/rollback"), back)
            .await;
        refused(&reply, place);
    }
}

#[tokio::test]
async fn the_page_and_the_command_line_say_what_is_missing() {
    let service = TestService::start().await;
    let fields = json!({"credentials": key()});
    let id = create(&service, "one", &fields).await;
    let (cookie, csrf) = web::log_in(&service, TOKEN).await;
    let form = |endpoint: &'static str, kind: &'static str| {
        [
            ("csrf", csrf.as_str()),
            ("id", id.as_str()),
            ("revision", "1"),
            ("name", "one"),
            ("region", "us-east-1"),
            ("endpoint", endpoint),
            ("allow_model_ids", "catalogue"),
            ("signer", "filter"),
            ("api", "auto"),
            ("cross_region", "geo"),
            ("priority", "0"),
            ("weight", "1"),
            ("credential_kind", kind),
            ("access_key_id", "AKIDEXAMPLE"),
            ("secret_access_key", SECRET),
        ]
    };
    let address = format!("/channels/{id}");
    for (kind, place, status, missing) in [
        ("keep", address.as_str(), 422, true),
        ("keep", "/channels/validate", 200, true),
        ("static", address.as_str(), 303, false),
    ] {
        let fields = form(ELSEWHERE, kind);
        let reply = web::post(&service, place, &cookie, &fields).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert_eq!(reply.text.contains("must be entered again"), missing);
    }
    let fields = [("csrf", csrf.as_str()), ("revision", "1")];
    let rollback = format!("{address}/rollback");
    let reply = web::post(&service, &rollback, &cookie, &fields).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{reply:?}");
    assert!(reply.text.contains("must be entered again"), "{reply:?}");

    let (done, exported, error) = apply::run(&service, &["export"]).await;
    assert!(done, "{error}");
    let file = service.dir.path().join("channels.yaml");
    std::fs::write(&file, exported.replace(ELSEWHERE, "https://other.example")).unwrap();
    let words = ["apply", "-f", file.to_str().unwrap()];
    let (done, said, _) = apply::run(&service, &words).await;
    assert!(!done && said.contains("must be entered again"), "{said}");
}

#[tokio::test]
async fn the_public_hosts_of_one_partition_are_one() {
    let service = TestService::start().await;
    let place = "/credentials/secret_access_key";
    let id = create(&service, "one", &json!({"credentials": key()})).await;
    for edit in [
        json!({"region": "eu-west-1"}),
        json!({"fips": true, "region": "us-west-2"}),
        json!({"endpoint": "https://bedrock-runtime.us-west-2.amazonaws.com"}),
        json!({"endpoint": null, "region": "us-east-1"}),
    ] {
        let reply = service.patch(&id, &edit).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    }
    for region in ["cn-north-1", "us-gov-west-1", "eusc-de-east-1"] {
        refused(&service.patch(&id, &json!({"region": region})).await, place);
    }
}

#[tokio::test]
async fn what_aws_issues_to_the_service_itself_goes_only_to_trusted_hosts() {
    let trusted = "https://bedrock.corp.internal";
    let service = TestService::start().await;
    let chain = json!({"type": "default_chain"});
    let kinds = [
        chain.clone(),
        json!({"type": "assume_role", "role_arn": ROLE, "source": chain}),
        json!({"type": "bedrock_short_term_key", "source": chain}),
    ];
    let fields = |credentials: &Value, endpoint: &str| json!({"credentials": credentials, "endpoint": endpoint, "enabled": false});
    let at = |credentials: &Value, endpoint: &str| {
        channel_with("ambient", &fields(credentials, endpoint))
    };
    for credentials in &kinds {
        for endpoint in [trusted, "https://10.0.0.7", ELSEWHERE] {
            let faults = service.post(&at(credentials, endpoint)).await.problem(422);
            assert_eq!(faults, ["/endpoint untrusted_endpoint"]);
        }
    }
    // A detour through a channel with the editor's own key does not work either.
    let id = create(&service, "own", &fields(&key(), ELSEWHERE)).await;
    let reply = service.patch(&id, &json!({"credentials": chain})).await;
    assert_eq!(reply.problem(422), ["/endpoint untrusted_endpoint"]);

    let flags = ["--trusted-endpoints", trusted];
    let service = restart(service, &flags).await;
    for credentials in &kinds {
        for endpoint in [
            trusted,
            "https://vpce-0a.bedrock-runtime.us-east-1.vpce.amazonaws.com",
        ] {
            let id = service.create(&at(credentials, endpoint)).await;
            service
                .send(Method::DELETE, &format!("/api/channels/{id}"), "")
                .await;
        }
        let faults = service.post(&at(credentials, ELSEWHERE)).await.problem(422);
        assert_eq!(faults, ["/endpoint untrusted_endpoint"]);
    }
}

#[tokio::test]
async fn plain_text_leaves_the_private_network_only_if_the_operator_says_so() {
    let service = TestService::start().await;
    let at = |credentials: &Value, endpoint: &str| {
        let fields = json!({"credentials": credentials, "endpoint": endpoint});
        channel_with("plain", &fields)
    };
    let [_, _, (api_key, _), ..] = kinds();
    let faults = ["/endpoint plaintext_endpoint"];
    for endpoint in ["http://simulator:9000", "http://192.0.2.1"] {
        for credentials in [&key(), &api_key] {
            let reply = service.post(&at(credentials, endpoint)).await;
            assert_eq!(reply.problem(422), faults, "{endpoint}");
        }
    }
    for endpoint in ["http://127.0.0.1:9000", "http://[::1]", "http://10.0.0.7"] {
        let id = service.create(&at(&api_key, endpoint)).await;
        service
            .send(Method::DELETE, &format!("/api/channels/{id}"), "")
            .await;
    }
    let flags = ["--trusted-endpoints", "http://simulator:9000"];
    let service = restart(service, &flags).await;
    let reply = service.post(&at(&api_key, "http://simulator:9000")).await;
    assert_eq!(reply.problem(422), faults);
    let id = service.create(&at(&key(), "http://simulator:9000")).await;

    // An existing channel is served and can be disabled, but no new one can be like it.
    let service = restart(service, &[]).await;
    let reply = service.patch(&id, &json!({"enabled": false})).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let edit = json!({"endpoint": "http://simulator:9001", "credentials": key()});
    assert_eq!(service.patch(&id, &edit).await.problem(422), faults);
}
