//! Examples in the documentation, so that tests run what an operator copies.

use std::fs;

use serde_json::Value;

use crate::repository;

/// The first YAML example under a heading of `docs/OPERATIONS.md`.
pub fn documented(heading: &str) -> Value {
    let path = repository().join("docs/OPERATIONS.md");
    let page = fs::read_to_string(&path).expect("the page");
    let section = page.split_once(&format!("\n{heading}\n"));
    let (_, section) = section.unwrap_or_else(|| panic!("no heading {heading}"));
    let (_, example) = section.split_once("```yaml\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    // In a list an example is indented as a whole.
    serde_saphyr::from_str(example.trim_end()).expect("valid YAML")
}
