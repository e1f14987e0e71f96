//! Why answers end: the one table of the models' words for it.
//!
//! A word that is not in the table means that the answer is complete. It is reported to the sink, which counts it, so
//! that a vendor's new word is noticed before users complain about half an answer.

use std::hint::black_box;

use crate::bedrock::{DecodeError, UpstreamError};
use crate::chat::{AnswerSink, Completion, FinishReason, Usage};

/// Value of `amazon-bedrock-guardrailAction` if a guardrail replaced the answer with its own.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-invoke-api.html>
const INTERVENED: &str = "INTERVENED";

/// What a word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// The model was done, or reached a stop text: many have one word for both.
    Complete,
    /// It reached a stop text.
    StopText,
    /// A limit cut it off.
    Length,
    /// It was withheld.
    Filtered,
    /// The model calls tools.
    Calls,
    /// There is no valid answer.
    Failed(Failure),
}

/// How an answer failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// The model, or its server, gave up.
    GaveUp,
    /// Bedrock could not read what the model wrote.
    Malformed(&'static str),
}

const GAVE_UP: Meaning = Meaning::Failed(Failure::GaveUp);

/// The words, in any case, by their meaning.
///
/// - Claude: <https://docs.anthropic.com/en/api/handling-stop-reasons>
/// - Converse and Nova: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
/// - Titan: <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html>
/// - Cohere: <https://docs.cohere.com/reference/chat>
/// - `DeepSeek`: <https://api-docs.deepseek.com/api/create-chat-completion>
/// - GLM: <https://docs.z.ai/api-reference/llm/chat-completion>
/// - Mistral: <https://docs.mistral.ai/api/endpoint/chat>
const TABLE: &[(Meaning, &[&str])] = &[
    (
        Meaning::Complete,
        &[
            "stop",
            "end_turn",
            "pause_turn",
            "eos",
            "eos_token",
            "endoftext",
            "complete",
            "completed",
            "finish",
            "finished",
            "stop_criteria_met",
            "rag_query_when_rag_disabled",
        ],
    ),
    (Meaning::StopText, &["stop_sequence"]),
    (
        Meaning::Length,
        &[
            "length",
            "max_tokens",
            "max_length",
            "model_length",
            "error_limit",
            "model_context_window_exceeded",
            "compaction",
        ],
    ),
    (
        Meaning::Filtered,
        &[
            "content_filter",
            "content_filtered",
            "guardrail_intervened",
            "refusal",
            "sensitive",
            "error_toxic",
        ],
    ),
    (
        Meaning::Calls,
        &["tool_calls", "tool_call", "tool_use", "function_call"],
    ),
    (
        GAVE_UP,
        &[
            "error",
            "failed",
            "network_error",
            "server_error",
            "internal_error",
            "abort",
            "aborted",
            "cancel",
            "cancelled",
            "canceled",
            "user_cancel",
            "timeout",
            "overloaded",
            "engine_overloaded",
            "insufficient_system_resource",
        ],
    ),
    (
        Meaning::Failed(Failure::Malformed("tool call")),
        &["malformed_tool_use"],
    ),
    (
        Meaning::Failed(Failure::Malformed("answer")),
        &["malformed_model_output"],
    ),
];

/// What is known so far of why an answer ended.
#[derive(Debug, Default)]
pub(in crate::bedrock) struct EndReason {
    /// Never a failure.
    meaning: Option<Meaning>,
    /// The model's word, if the table does not have it.
    unknown: Option<String>,
    intervened: bool,
}

/// Where a text was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum CutAt<'a> {
    /// At one of the client's stop texts.
    StopText(&'a str),
    /// Where the next turn would have begun.
    Label,
}

impl<'a> CutAt<'a> {
    /// The client's stop text.
    pub(in crate::bedrock) fn stop_text(self) -> Option<&'a str> {
        match self {
            Self::StopText(text) => Some(text),
            Self::Label => None,
        }
    }
}

/// Whether an answer calls tools of the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bedrock) enum Called {
    /// It only says something.
    Nothing,
    /// At least one.
    Tools,
}

impl Called {
    /// By whether there are calls.
    pub(in crate::bedrock) fn when(has_calls: bool) -> Self {
        if has_calls {
            Self::Tools
        } else {
            Self::Nothing
        }
    }

    /// As far as a stream has reported calls.
    pub(in crate::bedrock) fn so_far(out: &dyn AnswerSink) -> Self {
        Self::when(out.tool_calls() > 0)
    }

    /// By the calls of a whole answer.
    pub(in crate::bedrock) fn of(completion: &Completion) -> Self {
        Self::when(!completion.tool_calls.is_empty())
    }
}

/// Whether the table has the word.
pub(in crate::bedrock) fn is_known(word: &str) -> bool {
    meaning(word).is_some()
}

fn meaning(word: &str) -> Option<Meaning> {
    let has = |words: &[&str]| words.iter().any(|own| own.eq_ignore_ascii_case(word));
    // Hidden from the compiler, which would write a comparison for each word.
    let row = black_box(TABLE).iter().find(|(_, words)| has(words));
    row.map(|(meaning, _)| *meaning)
}

impl EndReason {
    /// Takes the model's word, if there is one; some servers write `""` or `"null"` while the answer continues.
    ///
    /// # Errors
    ///
    /// When it means that the answer failed: a client would take the part that is there for the whole.
    pub(in crate::bedrock) fn take(&mut self, word: Option<&str>) -> Result<(), DecodeError> {
        let Some(word) = word.filter(|word| !matches!(*word, "" | "null")) else {
            return Ok(());
        };
        match meaning(word) {
            // A guardrail's replacement is an answer, whatever became of the model's.
            Some(Meaning::Failed(_)) if self.intervened => self.meaning = Some(Meaning::Filtered),
            Some(Meaning::Failed(failure)) => return Err(failure.error(word)),
            Some(meaning) => {
                self.meaning = Some(meaning);
                self.unknown = None;
            }
            None if self.meaning.is_none() => {
                self.meaning = Some(Meaning::Complete);
                self.unknown = Some(word.to_owned());
            }
            None => {}
        }
        Ok(())
    }

    /// Takes what a guardrail did, as the answer's body says it.
    pub(in crate::bedrock) fn guardrail(&mut self, action: Option<&str>) {
        if action == Some(INTERVENED) {
            self.intervene();
        }
    }

    /// Notes that a guardrail replaced the text of the model or the user.
    pub(in crate::bedrock) fn intervene(&mut self) {
        self.intervened = true;
    }

    /// Whether the model has said why.
    pub(in crate::bedrock) fn is_set(&self) -> bool {
        self.meaning.is_some()
    }

    /// The reason for a text that was cut.
    pub(in crate::bedrock) fn cut(&mut self, at: &CutAt<'_>) {
        let meaning = match at {
            CutAt::StopText(_) => Meaning::StopText,
            CutAt::Label => Meaning::Complete,
        };
        *self = Self {
            meaning: Some(meaning),
            unknown: None,
            intervened: self.intervened,
        };
    }

    /// Reports the end of a streamed answer.
    pub(in crate::bedrock) fn finish(
        &self,
        called: Called,
        usage: Usage,
        out: &mut dyn AnswerSink,
    ) {
        if let Some(word) = &self.unknown {
            out.unknown_reason(word);
        }
        out.finish(self.reason(called), usage);
    }

    /// Writes the end of a whole answer.
    pub(in crate::bedrock) fn end(self, called: Called, completion: &mut Completion) {
        completion.finish_reason = self.reason(called);
        completion.unknown_reason = self.unknown;
    }

    /// What the model did counts for more than its word for it.
    fn reason(&self, called: Called) -> FinishReason {
        match self.meaning {
            _ if self.intervened => FinishReason::ContentFilter,
            Some(Meaning::Length) => FinishReason::Length,
            Some(Meaning::Filtered) => FinishReason::ContentFilter,
            _ if called == Called::Tools => FinishReason::ToolCalls,
            Some(Meaning::StopText) => FinishReason::StopText,
            _ => FinishReason::Stop,
        }
    }
}

impl Failure {
    fn error(self, word: &str) -> DecodeError {
        let message = match self {
            Self::GaveUp if word.eq_ignore_ascii_case("error") => {
                "The model ended its answer with an error.".to_owned()
            }
            Self::GaveUp => format!(
                "The model ended its answer with an error: {}.",
                word.to_ascii_lowercase()
            ),
            Self::Malformed(what) => format!("The model wrote a malformed {what}; try again."),
        };
        DecodeError::Upstream(UpstreamError::in_stream("modelErrorException", &message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], called: Called, expected: FinishReason) {
        let mut end = EndReason::default();
        for word in words {
            end.take(Some(word)).unwrap();
        }
        assert_eq!(end.reason(called), expected, "{words:?}");
    }

    #[test]
    fn words_mean_the_same_in_any_case() {
        check(&["stop"], Called::Nothing, FinishReason::Stop);
        check(&["MAX_TOKENS"], Called::Nothing, FinishReason::Length);
        check(
            &["CONTENT_FILTERED"],
            Called::Nothing,
            FinishReason::ContentFilter,
        );
        check(&["sensitive"], Called::Tools, FinishReason::ContentFilter);
    }

    #[test]
    fn what_the_model_did_counts_more_than_its_word() {
        check(&["stop"], Called::Tools, FinishReason::ToolCalls);
        check(&["tool_calls"], Called::Nothing, FinishReason::Stop);
        check(&["length"], Called::Tools, FinishReason::Length);
        check(&[], Called::Tools, FinishReason::ToolCalls);
    }

    #[test]
    fn an_unknown_word_is_complete_and_remembered_until_a_known_one_comes() {
        let mut end = EndReason::default();
        end.take(Some("null")).unwrap();
        assert!(!end.is_set());
        end.take(Some("bored")).unwrap();
        assert!(end.is_set());
        assert_eq!(end.unknown.as_deref(), Some("bored"));
        assert_eq!(end.reason(Called::Nothing), FinishReason::Stop);
        end.take(Some("length")).unwrap();
        end.take(Some("bored")).unwrap();
        assert_eq!(
            (end.unknown.as_deref(), end.reason(Called::Nothing)),
            (None, FinishReason::Length)
        );
    }

    #[test]
    fn a_failure_is_an_error_unless_a_guardrail_answered() {
        for word in [
            "error",
            "ERROR",
            "TIMEOUT",
            "USER_CANCEL",
            "network_error",
            "abort",
        ] {
            assert!(EndReason::default().take(Some(word)).is_err(), "{word}");
        }
        let mut end = EndReason::default();
        end.intervene();
        end.take(Some("error")).unwrap();
        assert_eq!(end.reason(Called::Nothing), FinishReason::ContentFilter);
    }

    #[test]
    fn no_word_means_two_things() {
        let mut words: Vec<_> = TABLE.iter().flat_map(|(_, words)| *words).collect();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
        assert!(words.iter().all(|word| **word == word.to_ascii_lowercase()));
    }
}
