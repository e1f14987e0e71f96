//! Credentials that the config-service gets from AWS, used by a real Envoy.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bedrock_simulator::{Key, Recorded, Simulator};
use e2e::{
    ACCESS_KEY_ID, Builder, Channel, REGION, Reply, SECRET_ACCESS_KEY, Stack, eventually, run,
    simulator,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::wire::last;

/// How long each key lives. The service renews it after half of that.
const LIFE: Duration = Duration::from_secs(30);

/// Another key's secret.
const OTHER_SECRET: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY";

/// Keys that the simulator knows.
const KEYS: usize = 200;

/// The endpoint where ECS and EKS Pod Identity issue credentials; it issues a new key each time.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
struct ContainerCredentials {
    url: String,
    /// When each key expires.
    expiries: Arc<Mutex<Vec<SystemTime>>>,
    /// Whether it issues nothing.
    is_away: Arc<AtomicBool>,
}

impl ContainerCredentials {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/credentials", listener.local_addr().unwrap());
        let expiries = Arc::new(Mutex::new(Vec::new()));
        let is_away = Arc::<AtomicBool>::default();
        let (issued, away) = (Arc::clone(&expiries), Arc::clone(&is_away));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let (status, body) = if away.load(Ordering::Relaxed) {
                    ("503 Service Unavailable", "{}".to_owned())
                } else {
                    ("200 OK", issue(&mut issued.lock().unwrap()))
                };
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self {
            url,
            expiries,
            is_away,
        }
    }

    /// When the key that Bedrock last saw expires; the newest may not have got that far.
    fn last_expiry(&self, bedrock: &Simulator) -> SystemTime {
        self.expiries.lock().unwrap()[key_of(&last(bedrock))]
    }

    /// Makes the config-service get its keys only here.
    fn give_to(&self, builder: Builder) -> Builder {
        builder
            .config_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI", &self.url)
            .config_variable("AWS_EC2_METADATA_DISABLED", "true")
            .config_variable("AWS_CONFIG_FILE", "/dev/null")
            .config_variable("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    }
}

fn issue(expiries: &mut Vec<SystemTime>) -> String {
    let number = expiries.len();
    // In whole seconds, as AWS does.
    let seconds = (SystemTime::now() + LIFE)
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    expiries.push(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    let expiration =
        time::OffsetDateTime::from_unix_timestamp(seconds.try_into().unwrap()).unwrap();
    let expiration = expiration.format(&time::format_description::well_known::Rfc3339);
    json!({
        "AccessKeyId": key_id(number),
        "SecretAccessKey": secret(number),
        "Token": token(number),
        "Expiration": expiration.unwrap(),
    })
    .to_string()
}

fn key_id(number: usize) -> String {
    format!("ASIAROTATING{number}")
}

fn secret(number: usize) -> String {
    format!("rotating-secret-{number}")
}

fn token(number: usize) -> String {
    format!("rotating-token-{number}")
}

/// A simulator that knows every key.
async fn bedrock() -> Simulator {
    let mut builder = Simulator::builder().region(REGION);
    for number in 0..KEYS {
        let key = Key::new(key_id(number), secret(number)).with_session_token(token(number));
        builder = builder.credentials(key);
    }
    builder.start().await.unwrap()
}

/// The number of the key that signed a request.
fn key_of(request: &Recorded) -> usize {
    let authorization = request.header("authorization").unwrap();
    let (_, rest) = authorization.split_once("ASIAROTATING").unwrap();
    rest.split('/').next().unwrap().parse().unwrap()
}

/// Chats and returns the number of the key that signed.
async fn chat(stack: &Stack, bedrock: &Simulator, channel: &Channel) -> usize {
    let reply = stack.envoy.chat(&channel.ask("Hi")).await;
    assert_eq!(reply.text_of_answer(), "You said: Hi");
    let request = last(bedrock);
    assert!(request.was_valid(), "{request:?}");
    key_of(&request)
}

#[test]
fn a_key_is_replaced_in_envoy_before_it_expires() {
    run(async {
        let source = ContainerCredentials::start().await;
        let stack = source.give_to(Stack::builder()).start().await;
        let bedrock = bedrock().await;
        let fields = json!({"credentials": {"type": "default_chain"}});
        let channel = stack.channel_with(&bedrock, &fields).await;
        stack.wait_served(&channel.model).await;
        let first = chat(&stack, &bedrock, &channel).await;
        // Every chat meanwhile succeeds, each with a valid key.
        loop {
            let before = SystemTime::now();
            let number = chat(&stack, &bedrock, &channel).await;
            let expiry = source.expiries.lock().unwrap()[number];
            assert!(expiry > before, "key {number} had expired");
            if number > first {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for log in [stack.config.log(), stack.envoy.log()] {
            assert!(!log.contains("rotating-"), "{log}");
        }
    });
}

#[test]
fn a_short_term_key_calls_without_a_signature() {
    run(async {
        let (stack, bedrock) = (Stack::start().await, simulator().await);
        let signer = json!({
            "type": "static",
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
        });
        let fields = json!({"credentials": {"type": "bedrock_short_term_key", "source": signer}});
        let channel = stack.channel_with(&bedrock, &fields).await;
        let reply = stack.envoy.chat(&channel.ask("Hi")).await;
        assert_eq!(reply.text_of_answer(), "You said: Hi");
        let reply = stack.envoy.chat(&channel.ask_stream("Hi")).await;
        assert!(reply.is_done(), "{reply:?}");
        for request in bedrock.requests() {
            assert!(request.was_valid(), "{request:?}");
            let authorization = request.header("authorization").unwrap();
            assert!(authorization.starts_with("Bearer bedrock-api-key-"));
            assert_eq!(request.header("x-amz-date"), None);
        }
        let dump = stack.envoy.admin_page("/config_dump").await;
        assert!(!dump.contains("bedrock-api-key-"));
    });
}

/// Chats until an answer satisfies `is_wanted`; until then each is a 200.
async fn chat_until(stack: &Stack, body: &Value, is_wanted: impl Fn(&Reply) -> bool) -> Reply {
    eventually("the answers change", async || {
        let reply = stack.envoy.chat(body).await;
        if is_wanted(&reply) {
            return Some(reply);
        }
        assert_eq!(reply.status, 200, "{reply:?}");
        None
    })
    .await
}

/// A key that has expired, or nearly, is no longer used, before Bedrock would refuse it.
#[track_caller]
fn check_unavailable(reply: &Reply, expiry: SystemTime) {
    reply.error(503, "server_error", "credentials_unavailable");
    assert!(!reply.header("retry-after").is_empty(), "{reply:?}");
    // In whole seconds, as in the plugin configuration.
    let margin = LIFE / 10 + Duration::from_secs(1);
    assert!(SystemTime::now() >= expiry - margin, "the key is valid");
}

/// Whether Bedrock got only requests with valid keys.
#[track_caller]
fn check_accepted(bedrock: &Simulator) {
    for request in bedrock.requests() {
        assert!(request.was_valid(), "{request:?}");
    }
}

#[test]
fn credentials_serve_until_they_expire_while_the_config_service_is_down() {
    run(async {
        let source = ContainerCredentials::start().await;
        let mut stack = source.give_to(Stack::builder()).start().await;
        let bedrock = bedrock().await;
        let fields = json!({"credentials": {"type": "default_chain"}});
        let channel = stack.channel_with(&bedrock, &fields).await;
        chat(&stack, &bedrock, &channel).await;
        stack.config.stop();
        let ask = channel.ask("Hi");
        let reply = chat_until(&stack, &ask, |reply| reply.status == 503).await;
        check_unavailable(&reply, source.last_expiry(&bedrock));
        check_accepted(&bedrock);
        stack.config.resume().await;
        stack.wait_served(&channel.model).await;
        eventually("chats are answered again", async || {
            (stack.envoy.chat(&ask).await.status == 200).then_some(())
        })
        .await;
        check_accepted(&bedrock);
    });
}

#[test]
fn credentials_serve_until_they_expire_while_aws_is_down() {
    run(async {
        let source = ContainerCredentials::start().await;
        let stack = source.give_to(Stack::builder()).start().await;
        let bedrock = bedrock().await;
        let fields = json!({"credentials": {"type": "default_chain"}});
        let channel = stack.channel_with(&bedrock, &fields).await;
        chat(&stack, &bedrock, &channel).await;
        source.is_away.store(true, Ordering::Relaxed);
        let ask = channel.ask_stream("Hi");
        let reply = chat_until(&stack, &ask, |reply| reply.status == 503).await;
        check_unavailable(&reply, source.last_expiry(&bedrock));
        source.is_away.store(false, Ordering::Relaxed);
        eventually("chats are answered again", async || {
            (stack.envoy.chat(&ask).await.status == 200).then_some(())
        })
        .await;
        check_accepted(&bedrock);
    });
}

#[test]
fn requests_fail_over_from_a_channel_with_expired_credentials_until_it_returns() {
    run(async {
        let source = ContainerCredentials::start().await;
        let mut stack = source.give_to(Stack::builder().failover(2)).start().await;
        let (first, second) = (bedrock().await, simulator().await);
        let model = json!({"models": ["claude-sonnet-4-5"], "model_mapping": {}});
        let with = |fields: Value| {
            let mut all = model.clone();
            for (name, value) in fields.as_object().expect("fields") {
                all[name] = value.clone();
            }
            all
        };
        let fields = with(json!({"name": "first", "credentials": {"type": "default_chain"}}));
        stack.channel_with(&first, &fields).await;
        let fields = with(json!({"name": "second", "priority": 1}));
        let channel = stack.channel_with(&second, &fields).await;
        let ask = channel.ask("Hi");
        let by = |name: &'static str| {
            move |reply: &Reply| reply.status == 200 && reply.header("x-bedrock-channel") == name
        };
        chat_until(&stack, &ask, by("first")).await;
        stack.config.stop();
        let reply = chat_until(&stack, &ask, by("second")).await;
        assert_eq!(reply.header("x-bedrock-attempts"), "1", "{reply:?}");
        stack.config.resume().await;
        chat_until(&stack, &ask, by("first")).await;
        check_accepted(&first);
        check_accepted(&second);
    });
}

#[test]
fn a_shared_credential_is_rotated_in_every_channel_at_once() {
    run(async {
        let (stack, bedrock) = (Stack::start().await, simulator().await);
        let put = async |id: &str, secret: &str| {
            let key = json!({"type": "static", "access_key_id": id, "secret_access_key": secret});
            let body = json!({ "credentials": key });
            let path = "/api/credentials/prod";
            stack.config.call(Method::PUT, path, &body).await.status
        };
        let asks_with = async |channel: &Channel, id: &str| {
            let reply = stack.envoy.chat(&channel.ask("Hi")).await;
            let signed = last(&bedrock).header("authorization").unwrap().to_owned();
            reply.status == 200 && signed.contains(&format!("={id}/"))
        };
        assert_eq!(put(ACCESS_KEY_ID, SECRET_ACCESS_KEY).await, 201);
        let fields = json!({"credentials": {"type": "shared", "name": "prod"}});
        let one = stack.channel_with(&bedrock, &fields).await;
        let two = stack.channel_with(&bedrock, &fields).await;
        assert!(asks_with(&one, ACCESS_KEY_ID).await && asks_with(&two, ACCESS_KEY_ID).await);
        bedrock.admit(Key::new("AKIDROTATED", OTHER_SECRET));
        assert_eq!(put("AKIDROTATED", OTHER_SECRET).await, 200);
        for channel in [&one, &two] {
            eventually("every worker signs with the new key", async || {
                asks_with(channel, "AKIDROTATED").await.then_some(())
            })
            .await;
        }
    });
}
