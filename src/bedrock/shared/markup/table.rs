//! Which model writes which tags and tokens.
//!
//! - gpt-oss: <https://developers.openai.com/cookbook/articles/openai-harmony>
//! - Kimi: <https://huggingface.co/moonshotai/Kimi-K2-Instruct/blob/main/docs/tool_call_guidance.md>
//! - `MiniMax`: <https://huggingface.co/MiniMaxAI/MiniMax-M2/blob/main/docs/tool_calling_guide.md>
//! - Qwen: <https://qwen.readthedocs.io/en/latest/framework/function_call.html>
//! - GLM: <https://huggingface.co/zai-org/GLM-4.5/blob/main/chat_template.jinja>
//! - `DeepSeek`: <https://huggingface.co/deepseek-ai/DeepSeek-V3.2/blob/main/encoding/README.md>
//! - Llama: <https://www.llama.com/docs/model-cards-and-prompt-formats/>
//! - Mistral: <https://docs.mistral.ai/guides/tokenization/>

use super::calls::Form;
use super::forms;
use crate::bedrock::Target;
use crate::catalog::{ModelFamily, strip_profile};

/// What one group of models writes.
#[derive(Debug)]
pub(in crate::bedrock) struct Markup {
    /// Tags that open reasoning, before an answer's first words.
    pub(super) opens: &'static [&'static str],
    /// Tags that close it, whichever tag opened it.
    pub(super) closes: &'static [&'static str],
    /// Forms of tool calls.
    pub(super) calls: &'static [Form],
    /// Tokens at the end of a text, if the template leaves them there.
    pub(super) ends: &'static [&'static str],
    /// Whether it speaks on channels, like gpt-oss.
    pub(super) channels: bool,
}

const OPENS: &[&str] = &["<think>", "<reasoning>"];
const CLOSES: &[&str] = &["</think>", "</reasoning>"];

/// What many open models were taught, and what Bedrock itself writes.
const GENERIC: Markup = Markup {
    opens: OPENS,
    closes: CLOSES,
    calls: &[],
    ends: &["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "</s>"],
    channels: false,
};

/// Models about which nothing is known, such as imported ones: they may call tools in any form, because a call names
/// a tool that was offered.
static UNKNOWN: Markup = Markup {
    calls: &[
        forms::SECTION_OF_TOKENS,
        forms::SECTION_OF_TOKENS_SINGULAR,
        forms::CALL_OF_TOKENS,
        forms::INVOCATIONS,
        forms::TOOL_CALL,
        forms::FUNCTION,
        forms::SECTION_OF_WIDE_TOKENS,
        forms::DSML_FUNCTIONS,
        forms::DSML_TOOLS,
        forms::PYTHON_TAG,
        forms::TOOL_CALLS,
        forms::TOOLCALL,
    ],
    ends: &[
        "<|im_end|>",
        "<|endoftext|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<｜end▁of▁sentence｜>",
        "<end_of_turn>",
        "[/INST]",
        "</s>",
    ],
    channels: true,
    ..GENERIC
};

static GPT_OSS: Markup = Markup {
    ends: &["<|endoftext|>"],
    channels: true,
    ..GENERIC
};

static KIMI: Markup = Markup {
    calls: &[
        forms::SECTION_OF_TOKENS,
        forms::SECTION_OF_TOKENS_SINGULAR,
        forms::CALL_OF_TOKENS,
    ],
    ends: &["<|im_end|>", "[EOS]"],
    ..GENERIC
};

static MINIMAX: Markup = Markup {
    opens: &["<think>", "<reasoning>", "<mm:think>", "<minimax:think>"],
    closes: &[
        "</think>",
        "</reasoning>",
        "</mm:think>",
        "</minimax:think>",
    ],
    calls: &[forms::INVOCATIONS],
    ends: &["[e~["],
    ..GENERIC
};

/// Qwen writes JSON between the tags, Qwen Coder functions; sometimes it leaves out the outer tag.
static QWEN: Markup = Markup {
    calls: &[forms::TOOL_CALL, forms::FUNCTION],
    ends: &["<|im_end|>", "<|endoftext|>"],
    ..GENERIC
};

static GLM: Markup = Markup {
    calls: &[forms::TOOL_CALL],
    ends: &["<|user|>", "<|observation|>", "<|endoftext|>"],
    ..GENERIC
};

/// V3.1 writes tokens, V3.2 tags of its own markup language.
static DEEPSEEK: Markup = Markup {
    calls: &[
        forms::SECTION_OF_WIDE_TOKENS,
        forms::DSML_FUNCTIONS,
        forms::DSML_TOOLS,
    ],
    ends: &["<｜end▁of▁sentence｜>"],
    ..GENERIC
};

static LLAMA: Markup = Markup {
    calls: &[forms::PYTHON_TAG],
    ends: &[
        "<|eot_id|>",
        "<|eom_id|>",
        "<|eot|>",
        "<|eom|>",
        "<|end_of_text|>",
        "[/INST]",
        "</s>",
    ],
    ..GENERIC
};

static MISTRAL: Markup = Markup {
    opens: &["[THINK]", "<think>"],
    closes: &["[/THINK]", "</think>"],
    calls: &[forms::TOOL_CALLS],
    ends: &["</s>", "[/INST]"],
    ..GENERIC
};

static NEMOTRON: Markup = Markup {
    calls: &[forms::TOOLCALL, forms::TOOL_CALL],
    ends: &["<|im_end|>", "<SPECIAL_12>", "</s>"],
    ..GENERIC
};

static GEMMA: Markup = Markup {
    ends: &["<end_of_turn>", "<eos>"],
    ..GENERIC
};

/// By the start of a base model id; a more specific start comes before others.
static BY_ID: &[(&str, &Markup)] = &[
    ("openai.gpt-oss", &GPT_OSS),
    ("moonshot", &KIMI),
    ("minimax.", &MINIMAX),
    ("qwen.", &QWEN),
    ("zai.", &GLM),
    ("deepseek.", &DEEPSEEK),
    ("meta.llama", &LLAMA),
    ("mistral.", &MISTRAL),
    ("nvidia.", &NEMOTRON),
    ("google.gemma", &GEMMA),
];

impl Markup {
    /// What a model writes; `None` where the vendor takes care of it.
    pub(in crate::bedrock) fn of(target: &Target<'_>) -> Option<&'static Self> {
        let own = target.model.map(|model| model.id);
        let id = own.unwrap_or_else(|| strip_profile(target.model_id));
        let by_id = BY_ID.iter().find(|(start, _)| id.starts_with(start));
        if let Some((_, markup)) = by_id {
            return Some(markup);
        }
        match target.family {
            // All others in the catalogue are closed models.
            ModelFamily::OpenaiChat if target.model.is_some() => None,
            ModelFamily::OpenaiChat => Some(&UNKNOWN),
            ModelFamily::Llama2 | ModelFamily::Llama3 | ModelFamily::Llama4 => Some(&LLAMA),
            ModelFamily::MistralInstruct | ModelFamily::MistralChat => Some(&MISTRAL),
            ModelFamily::DeepseekR1 => Some(&DEEPSEEK),
            _ => None,
        }
    }

    /// Whether it writes arguments without telling strings from other values.
    pub(super) fn has_untyped_calls(&self) -> bool {
        self.calls.iter().any(|form| form.untyped)
    }
}

#[cfg(test)]
pub(super) static ALL: &[&Markup] = &[
    &UNKNOWN, &GPT_OSS, &KIMI, &MINIMAX, &QWEN, &GLM, &DEEPSEEK, &LLAMA, &MISTRAL, &NEMOTRON,
    &GEMMA,
];
