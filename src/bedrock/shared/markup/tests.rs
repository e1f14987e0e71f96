mod calls;
mod reasoning;

use proptest::prelude::*;

use super::table::ALL;
use super::*;
use crate::bedrock::shared::end_reason::Called;

/// What a scanner made of a text.
#[derive(Debug, Default, PartialEq)]
struct Output {
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

fn hear(rules: &Rules, start: Start, names: &ToolNames, pieces: &[&str], called: Called) -> Output {
    let mut output = Output::default();
    let mut sink = |piece: Piece<'_>| match piece {
        Piece::Reasoning(text) => output.reasoning.push_str(text),
        Piece::Answer(text) => output.answer.push_str(text),
    };
    let mut scanner = Scanner::new(rules.clone(), start, names);
    for piece in pieces {
        scanner.push(piece, names, &mut sink);
    }
    scanner.finish(called, names, &mut sink);
    let calls = scanner.take_calls().into_iter();
    output.calls.extend(calls.map(|call| {
        let id = call.id.unwrap_or_default();
        format!("{id} {} {}", call.name, call.arguments)
    }));
    output
}

/// Checks a text without tools: reasoning and answer.
#[track_caller]
fn check(model: &str, start: Start, text: &str, reasoning: &str, answer: &str) {
    let output = hear(
        &markup(model).into(),
        start,
        &ToolNames::default(),
        &[text],
        Called::Nothing,
    );
    let expected = Output {
        reasoning: reasoning.to_owned(),
        answer: answer.to_owned(),
        calls: Vec::new(),
    };
    assert_eq!(output, expected, "{text:?}");
}

/// Checks a text with tools: reasoning, answer and calls.
#[track_caller]
fn check_calls(model: &str, text: &str, reasoning: &str, answer: &str, calls: &[&str]) {
    let mut rules = Rules::from(markup(model));
    let schema = r#"{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"},"near":{"type":["array","null"]}}}"#;
    rules.schemas = Schemas::for_test("get_weather", schema);
    let output = hear(&rules, Start::Answer, &tools(), &[text], Called::Nothing);
    let expected = Output {
        reasoning: reasoning.to_owned(),
        answer: answer.to_owned(),
        calls: calls.iter().map(|call| (*call).to_owned()).collect(),
    };
    assert_eq!(output, expected, "{text:?}");
}

const UNKNOWN: &str = "unheard-of";

#[test]
fn no_more_is_held_than_a_token() {
    for markup in ALL {
        let tokens = [markup.opens, markup.closes, markup.ends].concat();
        let tokens = tokens
            .into_iter()
            .chain(markup.calls.iter().map(|form| form.open));
        let longest = tokens.map(str::len).max().unwrap_or_default();
        let mut output = 0;
        let mut scanner = Scanner::new(Rules::from(*markup), Start::Answer, &tools());
        let text = "a<b[c</d<|e".repeat(20);
        for (at, c) in text.char_indices() {
            let piece = c.to_string();
            scanner.push(&piece, &tools(), &mut |piece| match piece {
                Piece::Answer(text) | Piece::Reasoning(text) => output += text.len(),
            });
            assert!(at + 1 - output <= longest, "{markup:?}");
        }
    }
}

/// Texts that are likely to contain markup.
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
        "{\"a\":\"",
        "\\\"",
        "\"}",
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
        called in prop::sample::select(vec![Called::Nothing, Called::Tools]),
        json in any::<bool>(),
    ) {
        let names = if offers { tools() } else { ToolNames::default() };
        let rules = Rules { json, ..Rules::from(markup) };
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
