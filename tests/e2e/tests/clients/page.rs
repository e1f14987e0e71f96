//! The examples of `docs/CLIENTS.md` do what the page says.

use std::collections::BTreeSet;

use e2e::{ClientScript, example, repository, run, shared, simulator};
use serde_json::json;

const PAGE: &str = "docs/CLIENTS.md";

/// Examples that are programs: the heading, the language, and the Python that has the packages, if it is one for
/// Python; and how many answers it prints.
const PROGRAMS: [(&str, &str, Option<&str>, usize); 4] = [
    ("OpenAI's packages", "python", Some("OFFICIAL_PYTHON"), 2),
    ("Anthropic's packages", "python", Some("OFFICIAL_PYTHON"), 1),
    ("LangChain", "python", Some("AGENTS_PYTHON"), 3),
    ("AI SDK", "js", None, 3),
];

/// Examples that are the settings of agents, which `clients::agents` runs.
const SETTINGS: [&str; 2] = ["Claude Code", "Codex"];

#[test]
fn the_programs_of_the_page_print_answers() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for (heading, language, python, answers) in PROGRAMS {
            let program = example(PAGE, &format!("## {heading}"), language);
            let program = program
                .replace("https://gateway.example.com", &stack.envoy.url())
                .replace("claude-sonnet-4-5", &channel.model);
            let script = ClientScript::written(&program, python);
            let Some(printed) = script.print(&json!({})).await else {
                return;
            };
            let expected = "You said: Hi there\n".repeat(answers);
            assert_eq!(printed, expected, "{heading}");
        }
        let expected: usize = PROGRAMS.iter().map(|(.., answers)| answers).sum();
        assert_eq!(bedrock.requests().len(), expected);
    });
}

#[test]
fn the_page_says_which_examples_are_tested() {
    let page = std::fs::read_to_string(repository().join(PAGE)).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ["));
    let (tested, others): (Vec<_>, Vec<_>) = rows.partition(|row| row.ends_with("| tested |"));
    let named = |rows: Vec<&str>| -> BTreeSet<String> {
        let name = |row: &str| row.split(['[', ']']).nth(1).unwrap().to_owned();
        rows.into_iter().map(name).collect()
    };
    let (tested, others) = (named(tested), named(others));
    let own = PROGRAMS.iter().map(|(heading, ..)| *heading);
    let own: BTreeSet<_> = own.chain(SETTINGS).map(str::to_owned).collect();
    assert_eq!(tested, own);
    let headings = page.lines().filter_map(|line| line.strip_prefix("## "));
    let headings: BTreeSet<_> = headings.map(str::to_owned).collect();
    assert_eq!(headings, tested.union(&others).cloned().collect());
}
