//! A case played through the real Envoy to the strict simulator and back.
//!
//! The simulator gives an answer only after it has found the request valid, so this also shows that what we send
//! passes its checks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use bedrock_simulator::{Effect, Family, Fault, Simulator, Verdict};
use e2e::{Reply, Shared, SharedStack, Stack, run, simulator_builder};
use golden_cases::{Answer, CHAT, Case, MESSAGES, PLUGIN_CONFIG, RESPONSES};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

/// An Envoy with the channels of the golden cases, and the Bedrock that they call.
pub(crate) struct Site {
    pub(crate) stack: Shared,
    pub(crate) bedrock: MutexGuard<'static, Simulator>,
}

impl Site {
    /// The site that all cases share, one case at a time, because the simulator has a single queue of answers.
    pub(crate) async fn get() -> Self {
        // Answers are compared whole, and signs of life are the clock's.
        static STACK: SharedStack =
            SharedStack::new(|| Stack::builder().argument("--stream-keep-alive-seconds=0"));
        static BEDROCK: OnceCell<Mutex<Simulator>> = OnceCell::const_new();
        static BEGUN: AtomicBool = AtomicBool::new(false);
        let begin = || async {
            // A thousand tests need not wait one after another for something that does not start.
            let again = BEGUN.swap(true, Ordering::Relaxed);
            assert!(!again, "Envoy did not start; see the first failure");
            let bedrock = bedrock().await;
            let stack = STACK.get().await;
            create_channels(&stack, &bedrock).await;
            Mutex::new(bedrock)
        };
        let bedrock = BEDROCK.get_or_init(begin).await.lock().await;
        bedrock.clear();
        Self {
            stack: STACK.get().await,
            bedrock,
        }
    }
}

/// A Bedrock that knows the ARNs of the golden plugin configuration.
async fn bedrock() -> Simulator {
    let account = "arn:aws:bedrock:us-east-1:123456789012";
    let import = format!("{account}:imported-model/abc123def456");
    let builder = simulator_builder().own_model(&import, Family::OpenAi);
    builder.start().await.expect("a simulator")
}

/// The channels of the golden cases, which call the simulator, and the names that choose.
async fn create_channels(stack: &Stack, bedrock: &Simulator) {
    let config: Value = serde_json::from_str(PLUGIN_CONFIG).unwrap();
    let mut revision = Value::Null;
    for channel in config["channels"].as_array().unwrap() {
        let mut channel = channel.clone();
        channel["endpoint"] = json!(bedrock.url());
        revision = stack.config.create(&channel).await["revision"].clone();
    }
    for (name, choice) in config["model_choices"].as_object().unwrap() {
        revision = stack.config.choose(name, choice).await["revision"].clone();
    }
    stack.config.wait_active(revision.as_u64().unwrap()).await;
    stack.wait_served("golden-fast").await;
    stack.wait_served("converse-claude").await;
}

/// Whether a Bedrock gives such an answer: the simulator signs all of its own. And whether the channels of the
/// config-service serve the path. Thoughts that the filter sealed without a key do not open there, and the simulator
/// refuses thoughts with a signature that is not its own.
pub(crate) fn can_play(case: &Case) -> bool {
    let own = [CHAT, MESSAGES, RESPONSES];
    let is_served = own.iter().any(|path| case.path.starts_with(path));
    is_served && !ALIEN.iter().any(|word| case.name.contains(word))
}

/// Parts of the names of cases that only the filter alone can play.
const ALIEN: [&str; 6] = [
    "error-no-route",
    "/reasoning-comes-back-sealed",
    "/reasoning-that-was-altered",
    "anthropic_messages/claude-full",
    "anthropic_messages/claude-newest-dialect",
    "anthropic_messages/claude-order-is-kept",
];

pub(crate) fn check(case: &Case) -> Result<(), String> {
    run(async {
        let site = Site::get().await;
        if let Some(answer) = &case.answer {
            site.bedrock.inject(recorded(answer));
        }
        let body = case.request.clone();
        let reply = site.stack.envoy.post_bytes(&case.path, body).await;
        upstream_fault(case, &site.bedrock)
            .or_else(|| response_fault(case, &reply))
            .map_or(Ok(()), Err)
    })
}

/// An answer, as an instruction for the simulator.
pub(crate) fn recorded(answer: &Answer) -> Fault {
    let mut fault = Fault::bytes(answer.status, "", &answer.body);
    if let Effect::Bytes { headers, .. } = &mut fault.effect {
        *headers = answer.headers.iter().cloned().collect::<BTreeMap<_, _>>();
    }
    fault
}

/// First line and body of a case's upstream call or response.
pub(crate) fn split(text: &str) -> (&str, &str) {
    let (head, body) = text.split_once("\n\n").unwrap();
    (head.lines().next().unwrap_or_default(), body.trim_end())
}

/// What the ids of responses, of their items and of calls to which the model gave none begin with, before the
/// request's own id.
const OWN_IDS: [&str; 8] = [
    "req_", "resp_", "msg_", "rs_", "fc_", "ctc_", "tsc_", "toolu_",
];

/// JSON, or the JSON of server-sent events, without times and ids of our own: the simulator gives its own id to each
/// request. And without sealed thoughts, because the stack has a key of its own.
fn comparable(text: &str) -> Vec<Value> {
    let mut values: Vec<Value> = match serde_json::from_str(text) {
        Ok(value) => vec![value],
        Err(_) => text
            .split("\n\n")
            .filter(|event| !event.trim().is_empty())
            .map(|event| {
                let (_, data) = event.trim().split_once("data: ").unwrap();
                serde_json::from_str(data).unwrap_or_else(|_| json!(data))
            })
            .collect(),
    };
    for value in &mut values {
        for field in ["created", "id"] {
            if let Some(value) = value.get_mut(field) {
                *value = Value::Null;
            }
        }
        blur(value);
    }
    values
}

fn blur(value: &mut Value) {
    match value {
        Value::Object(members) => {
            // Envoy gives every request an id; the pure filter has none to tell.
            members.retain(|name, value| name != "request_id" || !is_own(value));
            for (name, value) in members {
                match name.as_str() {
                    "created_at" | "completed_at" => *value = Value::Null,
                    "id" | "item_id" if is_own(value) => *value = Value::Null,
                    "encrypted_content" if value.is_string() => *value = json!("sealed"),
                    _ => blur(value),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(blur),
        _ => {}
    }
}

/// Whether it is one of our ids, which contain the request's: `toolu_1` is a model's.
fn is_own(value: &Value) -> bool {
    // Without hyphens in Responses.
    const UUID_LEN: usize = 32;
    let id = value.as_str().unwrap_or_default();
    let rest = OWN_IDS.iter().find_map(|prefix| id.strip_prefix(prefix));
    rest.is_some_and(|rest| rest.len() >= UUID_LEN)
}

/// What is wrong with the call that the simulator received, if anything.
fn upstream_fault(case: &Case, bedrock: &Simulator) -> Option<String> {
    let seen = bedrock.requests();
    let Some(expected) = &case.upstream else {
        return (!seen.is_empty()).then(|| "Bedrock was called".to_owned());
    };
    let [call] = seen.as_slice() else {
        return Some(format!("{} calls", seen.len()));
    };
    if !matches!(call.verdict, Verdict::Faulted { .. }) {
        return Some(format!("refused: {:?}", call.verdict));
    }
    let (line, body) = split(expected);
    let body: Value = serde_json::from_str(body).unwrap();
    let same =
        line == format!("{} {}", call.method, call.path) && call.body.as_ref() == Some(&body);
    (!same).then(|| format!("another call: {} {:?}", call.path, call.body))
}

fn response_fault(case: &Case, reply: &Reply) -> Option<String> {
    let (status, body) = split(case.response.as_deref()?);
    if reply.status.to_string() != status {
        return Some(format!(
            "status {} for {status}: {}",
            reply.status, reply.text
        ));
    }
    (comparable(&reply.text) != comparable(body)).then(|| format!("another answer: {}", reply.text))
}
