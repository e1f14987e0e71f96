use proptest::prelude::*;

use super::table::ALL;
use super::*;

/// What a text says.
#[derive(Debug, Default, PartialEq)]
struct Said {
    reasoning: String,
    answer: String,
    calls: Vec<String>,
}

fn markup(id: &str) -> &'static Markup {
    let options = crate::bedrock::Options::default();
    let target = Target {
        model: crate::catalog::find(id),
        family: crate::catalog::ModelFamily::OpenaiChat,
        model_id: id,
        options: &options,
    };
    Markup::of(&target).unwrap()
}

fn tools() -> ToolNames {
    let mut names = ToolNames::default();
    names.offer("get_weather");
    names.offer("now");
    names
}

fn hear(rules: &Rules, start: Start, names: &ToolNames, pieces: &[&str], called: bool) -> Said {
    let mut said = Said::default();
    let mut sink = |piece: Piece<'_>| match piece {
        Piece::Reasoning(text) => said.reasoning.push_str(text),
        Piece::Answer(text) => said.answer.push_str(text),
    };
    let mut scanner = Scanner::new(rules.clone(), start, names.offers());
    for piece in pieces {
        scanner.push(piece, names, &mut sink);
    }
    scanner.finish(called, names, &mut sink);
    let calls = scanner.take_calls().into_iter();
    said.calls.extend(calls.map(|call| {
        let id = call.id.unwrap_or_default();
        format!("{id} {} {}", call.name, call.arguments)
    }));
    said
}

/// Checks a text without tools: reasoning and answer.
#[track_caller]
fn check(model: &str, start: Start, text: &str, reasoning: &str, answer: &str) {
    let said = hear(
        &markup(model).into(),
        start,
        &ToolNames::default(),
        &[text],
        false,
    );
    let expected = Said {
        reasoning: reasoning.to_owned(),
        answer: answer.to_owned(),
        calls: Vec::new(),
    };
    assert_eq!(said, expected, "{text:?}");
}

/// Checks a text with tools: reasoning, answer and calls.
#[track_caller]
fn check_calls(model: &str, text: &str, reasoning: &str, answer: &str, calls: &[&str]) {
    let mut rules = Rules::from(markup(model));
    let schema = r#"{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},"near":{"type":["array","null"]}}}"#;
    rules.schemas = Schemas::for_test("get_weather", schema);
    let said = hear(&rules, Start::Answer, &tools(), &[text], false);
    let expected = Said {
        reasoning: reasoning.to_owned(),
        answer: answer.to_owned(),
        calls: calls.iter().map(|call| (*call).to_owned()).collect(),
    };
    assert_eq!(said, expected, "{text:?}");
}

const UNKNOWN: &str = "unheard-of";

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
fn a_tag_elsewhere_is_text_where_nothing_is_known_of_the_model() {
    let check = |text, answer| check(UNKNOWN, Start::Answer, text, "", answer);
    check(
        "Use <think>x</think>, please.",
        "Use <think>x</think>, please.",
    );
    check("  no tag", "  no tag");
    check("<thin", "<thin");
    check("<thinker>", "<thinker>");
    check(" ", " ");
    check("", "");
    check("a </think> b ", "a </think> b ");
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
            "<think>A </think>one <think>B</think>two\n<reasoning>C</reasoning>\n",
            "A BC",
            "one two",
        );
        check("Hello <think>hm</think>you.", "hm", "Hello you.");
    }
}

#[test]
fn a_tag_inside_a_thought_is_part_of_it_however_it_arrives() {
    let check = |start, pieces: &[&str], reasoning, answer| {
        for pieces in [pieces, &[&pieces.concat()]] {
            let rules = Rules::from(markup("minimax-m2"));
            let said = hear(&rules, start, &ToolNames::default(), pieces, false);
            assert_eq!((&*said.reasoning, &*said.answer), (reasoning, answer));
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
        let said = hear(&rules, Start::Answer, &tools(), pieces, false);
        assert_eq!((&*said.answer, &*said.calls.concat()), ("A b\n", " now {}"));
    }
}

#[test]
fn tags_that_are_shown_are_no_tags() {
    let check = |text| check("qwen3-32b", Start::Answer, text, "", text);
    check("Write `<think>x</think>`.");
    check("Write \"<think>\".");
    check("```\n<think>\n```\n");
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
fn messages_on_channels_are_told_apart() {
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
}

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
        let said = hear(&rules, Start::Answer, &tools(), &[&text], false);
        said.calls.concat()
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
            true,
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

#[test]
fn no_more_is_held_than_a_token() {
    for markup in ALL {
        let tokens = [markup.opens, markup.closes, markup.ends].concat();
        let tokens = tokens
            .into_iter()
            .chain(markup.calls.iter().map(|form| form.open));
        let longest = tokens.map(str::len).max().unwrap_or_default();
        let mut said = 0;
        let mut scanner = Scanner::new(Rules::from(*markup), Start::Answer, true);
        let text = "a<b[c</d<|e".repeat(20);
        for (at, c) in text.char_indices() {
            let piece = c.to_string();
            scanner.push(&piece, &tools(), &mut |piece| match piece {
                Piece::Answer(text) | Piece::Reasoning(text) => said += text.len(),
            });
            assert!(at + 1 - said <= longest, "{markup:?}");
        }
    }
}

/// Texts in which markup is likely.
fn marked_up(markup: &'static Markup) -> impl Strategy<Value = String> {
    let mut parts = vec![
        "<",
        "</",
        "[",
        "think>",
        "\n",
        " ",
        "é",
        "word",
        "`",
        "```",
        "{}",
        "now",
        "get_weather",
        "<s>",
        "functions.now:1",
        "<|tool_call_begin|>",
        "<|tool_call_argument_begin|>",
        "<|tool_call_end|>",
        "<|message|>",
        "<|start|>",
        "<|channel|>",
        "analysis",
        "final",
        "commentary to=functions.now",
        "<function=now>",
        "</function>",
        "<invoke name=\"now\">",
        "</invoke>",
        "{\"name\":\"now\"}",
        "<｜tool▁call▁begin｜>now<｜tool▁sep｜>{}",
        "[ARGS]",
        "<arg_key>",
        "<|end|>",
        "<|call|>",
    ];
    for list in [markup.opens, markup.closes, markup.ends] {
        parts.extend(list);
    }
    for form in markup.calls {
        parts.push(form.open);
        parts.extend(form.closes);
    }
    prop::collection::vec(prop::sample::select(parts), 0..16).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(4_000)))]

    #[test]
    fn any_split_says_the_same(
        (markup, text) in prop::sample::select(ALL).prop_flat_map(|markup| (Just(markup), marked_up(markup))),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        start in prop::sample::select(vec![Start::Answer, Start::Reasoning, Start::Thoughts]),
        offers in any::<bool>(),
        called in any::<bool>(),
    ) {
        let names = if offers { tools() } else { ToolNames::default() };
        let rules = Rules::from(markup);
        let whole = hear(&rules, start, &names, &[&text], called);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.push(text.len());
        cuts.sort_unstable();
        let (mut pieces, mut from) = (Vec::new(), 0);
        for to in cuts {
            if let Some(piece) = text.get(from..to) {
                pieces.push(piece);
                from = to;
            }
        }
        prop_assert_eq!(&hear(&rules, start, &names, &pieces, called), &whole);
        let letters: Vec<String> = text.chars().map(String::from).collect();
        let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
        prop_assert_eq!(&hear(&rules, start, &names, &letters, called), &whole);
    }
}
