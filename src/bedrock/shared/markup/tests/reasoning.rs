//! Reasoning, and tokens that belong to neither text.

use super::*;

#[test]
fn a_tag_at_the_beginning_opens_reasoning() {
    let check = |text, reasoning, answer| check(UNKNOWN, Start::Answer, text, reasoning, answer);
    check("<think>\nhm</think>\n\nHi.", "hm", "Hi.");
    check(" \n<reasoning>hm\n</reasoning>Hi.", "hm", "Hi.");
    check("<think>\n\n</think>\n\nHi.", "", "Hi.");
    check("<think><think>a</reasoning>b</think>c", "a", "b</think>c");
    check("<think>never closed", "never closed", "");
    check("<think>never </thi", "never </thi", "");
}

#[test]
fn a_tag_elsewhere_is_text() {
    for model in [
        UNKNOWN,
        "gpt-oss-120b",
        "qwen3-coder-30b",
        "kimi-k2.5",
        "minimax-m2",
        "glm-5",
        "deepseek-v3.1",
        "nemotron-nano-9b",
    ] {
        let same = |text| check(model, Start::Answer, text, "", text);
        same("Use <think>x</think>, please.");
        same("The <think> tag opens a thought.");
        same("One\n<reasoning>two</reasoning> three");
        same("a </think> b ");
        same("  no tag");
        same("<thin");
        same("<thinker>");
        same(" ");
        same("");
        check(
            model,
            Start::Answer,
            "<think>They ask.</think>The <think> tag opens a thought, </think> closes it.",
            "They ask.",
            "The <think> tag opens a thought, </think> closes it.",
        );
    }
}

#[test]
fn a_tag_in_the_prompt_is_only_closed() {
    for model in [UNKNOWN, "deepseek-v3.1", "glm-5", "qwen3-32b"] {
        let check = |text| check(model, Start::Answer, text, "", "Hi.");
        check("</think>Hi.");
        check("\n</think>\n\nHi.");
    }
    check(
        "minimax-m2",
        Start::Answer,
        "<think>a</think>\n</think>\n<think>b</think>Hi.",
        "ab",
        "Hi.",
    );
}

#[test]
fn json_that_was_asked_for_is_no_markup() {
    let check = |model: &str, text: &str, reasoning: &str, answer: &str| {
        let rules = Rules {
            json: true,
            ..Rules::from(markup(model))
        };
        let output = hear(&rules, Start::Answer, &tools(), &[text], Called::Nothing);
        assert_eq!((&*output.reasoning, &*output.answer), (reasoning, answer));
        assert_eq!(output.calls, <[&str; 0]>::default());
    };
    for (model, json) in [
        ("gpt-oss-120b", r#"{"html":"a <think> b"}"#),
        (
            "gpt-oss-120b",
            r#"{"a":"x <|channel|>analysis<|message|>y <|end|> z"}"#,
        ),
        (
            "qwen3-32b",
            r#"{"a":"\"}<tool_call>{\"name\":\"now\"}</tool_call>","b":"<tool_call><function=now></function></tool_call>"}"#,
        ),
        (
            "kimi-k2.5",
            r#"["<|tool_call_begin|>functions.now:0<|tool_call_argument_begin|>{}<|tool_call_end|> <|im_end|>"]"#,
        ),
        (
            "qwen3-32b",
            "```json\n{\"a\":\"<function=now></function>\"}\n```",
        ),
    ] {
        check(model, json, "", json);
        check(
            model,
            &format!("<reasoning>hm</reasoning>\n{json}"),
            "hm",
            json,
        );
    }
    check(
        "gpt-oss-120b",
        r#"<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>{"a":"<|end|> <|start|>"}<|return|>"#,
        "hm",
        r#"{"a":"<|end|> <|start|>"}"#,
    );
}

#[test]
fn a_call_beside_json_is_a_call() {
    let text = "I say \"now.\n<tool_call>{\"name\":\"now\"}</tool_call>";
    let rules = Rules {
        json: true,
        ..Rules::from(markup("qwen3-32b"))
    };
    for (text, answer) in [
        (text, "I say \"now."),
        ("{}\n<tool_call>{\"name\":\"now\"}</tool_call>", "{}"),
    ] {
        let output = hear(&rules, Start::Answer, &tools(), &[text], Called::Nothing);
        assert_eq!(
            (&*output.answer, &*output.calls.concat()),
            (answer, " now {}")
        );
    }
}

#[test]
fn reasoning_comes_in_any_number_of_segments() {
    for model in [
        "kimi-k2-thinking",
        "gpt-oss-120b",
        "qwen3-32b",
        "glm-4.7",
        "deepseek-v3.2",
    ] {
        let check = |text, reasoning, answer| check(model, Start::Answer, text, reasoning, answer);
        check(
            "<reasoning> I add</reasoning><reasoning>: 2 + 2 = 4</reasoning> It is four.",
            "I add: 2 + 2 = 4",
            "It is four.",
        );
        check(
            "<think>A </think>\n<think>B</think><reasoning>C</reasoning>\n\nHi.",
            "A BC",
            "Hi.",
        );
    }
}

#[test]
fn a_tag_inside_a_thought_is_part_of_it_however_it_arrives() {
    let check = |start, pieces: &[&str], reasoning, answer| {
        for pieces in [pieces, &[&pieces.concat()]] {
            let rules = Rules::from(markup("minimax-m2"));
            let output = hear(
                &rules,
                start,
                &ToolNames::default(),
                pieces,
                Called::Nothing,
            );
            assert_eq!((&*output.reasoning, &*output.answer), (reasoning, answer));
        }
    };
    let pieces = [
        "<think>", "a", "</think>", "<think>", "b", "<think>", "c", "</think>", "d",
    ];
    check(Start::Answer, &pieces, "ab<think>c", "d");
    let pieces = ["<", "</think>", "<think>", "{", "}", "<think>"];
    check(Start::Reasoning, &pieces, "<{}<think>", "");
}

#[test]
fn text_behind_a_call_keeps_its_end_however_it_arrives() {
    let pieces = ["A <function=now></function>", "b", "\n"];
    for pieces in [&pieces[..], &[&pieces.concat()]] {
        let rules = Rules::from(markup("qwen3-coder-30b"));
        let output = hear(&rules, Start::Answer, &tools(), pieces, Called::Nothing);
        assert_eq!(
            (&*output.answer, &*output.calls.concat()),
            ("A b\n", " now {}")
        );
    }
}

#[test]
fn any_close_of_the_family_ends_the_thought() {
    let check = |text, answer| check("minimax-m2.1", Start::Answer, text, "hm", answer);
    check("<think>hm</mm:think>Hello", "Hello");
    check("<think>hm</minimax:think>Hello", "Hello");
    check("<mm:think>hm</mm:think>Hello", "Hello");
    check("<minimax:think>hm</think>Hello", "Hello");
    check("<mm:think>hm</reasoning>Hello", "Hello");
}

#[test]
fn a_text_that_starts_inside_reasoning_needs_no_opening_tag() {
    let check =
        |text, reasoning, answer| check("deepseek-v3.2", Start::Reasoning, text, reasoning, answer);
    check("hm\n</think>\n\nHi.", "hm", "Hi.");
    check("<think>hm</think>Hi.", "hm", "Hi.");
    check("\nhm</reasoning>Hi.", "hm", "Hi.");
    check("cut sho", "cut sho", "");
    check("\n</think>\n\nHi.", "", "Hi.");
}

#[test]
fn tokens_at_the_end_of_a_text_are_the_templates() {
    for (model, token) in [
        ("qwen3-32b", "<|im_end|>"),
        ("gpt-oss-20b", "<|end|>"),
        ("kimi-k2.5", "<|im_end|>"),
        ("deepseek-v3.2", "<｜end▁of▁sentence｜>"),
        ("meta.llama3-3-70b-instruct-v1:0", "<|eot_id|>"),
        ("devstral-2-123b", "</s>"),
        ("devstral-2-123b", "[/INST]"),
        ("minimax-m2", "[e~["),
        ("gemma-3-12b-it", "<end_of_turn>"),
        ("glm-5", "<|observation|>"),
    ] {
        check(model, Start::Answer, &format!("Hi.\n{token}\n"), "", "Hi.");
        let text = format!("A {token} ends it.");
        check(model, Start::Answer, &text, "", &text);
    }
}

#[test]
fn a_token_with_its_other_half_is_the_answers() {
    for text in [
        "Now <s>5</s>",
        "<b>Now</b> <s>5</s>, <s>6</s>\n",
        "Use [INST] x [/INST]",
    ] {
        check("devstral-2-123b", Start::Answer, text, "", text);
    }
    check(
        "devstral-2-123b",
        Start::Answer,
        "Now <s>5</s></s>",
        "",
        "Now <s>5</s>",
    );
}

#[test]
fn messages_on_channels_are_distinguished() {
    let check =
        |text, reasoning, answer| check("gpt-oss-120b", Start::Answer, text, reasoning, answer);
    check(
        "<|channel|>analysis<|message|>User says hi.<|end|><|start|>assistant<|channel|>final<|message|>Hello!",
        "User says hi.",
        "Hello!",
    );
    check(
        "<|start|>assistant<|channel|>commentary<|message|>One moment.<|end|><|channel|>final<|message|>Hi.<|return|>",
        "",
        "One moment.Hi.",
    );
    check("<|channel|>final", "", "");
    let long = format!("<|channel|>{}", "x".repeat(300));
    check(&long, "", &long);
    let call = r#"<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city":"Oslo"}<|call|>"#;
    check(call, "", call);
    for text in [
        "Write `<|channel|>analysis<|message|>x`.",
        "```\n<|start|>assistant<|channel|>analysis<|message|>x\n```",
    ] {
        check(text, "", text);
    }
}
