//! Real requests through a channel, to see whether it works: encoded, signed and decoded by the
//! filter's own code, sent from here instead of from Envoy.

mod answer;
mod candor;
mod failure;
mod http;
mod remedy;
mod stage;

use std::sync::Arc;

use bedrock_filter::config::Channel;
use bedrock_filter::routes::Routes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::edit::EditError;
use crate::store::StoreError;
pub(crate) use candor::Candor;
pub use http::Prober;
pub use stage::{Outcome, Stage, StageReport};

/// Models that one test asks at most.
const MOST_MODELS: usize = 20;

/// Longest prompt, in bytes: a test is to be cheap.
const MOST_PROMPT: usize = 4096;

/// What a test asks for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = TestPlan)]
pub struct Plan {
    /// Names as clients send them; all that the channel names when there are none here.
    #[schema(max_items = 20)]
    pub models: Vec<String>,
    /// Only streamed answers, or only whole ones; both when absent.
    pub stream: Option<bool>,
    /// What the models are asked. Never logged.
    pub prompt: String,
    /// Tokens that an answer may have.
    #[schema(default = 16)]
    pub max_tokens: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            stream: None,
            prompt: "Reply with one word.".to_owned(),
            max_tokens: 16,
        }
    }
}

/// What came of a test.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TestReport)]
pub struct Report {
    /// Whether every request was answered.
    pub ok: bool,
    /// One for each model and kind of answer.
    pub results: Vec<Outcome>,
}

/// Why a test could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// There is no such channel, or it cannot be read.
    #[error(transparent)]
    Channel(#[from] EditError),
    /// The source of its credentials has given none, or none that are valid still.
    #[error("the channel has no valid credentials; its credential_status says why")]
    NoCredentials,
    /// Nothing says which models to ask.
    #[error("the channel names no models; say which to test in `models`")]
    NoModels,
    /// The plan's prompt is too long.
    #[error("`prompt` is longer than {MOST_PROMPT} bytes")]
    LongPrompt,
    /// The plan names too many models.
    #[error("{0} models are too many for one test; name at most {MOST_MODELS} in `models`")]
    ManyModels(usize),
}

impl From<StoreError> for ProbeError {
    fn from(error: StoreError) -> Self {
        Self::Channel(error.into())
    }
}

impl Plan {
    /// The models to ask a channel.
    pub(crate) fn models_of(&self, channel: &Channel) -> Result<Vec<String>, ProbeError> {
        if self.prompt.len() > MOST_PROMPT {
            return Err(ProbeError::LongPrompt);
        }
        let mut models = self.models.clone();
        if models.is_empty() {
            models.clone_from(&channel.models);
        }
        if models.is_empty() {
            let mapped = channel.model_mapping.keys();
            models.extend(
                mapped
                    .chain(channel.inference_profile_arn_map.keys())
                    .cloned(),
            );
        }
        models.sort();
        models.dedup();
        match models.len() {
            0 => Err(ProbeError::NoModels),
            1..=MOST_MODELS => Ok(models),
            count => Err(ProbeError::ManyModels(count)),
        }
    }

    /// The requests of one model.
    fn kinds(&self) -> Vec<bool> {
        self.stream
            .map_or_else(|| vec![false, true], |stream| vec![stream])
    }

    /// A client's request.
    fn request(&self, model: &str, stream: bool) -> Vec<u8> {
        let request = serde_json::json!({
            "model": model,
            "stream": stream,
            "max_tokens": self.max_tokens,
            "messages": [{"role": "user", "content": self.prompt}],
        });
        request.to_string().into_bytes()
    }
}

impl Prober {
    /// Asks each model, one after the other: a test is no load. Where nobody answers, that is the end.
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
        let requests = models
            .iter()
            .flat_map(|model| plan.kinds().into_iter().map(move |stream| (model, stream)));
        for (model, stream) in requests {
            let request = plan.request(model, stream);
            let trail = self.ask(Arc::clone(routes), &request, candor).await;
            results.push(Outcome::new(model, stream, trail));
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
