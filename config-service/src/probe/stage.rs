//! The stages of a request, and the outcome of each.

use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::failure::Failure;

/// A step that a request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TestStage)]
pub enum Stage {
    /// The request is parsed, resolved to a model, translated and signed.
    Prepare,
    /// The host is found and connected to, and the request is sent.
    Connect,
    /// Bedrock answers with a status.
    Status,
    /// The answer is read and translated.
    Decode,
}

/// The outcome of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = TestStageReport)]
pub struct StageReport {
    /// Which stage.
    pub stage: Stage,
    /// Whether it succeeded.
    pub ok: bool,
    /// Milliseconds that it took.
    pub elapsed_ms: u64,
    /// What happened, for people; without secrets.
    pub detail: String,
    /// What to do if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub remedy: Option<String>,
}

/// The outcome of one request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TestOutcome)]
pub struct Outcome {
    /// The requested model name.
    pub model: String,
    /// Whether a stream was requested.
    pub stream: bool,
    /// Whether it was answered.
    pub ok: bool,
    /// Milliseconds in total.
    pub elapsed_ms: u64,
    /// The stages that it went through.
    pub stages: Vec<StageReport>,
    /// The start of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub answer: Option<String>,
    /// Token usage as the client would see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    pub usage: Option<Value>,
}

/// How a request wants its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// In one piece.
    Whole,
    /// As a stream.
    Streamed,
}

/// Records the stages of a request as it goes through them.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pub(super) stages: Vec<StageReport>,
    pub(super) answer: Option<String>,
    pub(super) usage: Option<Value>,
}

/// The result of a stage, with what to say about it.
pub(super) type Stepped<T> = Result<(T, String), Failure>;

impl Trail {
    /// Records the outcome of a stage; `None` ends the request.
    pub(super) fn note<T>(
        &mut self,
        stage: Stage,
        start: Instant,
        stepped: Stepped<T>,
    ) -> Option<T> {
        let elapsed_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (ok, detail, remedy, value) = match stepped {
            Ok((value, detail)) => (true, detail, None, Some(value)),
            Err(failure) => {
                let remedy = failure.remedy().map(str::to_owned);
                (false, failure.to_string(), remedy, None)
            }
        };
        self.stages.push(StageReport {
            stage,
            ok,
            elapsed_ms,
            detail,
            remedy,
        });
        value
    }
}

impl Outcome {
    /// Why it was not answered; `None` if it was.
    pub(crate) fn failure(&self) -> Option<String> {
        let last = self.stages.last().filter(|_| !self.ok);
        last.map(|own| own.detail.clone())
    }

    /// Whether the host was not reached, so that the next request would not reach it
    /// either.
    pub(super) fn is_unconnected(&self) -> bool {
        let last = self.stages.last();
        last.is_some_and(|own| own.stage == Stage::Connect && !own.ok)
    }

    pub(super) fn new(model: &str, delivery: Delivery, trail: Trail) -> Self {
        let last = trail.stages.last();
        Self {
            model: model.to_owned(),
            stream: delivery == Delivery::Streamed,
            ok: last.is_some_and(|own| own.ok && own.stage == Stage::Decode),
            elapsed_ms: trail.stages.iter().map(|own| own.elapsed_ms).sum(),
            stages: trail.stages,
            answer: trail.answer,
            usage: trail.usage,
        }
    }
}
