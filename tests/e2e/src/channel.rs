//! Simulators and channels that belong to one test.

use std::sync::atomic::{AtomicU64, Ordering};

use bedrock_simulator::{Builder, Key, Simulator};
use serde_json::{Value, json};

use crate::{Stack, eventually};

/// The key id that simulators know.
pub const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";

/// The secret that belongs to it.
pub const SECRET_ACCESS_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// The region of simulators and channels.
pub const REGION: &str = "us-east-1";

/// A simulator with the ordinary key.
pub async fn simulator() -> Simulator {
    simulator_builder().start().await.expect("a simulator")
}

/// A simulator with the ordinary key, for the caller to change.
pub fn simulator_builder() -> Builder {
    Simulator::builder()
        .credentials(Key::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY))
        .region(REGION)
}

/// A test's own channel, with its own model and inference profile.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Id in the admin API.
    pub id: String,
    /// The model name by which clients reach only this channel.
    pub model: String,
    /// The ARN that the model is mapped to.
    pub arn: String,
}

impl Channel {
    /// A chat request with one user message.
    pub fn ask(&self, text: &str) -> Value {
        json!({ "model": self.model, "messages": [{ "role": "user", "content": text }] })
    }

    /// The same as a stream.
    pub fn ask_stream(&self, text: &str) -> Value {
        let mut body = self.ask(text);
        body["stream"] = json!(true);
        body
    }

    /// A chat request with additional fields.
    pub fn ask_with(&self, text: &str, fields: &Value) -> Value {
        let mut body = self.ask(text);
        merge(&mut body, fields);
        body
    }

    /// Path of a call to its model.
    pub fn path(&self, operation: &str) -> String {
        path_of(&self.arn, operation)
    }

    /// Path of a call to any ARN.
    pub fn path_for(arn: &str, operation: &str) -> String {
        path_of(arn, operation)
    }
}

/// Body of a channel for a simulator, with a unique name, model and ARN.
pub fn channel_body(simulator: &Simulator) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let model = format!("model-{number}");
    let profile = format!("application-inference-profile/p{number:011}");
    json!({
        "name": format!("channel-{number}"),
        "region": REGION,
        "endpoint": simulator.url(),
        "credentials": {
            "type": "static",
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
        },
        "models": [model],
        "model_mapping": { model: "claude-sonnet-4-5" },
        "inference_profile_arn_map": {
            "claude-sonnet-4-5": format!("arn:aws:bedrock:{REGION}:123456789012:{profile}"),
        },
    })
}

impl Stack {
    /// A channel to a simulator that serves its own model; Envoy runs it on return.
    pub async fn channel(&self, simulator: &Simulator) -> Channel {
        self.channel_with(simulator, &json!({})).await
    }

    /// The same with additional fields.
    pub async fn channel_with(&self, simulator: &Simulator, fields: &Value) -> Channel {
        let mut body = channel_body(simulator);
        merge(&mut body, fields);
        let view = self.config.create(&body).await;
        let mut revision = view["revision"].as_u64().expect("a revision");
        if view["credential_status"].is_object() && body["enabled"] != false {
            // What AWS issues is a separate revision.
            revision += 1;
            eventually("AWS has issued credentials", async || {
                let status = self.config.status().await;
                (status["revision"].as_u64() >= Some(revision)).then_some(())
            })
            .await;
        }
        self.config.wait_active(revision).await;
        let arns = body["inference_profile_arn_map"].as_object();
        let arn = arns
            .and_then(|arns| arns.values().next())
            .and_then(Value::as_str);
        let channel = Channel {
            id: view["id"].as_str().expect("an id").to_owned(),
            model: body["models"][0].as_str().expect("a model").to_owned(),
            arn: arn.unwrap_or_default().to_owned(),
        };
        if body["enabled"] != false {
            self.wait_served(&channel.model).await;
        }
        channel
    }
}

fn merge(body: &mut Value, fields: &Value) {
    for (name, value) in fields.as_object().expect("an object") {
        body[name] = value.clone();
    }
}

fn path_of(arn: &str, operation: &str) -> String {
    let segment: String = arn
        .chars()
        .map(|c| match c {
            ':' => "%3A".to_owned(),
            '/' => "%2F".to_owned(),
            other => other.to_string(),
        })
        .collect();
    format!("/model/{segment}/{operation}")
}
