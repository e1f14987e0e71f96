//! Sends real requests through a channel to see whether it works: encoded, signed and decoded by the
//! filter's own code, but sent from here instead of from Envoy.

mod answer;
mod failure;
mod http;
mod remedy;
mod stage;

use std::sync::Arc;

use bedrock_filter::config::{Channel, ProtocolName};
use bedrock_filter::routes::Routes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::candor::Candor;
use crate::edit::EditError;
use crate::store::StoreError;
pub use http::Prober;
use stage::Delivery;
pub use stage::{Outcome, Stage, StageReport};

/// The most models in one test.
const MAX_MODELS: usize = 20;

/// Longest prompt, in bytes, so that a test is cheap.
const MAX_PROMPT: usize = 4096;

/// What to test.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = TestPlan)]
pub struct Plan {
    /// Names as clients send them; if empty, all that the channel names.
    #[schema(max_items = 20)]
    pub models: Vec<String>,
    /// What clients speak: `openai_chat`, `openai_responses` or `anthropic_messages`.
    #[schema(value_type = String, default = "openai_chat")]
    pub protocol: ProtocolName,
    /// Only streamed answers, or only whole ones; both when absent.
    pub stream: Option<bool>,
    /// The prompt. Never logged.
    pub prompt: String,
    /// The most tokens in an answer.
    #[schema(default = 16)]
    pub max_tokens: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            protocol: ProtocolName::default(),
            stream: None,
            prompt: "Reply with one word.".to_owned(),
            max_tokens: 16,
        }
    }
}

/// The result of a test.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TestReport)]
pub struct Report {
    /// Whether every request was answered.
    pub ok: bool,
    /// One for each model and each of plain and streamed.
    pub results: Vec<Outcome>,
}

/// Why a test could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// There is no such channel, or it cannot be read.
    #[error(transparent)]
    Channel(#[from] EditError),
    /// The source of its credentials has issued none, or none that are still valid.
    #[error("the channel has no valid credentials; its credential_status says why")]
    NoCredentials,
    /// Nothing says which models to ask.
    #[error("the channel names no models; name those to test in `models`")]
    NoModels,
    /// The plan's prompt is too long.
    #[error("`prompt` is longer than {MAX_PROMPT} bytes; shorten it")]
    LongPrompt,
    /// The plan names too many models.
    #[error("{0} models are too many for one test; name at most {MAX_MODELS} in `models`")]
    ManyModels(usize),
}

impl From<StoreError> for ProbeError {
    fn from(error: StoreError) -> Self {
        Self::Channel(error.into())
    }
}

impl Plan {
    /// The models to test.
    pub(crate) fn models_of<C>(&self, channel: &Channel<C>) -> Result<Vec<String>, ProbeError> {
        if self.prompt.len() > MAX_PROMPT {
            return Err(ProbeError::LongPrompt);
        }
        let mut models = self.models.clone();
        if models.is_empty() {
            models.extend(channel.written_names().cloned());
        }
        models.sort();
        models.dedup();
        match models.len() {
            0 => Err(ProbeError::NoModels),
            1..=MAX_MODELS => Ok(models),
            count => Err(ProbeError::ManyModels(count)),
        }
    }

    /// The requests of one model.
    fn deliveries(&self) -> &'static [Delivery] {
        match self.stream {
            None => &[Delivery::Whole, Delivery::Streamed],
            Some(false) => &[Delivery::Whole],
            Some(true) => &[Delivery::Streamed],
        }
    }

    /// A client's request.
    fn request(&self, model: &str, delivery: Delivery) -> Vec<u8> {
        let stream = delivery == Delivery::Streamed;
        let request = match self.protocol {
            ProtocolName::OpenaiResponses => serde_json::json!({
                "model": model,
                "stream": stream,
                "max_output_tokens": self.max_tokens,
                "input": self.prompt,
            }),
            ProtocolName::OpenaiChat => serde_json::json!({
                "model": model,
                "stream": stream,
                "stream_options": stream.then(|| serde_json::json!({"include_usage": true})),
                "max_tokens": self.max_tokens,
                "messages": [{"role": "user", "content": self.prompt}],
            }),
            ProtocolName::AnthropicMessages => serde_json::json!({
                "model": model,
                "stream": stream,
                "max_tokens": self.max_tokens,
                "messages": [{"role": "user", "content": self.prompt}],
            }),
        };
        request.to_string().into_bytes()
    }
}

impl Prober {
    /// Tests each model, one after the other, because a test must not cause load. Stops when a host
    /// does not answer.
    pub(crate) async fn run(
        &self,
        routes: &Arc<Routes>,
        models: &[String],
        plan: &Plan,
        candor: Candor,
    ) -> Report {
        // The semaphore is never closed.
        let _slot = self.tests.acquire().await;
        let mut results: Vec<Outcome> = Vec::new();
        let requests = models.iter().flat_map(|model| {
            plan.deliveries()
                .iter()
                .copied()
                .map(move |own| (model, own))
        });
        for (model, delivery) in requests {
            let request = plan.request(model, delivery);
            let asked = (plan.protocol, request.as_slice());
            let trail = self
                .send_and_follow(Arc::clone(routes), asked, candor)
                .await;
            results.push(Outcome::new(model, delivery, trail));
            if results.last().is_some_and(Outcome::is_unconnected) {
                break;
            }
        }
        Report {
            ok: results.iter().all(|outcome| outcome.ok),
            results,
        }
    }
}
