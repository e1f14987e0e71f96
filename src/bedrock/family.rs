//! The registry that maps a family to its code.

use super::dialects::{ai21, amazon, anthropic, cohere, deepseek, meta, mistral, openai};
use super::{Dialect, converse};
use crate::catalog::ModelFamily;

/// The dialect of a family: the only place that maps a family to its code.
#[must_use]
pub fn dialect(family: ModelFamily) -> &'static dyn Dialect {
    match family {
        ModelFamily::Anthropic => &anthropic::messages::Messages,
        ModelFamily::ClaudeText => &anthropic::text::CLAUDE_TEXT,
        ModelFamily::Nova => &amazon::nova::Messages,
        ModelFamily::TitanText => &amazon::titan::Text,
        ModelFamily::Llama2 => &meta::llama::LLAMA_2,
        ModelFamily::Llama3 => &meta::llama::LLAMA_3,
        ModelFamily::Llama4 => &meta::llama::LLAMA_4,
        ModelFamily::MistralInstruct => &mistral::Instruct,
        ModelFamily::MistralChat => &mistral::Chat,
        ModelFamily::CohereCommand => &cohere::command::COHERE_COMMAND,
        ModelFamily::CohereCommandR => &cohere::command_r::CommandR,
        ModelFamily::J2 => &ai21::j2::J2,
        ModelFamily::Jamba => &ai21::jamba::Chat,
        ModelFamily::DeepseekR1 => &deepseek::r1::Prompt,
        ModelFamily::OpenaiChat => &openai::chat::Chat,
        ModelFamily::Converse => &converse::Converse,
    }
}
