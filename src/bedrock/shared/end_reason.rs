//! Why answers end: the one table of the words that models have for it.
//!
//! What is not in the table means that the answer is complete, and is told to the sink, which counts it: so a
//! word that a vendor adds is seen before somebody wonders about half an answer.

use crate::bedrock::{DecodeError, UpstreamError};
use crate::chat::{AnswerSink, Completion, FinishReason, Usage};

/// What a word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// The model was done, or reached a stop text.
    Complete,
    /// A limit cut it off.
    Length,
    /// Somebody withheld it.
    Filtered,
    /// The model calls tools.
    Calls,
    /// What is there is no answer.
    Failed(Failure),
}

/// How an answer failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// The model or what runs it gave up.
    GaveUp,
    /// Bedrock could not read what the model wrote.
    Malformed(&'static str),
}

const GAVE_UP: Meaning = Meaning::Failed(Failure::GaveUp);

/// The words, without regard to case, by what they mean.
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
            "stop_sequence",
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

/// Whether the table has the word.
pub(in crate::bedrock) fn is_known(word: &str) -> bool {
    meaning(word).is_some()
}

fn meaning(word: &str) -> Option<Meaning> {
    let has = |words: &[&str]| words.iter().any(|own| own.eq_ignore_ascii_case(word));
    let row = TABLE.iter().find(|(_, words)| has(words));
    row.map(|(meaning, _)| *meaning)
}

impl EndReason {
    /// Takes the model's word, if it says one; `""` and `"null"` are what some servers write while the answer
    /// goes on.
    ///
    /// # Errors
    ///
    /// When it means that the answer failed: a client would take what is there for the whole of it.
    pub(in crate::bedrock) fn take(&mut self, word: Option<&str>) -> Result<(), DecodeError> {
        let Some(word) = word.filter(|word| !matches!(*word, "" | "null")) else {
            return Ok(());
        };
        match meaning(word) {
            // What a guardrail puts in the answer's place is an answer, whatever became of the model's.
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

    /// Notes whether a guardrail replaced what the model or the user said; once it has, that stands.
    pub(in crate::bedrock) fn intervene(&mut self, intervened: bool) {
        self.intervened |= intervened;
    }

    /// Whether the model has said why.
    pub(in crate::bedrock) fn is_set(&self) -> bool {
        self.meaning.is_some()
    }

    /// The reason for a text that was cut at a stop text of the client's.
    pub(in crate::bedrock) fn cut(&mut self) {
        *self = Self {
            meaning: Some(Meaning::Complete),
            unknown: None,
            intervened: self.intervened,
        };
    }

    /// Says the end of a streamed answer; `called` is whether the model called tools of the client's.
    pub(in crate::bedrock) fn finish(&self, called: bool, usage: Usage, out: &mut dyn AnswerSink) {
        if let Some(word) = &self.unknown {
            out.unknown_reason(word);
        }
        out.finish(self.reason(called), usage);
    }

    /// Writes the end of a whole answer.
    pub(in crate::bedrock) fn end(self, called: bool, completion: &mut Completion) {
        completion.finish_reason = self.reason(called);
        completion.unknown_reason = self.unknown;
    }

    /// What the model did counts more than the word that it has for it.
    fn reason(&self, called: bool) -> FinishReason {
        match self.meaning {
            _ if self.intervened => FinishReason::ContentFilter,
            Some(Meaning::Length) => FinishReason::Length,
            Some(Meaning::Filtered) => FinishReason::ContentFilter,
            _ if called => FinishReason::ToolCalls,
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
    fn check(words: &[&str], called: bool, expected: FinishReason) {
        let mut end = EndReason::default();
        for word in words {
            end.take(Some(word)).unwrap();
        }
        assert_eq!(end.reason(called), expected, "{words:?}");
    }

    #[test]
    fn words_mean_the_same_in_any_case() {
        check(&["stop"], false, FinishReason::Stop);
        check(&["MAX_TOKENS"], false, FinishReason::Length);
        check(&["CONTENT_FILTERED"], false, FinishReason::ContentFilter);
        check(&["sensitive"], true, FinishReason::ContentFilter);
    }

    #[test]
    fn what_the_model_did_counts_more_than_its_word() {
        check(&["stop"], true, FinishReason::ToolCalls);
        check(&["tool_calls"], false, FinishReason::Stop);
        check(&["length"], true, FinishReason::Length);
        check(&[], true, FinishReason::ToolCalls);
    }

    #[test]
    fn an_unknown_word_is_complete_and_remembered_until_a_known_one_comes() {
        let mut end = EndReason::default();
        end.take(Some("null")).unwrap();
        assert!(!end.is_set());
        end.take(Some("bored")).unwrap();
        assert!(end.is_set());
        assert_eq!(end.unknown.as_deref(), Some("bored"));
        assert_eq!(end.reason(false), FinishReason::Stop);
        end.take(Some("length")).unwrap();
        end.take(Some("bored")).unwrap();
        assert_eq!(
            (end.unknown.as_deref(), end.reason(false)),
            (None, FinishReason::Length)
        );
    }

    #[test]
    fn a_failure_is_no_answer_unless_a_guardrail_made_one() {
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
        end.intervene(true);
        end.take(Some("error")).unwrap();
        assert_eq!(end.reason(false), FinishReason::ContentFilter);
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
