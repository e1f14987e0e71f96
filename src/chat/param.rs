//! What a request can ask for, and what can become of it.

/// What a dialect does with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Translated.
    Mapped,
    /// Accepted and left out: the answer is no worse without it.
    Ignored,
    /// A 400 that names it: the answer would not be what the client asked for.
    Refused,
}

macro_rules! params {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal $default:ident;)*) => {
        /// A parameter of a request, whatever a protocol calls it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Param { $($(#[doc = $doc])* $variant,)* }

        impl Param {
            /// Every parameter.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name where no protocol has another.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What dialects do unless they say otherwise.
            #[must_use]
            pub fn default_treatment(self) -> Treatment {
                match self { $(Self::$variant => Treatment::$default,)* }
            }
        }
    };
}

params! {
    /// Spoken answers.
    Audio "audio" Refused;
    /// Beta features of Claude.
    BetaFeatures "anthropic_beta" Ignored;
    /// A mark that the whole request may be cached.
    CacheMark "cache_control" Ignored;
    /// What Claude is to remove from a long conversation.
    ContextEdits "context_management" Ignored;
    /// More than one answer.
    Candidates "n" Refused;
    /// How much to think, in a word.
    Effort "reasoning_effort" Ignored;
    /// A penalty on frequent tokens.
    FrequencyPenalty "frequency_penalty" Refused;
    /// A guardrail instead of the channel's.
    Guardrail "guardrailConfig" Mapped;
    /// Bedrock's optimised latency.
    Latency "performanceConfig" Mapped;
    /// Bias on single tokens.
    LogitBias "logit_bias" Refused;
    /// Token probabilities.
    Logprobs "logprobs" Refused;
    /// The longest answer.
    MaxOutput "max_tokens" Mapped;
    /// The conversation.
    Messages "messages" Mapped;
    /// Labels for the operator's logs.
    Metadata "metadata" Mapped;
    /// Kinds of output besides text.
    Modalities "modalities" Refused;
    /// The model.
    Model "model" Mapped;
    /// Moderation by the vendor.
    Moderation "moderation" Ignored;
    /// The shape of the answer.
    OutputFormat "response_format" Mapped;
    /// Whether several tools may be called at once.
    ParallelToolCalls "parallel_tool_calls" Ignored;
    /// A prediction of the answer.
    Prediction "prediction" Ignored;
    /// A penalty on tokens that have already appeared.
    PresencePenalty "presence_penalty" Refused;
    /// Hints for the vendor's own cache.
    PromptCache "prompt_cache_key" Ignored;
    /// An id of the end user for the vendor's abuse detection.
    SafetyIdentifier "safety_identifier" Ignored;
    /// Repeatable sampling.
    Seed "seed" Ignored;
    /// The processing class.
    ServiceTier "service_tier" Mapped;
    /// Whether to show what the model thought.
    ShownReasoning "include_reasoning" Mapped;
    /// Texts that end the answer.
    Stop "stop" Mapped;
    /// Whether the vendor keeps the answer.
    Store "store" Ignored;
    /// Whether the answer is streamed.
    Stream "stream" Mapped;
    /// Options of a streamed answer.
    StreamOptions "stream_options" Mapped;
    /// The sampling temperature.
    Temperature "temperature" Mapped;
    /// How to think, exactly.
    Thinking "thinking" Ignored;
    /// Which tools the model may or must call.
    ToolChoice "tool_choice" Refused;
    /// Tools that the model may call.
    Tools "tools" Refused;
    /// Sampling from the likeliest tokens.
    TopK "top_k" Ignored;
    /// Nucleus sampling.
    TopP "top_p" Mapped;
    /// The end user, opaque.
    User "user" Ignored;
    /// How wordy the answer is.
    Verbosity "verbosity" Ignored;
    /// The vendor's own web search.
    WebSearch "web_search_options" Refused;
}

/// A parameter that a request sets, with the client's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The parameter.
    pub param: Param,
    /// Its name in the client's protocol.
    pub name: &'static str,
}
