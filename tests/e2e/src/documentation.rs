//! Examples in the documentation, so that tests run what people copy.

use std::fs;

use serde_json::Value;

use crate::repository;

/// The first YAML example under a heading of `docs/OPERATIONS.md`.
pub fn documented(heading: &str) -> Value {
    let example = example("docs/OPERATIONS.md", heading, "yaml");
    // In a list, the whole example is indented.
    serde_saphyr::from_str(example.trim_end()).expect("valid YAML")
}

/// The first example in a language under a heading of a page.
pub fn example(page: &str, heading: &str, language: &str) -> String {
    let first = examples(page, heading, language).into_iter().next();
    first.unwrap_or_else(|| panic!("{heading} has no example in {language}"))
}

/// All of them.
pub fn examples(page: &str, heading: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join(page)).expect("the page");
    let section = text.split_once(&format!("\n{heading}\n"));
    let (_, section) = section.unwrap_or_else(|| panic!("{page} has no heading {heading}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let start = format!("```{language}\n");
    let examples = section.split(&start).skip(1);
    let examples = examples.map(|rest| rest.split("```").next().unwrap_or_default().to_owned());
    examples.collect()
}
