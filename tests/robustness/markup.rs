//! Markup in the texts of models.

use harness::laws;
use proptest::prelude::*;
use proptest::sample::select;

/// Pieces of all models' markup.
const MARKUP: &[&str] = &[
    "<think>",
    "</think>",
    "<reasoning>",
    "</reasoning>",
    "<mm:think>",
    "</mm:think>",
    "[THINK]",
    "[/THINK]",
    "<|tool_calls_section_begin|>",
    "<|tool_call_begin|>functions.now:0<|tool_call_argument_begin|>{}<|tool_call_end|>",
    "<|tool_calls_section_end|>",
    "<|channel|>analysis<|message|>",
    "<|channel|>final<|message|>",
    "<|channel|>commentary to=functions.now<|message|>{}",
    "<|end|>",
    "<|call|>",
    "<|start|>assistant",
    "<tool_call>",
    "<function=now>",
    "</function>",
    "</tool_call>",
    "now",
    "<arg_key>a</arg_key>",
    "<arg_value>1</arg_value>",
    "{\"name\":\"now\"}",
    "<minimax:tool_call>",
    "<invoke name=\"now\">",
    "</invoke>",
    "<parameter name=\"a\">1</parameter>",
    "</minimax:tool_call>",
    "<｜DSML｜function_calls>",
    "</｜DSML｜function_calls>",
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜>",
    "<｜tool▁calls▁end｜>",
    "<|python_tag|>",
    "[TOOL_CALLS]",
    "[ARGS]{}",
    "<TOOLCALL>",
    "</TOOLCALL>",
    "<|eot_id|>",
    "<|im_end|>",
    "</s>",
    "<",
    "</",
    "<|",
    "[",
    "`",
    "```",
    " ",
    "\n",
    "é",
    "word",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn markup_reads_the_same_whole_and_streamed(
        parts in prop::collection::vec(select(MARKUP), 0..12),
        cuts in prop::collection::vec(0..400usize, 0..8),
        model in select(&laws::MODELS_WITH_MARKUP[..]),
        tools in any::<bool>(),
    ) {
        laws::markup_reading(&parts.concat(), &cuts, model, tools);
    }
}
