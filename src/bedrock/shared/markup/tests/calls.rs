//! Tool calls in every form.

use super::*;

#[test]
fn calls_on_channels_are_calls() {
    let call = |text, reasoning, answer| {
        let calls = [r#" get_weather {"city":"Oslo"}"#];
        check_calls("gpt-oss-120b", text, reasoning, answer, &calls);
    };
    call(
        r#"<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city":"Oslo"}<|call|>"#,
        "",
        "",
    );
    call(
        r#"<|channel|>analysis<|message|>Look.<|end|><|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>{"city":"Oslo"}"#,
        "Look.",
        "",
    );
    call(
        r#"<|channel|>commentary to=functions.get_weather<|message|>{"city":"Oslo"}<|start|>assistant<|channel|>final<|message|>Done."#,
        "",
        "Done.",
    );
    let unknown = "<|channel|>commentary to=functions.search<|message|>{}<|call|>";
    check_calls("gpt-oss-120b", unknown, "", unknown, &[]);
}

#[test]
fn calls_in_tokens_are_calls() {
    let kimi = |text, reasoning, answer| {
        let calls = [r#"functions.get_weather:0 get_weather {"city": "Oslo"}"#];
        check_calls("kimi-k2-thinking", text, reasoning, answer, &calls);
    };
    kimi(
        "I look.\n<|tool_calls_section_begin|> <|tool_call_begin|> functions.get_weather:0 <|tool_call_argument_begin|> {\"city\": \"Oslo\"} <|tool_call_end|> <|tool_calls_section_end|>\n",
        "",
        "I look.",
    );
    kimi(
        "<reasoning>I look. <|tool_calls_section_begin|> <|tool_call_begin|> functions.get_weather:0 <|tool_call_argument_begin|> {\"city\": \"Os</reasoning><reasoning>lo\"} <|tool_call_end|> <|tool_calls_section_end|></reasoning>",
        "I look.",
        "",
    );
    kimi(
        "<|tool_call_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{\"city\": \"Oslo\"}<|tool_call_end|><|tool_call_section_end|>",
        "",
        "",
    );
    kimi(
        "<|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{\"city\": \"Oslo\"}<|tool_call_end|>",
        "",
        "",
    );
    let oslo = r#" get_weather {"city":"Oslo"}"#;
    check_calls(
        "deepseek-v3.1",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\":\"Oslo\"}<｜tool▁call▁end｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>",
        "",
        "",
        &[oslo, " now {}"],
    );
    check_calls(
        "devstral-2-123b",
        "Sure.[TOOL_CALLS]get_weather[ARGS]{\"city\":\"Oslo\"}[TOOL_CALLS]now[CALL_ID]a1[ARGS]{}</s>",
        "",
        "Sure.",
        &[oslo, "a1 now {}"],
    );
    check_calls(
        "ministral-3-8b-instruct",
        r#"[TOOL_CALLS][{"name":"get_weather","arguments":{"city":"Oslo"}}]"#,
        "",
        "",
        &[oslo],
    );
    check_calls(
        "meta.llama3-3-70b-instruct-v1:0",
        r#"<|python_tag|>{"name":"get_weather","parameters":{"city":"Oslo"}}; {"name":"now","parameters":{}}<|eom_id|>"#,
        "",
        "",
        &[oslo, " now {}"],
    );
    check_calls(
        "nemotron-nano-9b",
        r#"<think>hm</think><TOOLCALL>[{"name":"get_weather","arguments":{"city":"Oslo"}}]</TOOLCALL>"#,
        "hm",
        "",
        &[oslo],
    );
}

#[test]
fn calls_in_tags_are_calls() {
    let coder = "<tool_call>\n<function=get_weather>\n<parameter=city>\nOslo\n</parameter>\n</function>\n</tool_call>";
    let oslo = r#" get_weather {"city":"Oslo"}"#;
    check_calls("qwen3-coder-30b", coder, "", "", &[oslo]);
    check_calls(
        "qwen3-coder-480b",
        &coder["<tool_call>\n".len()..],
        "",
        "",
        &[oslo],
    );
    check_calls(
        "qwen3-32b",
        "On it.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\":\"Oslo\"}}\n</tool_call>\n<tool_call>\n{\"name\": \"now\"}\n</tool_call>",
        "",
        "On it.",
        &[oslo, " now {}"],
    );
    check_calls(
        "glm-4.7",
        "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Oslo</arg_value>\n<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call>",
        "",
        "",
        &[r#" get_weather {"city":"Oslo","days":3}"#],
    );
    check_calls(
        "minimax-m2",
        "<think>hm</think>\n<minimax:tool_call>\n<invoke name=\"get_weather\">\n<parameter name=\"city\">12</parameter>\n<parameter name=\"near\">null</parameter>\n</invoke>\n<invoke name=\"now\"></invoke>\n</minimax:tool_call>",
        "hm",
        "",
        &[r#" get_weather {"city":"12","near":null}"#, " now {}"],
    );
    check_calls(
        "deepseek-v3.2",
        "I look it up.\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"get_weather\">\n<｜DSML｜parameter name=\"city\" string=\"true\">Oslo</｜DSML｜parameter>\n<｜DSML｜parameter name=\"x\" string=\"false\">[1]</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
        "",
        "I look it up.",
        &[r#" get_weather {"city":"Oslo","x":[1]}"#],
    );
}

#[test]
fn values_are_what_the_schema_says() {
    let call = |key: &str, value: &str| {
        let text = format!(
            "<tool_call><function=get_weather><parameter={key}>{value}</parameter></function></tool_call>"
        );
        let mut rules = Rules::from(markup("qwen3-coder-30b"));
        let schema = r#"{"properties":{"s":{"type":"string"},"n":{"type":["string","null"]},"b":{"type":"boolean"},"o":{"anyOf":[{"type":"object"},{"type":"null"}]},"e":{"enum":["1","2"]}}}"#;
        rules.schemas = Schemas::for_test("get_weather", schema);
        let output = hear(&rules, Start::Answer, &tools(), &[&text], Called::Nothing);
        output.calls.concat()
    };
    let check = |key: &str, value: &str, json: &str| {
        assert_eq!(
            call(key, value),
            format!(" get_weather {{\"{key}\":{json}}}")
        );
    };
    check("s", "12", "\"12\"");
    check("s", "say \"x\"\nand </y>", "\"say \\\"x\\\"\\nand </y>\"");
    check("n", "null", "null");
    check("n", "nil", "\"nil\"");
    check("b", "True", "true");
    check("o", "{\"a\": 1}", "{\"a\": 1}");
    check("o", "broken {", "\"broken {\"");
    check("e", "1", "\"1\"");
    check("unknown", "[1, 2]", "[1, 2]");
    check("unknown", "two words", "\"two words\"");
    check("unknown", "\"quoted\"", "\"\\\"quoted\\\"\"");
}

#[test]
fn what_only_looks_like_a_call_is_text() {
    for (model, text) in [
        (
            "kimi-k2.5",
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.search:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>",
        ),
        ("kimi-k2.5", "<|tool_calls_section_begin|> is a token."),
        ("qwen3-32b", "<tool_call>{\"name\":\"search\"}</tool_call>"),
        ("qwen3-32b", "<tool_call>hm</tool_call>"),
        (
            "qwen3-32b",
            "Write `<tool_call>{\"name\":\"now\"}</tool_call>`.",
        ),
        ("glm-5", "<tool_call>now\n<arg_key>x</arg_key>"),
        (
            "minimax-m2",
            "<minimax:tool_call><invoke name=\"search\"></invoke></minimax:tool_call>",
        ),
        ("deepseek-v3.2", "<｜DSML｜function_calls>"),
        ("meta.llama3-3-70b-instruct-v1:0", "<|python_tag|>print(1)"),
    ] {
        check_calls(model, text, "", text, &[]);
        check(model, Start::Answer, text, "", text);
    }
}

#[test]
fn the_start_of_a_call_beside_a_real_one_is_what_is_left_of_it() {
    let left = |model: &str, text: &str| {
        hear(
            &markup(model).into(),
            Start::Answer,
            &tools(),
            &[text],
            Called::Tools,
        )
        .answer
    };
    let text = "I look it up.\n\n<｜DSML｜function_calls";
    assert_eq!(left("deepseek-v3.2", text), "I look it up.");
    assert_eq!(
        left("deepseek-v3.2", &format!("{text}>\n<｜DSML｜inv")),
        "I look it up."
    );
    assert_eq!(
        left("kimi-k2.5", "I look.\n<|tool_calls_section_begin|>"),
        "I look."
    );
    assert_eq!(left("minimax-m2", "I look. <minimax:too"), "I look.");
    assert_eq!(left("qwen3-32b", "1 <"), "1 <");
}
