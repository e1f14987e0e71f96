//! Golden tests: whole exchanges in plain files, one folder a case.
//!
//! `request.json` is what the client sends, `upstream.http` what Bedrock gets, `answer.http` or
//! `answer.events` what it answers, `response.http` what the client gets. A case without an answer
//! is one that the filter answers itself. `UPDATE_GOLDEN=1 cargo test --test golden` rewrites the
//! two files that the filter decides; git shows what changed.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use bedrock_filter::exchange::Exchange;
use proptest::prelude::*;
use support::cases::{Answer, Case};
use support::{Message, answer, headers, routes, send};

const PLUGIN_CONFIG: &str = include_str!("golden/plugin.json");

/// One case: what comes out.
#[derive(Debug, PartialEq)]
struct Outcome {
    upstream: Option<String>,
    response: String,
}

fn cases() -> Vec<Case> {
    support::cases::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"))
}

/// Sends a case through the filter with the answer cut at `cuts`.
fn run(case: &Case, cuts: &[usize]) -> Outcome {
    let mut exchange = Exchange::new(routes(PLUGIN_CONFIG));
    match send(&mut exchange, &case.request) {
        Err((status, body)) => Outcome {
            upstream: None,
            response: format!("{status}\n\n{}\n", pretty(&body)),
        },
        Ok(call) => {
            let own = case
                .answer
                .as_ref()
                .unwrap_or_else(|| panic!("{} needs an answer.http or answer.events", case.name()));
            let mut head = headers(&[(":status", &own.status.to_string())]);
            for (name, value) in &own.headers {
                head.add(name, value.as_str());
            }
            let response = answer(&mut exchange, head, &own.body, cuts);
            Outcome {
                upstream: Some(upstream(&call)),
                response: response_text(&response),
            }
        }
    }
}

fn check(case: &Case) -> Result<(), String> {
    let outcome = run(case, &[]);
    let mut faults = String::new();
    for (file, seen) in [
        ("upstream.http", outcome.upstream.as_deref()),
        ("response.http", Some(outcome.response.as_str())),
    ] {
        let path = case.folder.join(file);
        let expected = fs::read_to_string(&path).ok();
        if expected.as_deref() == seen {
            continue;
        }
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            match seen {
                Some(seen) => fs::write(&path, seen).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            continue;
        }
        let _ = writeln!(
            faults,
            "{}/{file} differs.\n--- expected\n{}\n--- seen\n{}\n",
            case.name(),
            expected.as_deref().unwrap_or("(no file)"),
            seen.unwrap_or("(nothing)")
        );
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

fn upstream(call: &Message) -> String {
    let header = |name: &str| call.headers.get_str(name).unwrap_or("-");
    let length = call.body.len().to_string();
    assert_eq!(
        header("content-length"),
        length,
        "content-length is the body's"
    );
    let options: String = call
        .headers
        .0
        .iter()
        .filter(|(name, _)| name.starts_with("x-amzn-"))
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value)))
        .collect();
    let (method, path) = (header(":method"), header(":path"));
    format!("{method} {path}\n{options}\n{}\n", pretty(&call.body))
}

fn response_text(response: &Message) -> String {
    let mut text = String::new();
    for (name, value) in &response.headers.0 {
        let value = String::from_utf8_lossy(value);
        let _ = match name.as_str() {
            ":status" => writeln!(text, "{value}"),
            "content-length" => {
                assert_eq!(value, response.body.len().to_string());
                Ok(())
            }
            _ => writeln!(text, "{name}: {value}"),
        };
    }
    format!("{text}\n{}\n", pretty(&response.body))
}

/// Indents JSON and keeps everything else, keys' order included, as it is.
fn pretty(body: &[u8]) -> String {
    let text = String::from_utf8(body.to_vec()).unwrap();
    if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
        return text;
    }
    let mut out = String::new();
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        let new_line = |depth: usize| format!("\n{}", "  ".repeat(depth));
        match c {
            '{' | '[' if chars.next_if(|next| matches!(next, '}' | ']')).is_some() => {
                out.push_str(if c == '{' { "{}" } else { "[]" });
            }
            '{' | '[' => {
                depth += 1;
                out.push(c);
                out.push_str(&new_line(depth));
            }
            '}' | ']' => {
                depth -= 1;
                out.push_str(&new_line(depth));
                out.push(c);
            }
            ',' => {
                out.push(c);
                out.push_str(&new_line(depth));
            }
            ':' => out.push_str(": "),
            '"' => {
                in_string = true;
                out.push(c);
            }
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

#[test]
fn every_case_gives_what_its_files_say() {
    let cases = cases();
    assert!(!cases.is_empty());
    let faults: Vec<_> = cases.iter().filter_map(|case| check(case).err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn answers_arriving_byte_by_byte_give_the_same_text() {
    for case in cases() {
        if let Some(Answer { body, .. }) = &case.answer {
            let cuts: Vec<_> = (1..body.len()).collect();
            assert_eq!(run(&case, &cuts), run(&case, &[]), "{}", case.name());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_split_of_any_answer_gives_the_same_text(cuts in prop::collection::vec(0.0..1.0f64, 0..6)) {
        for case in cases() {
            let Some(Answer { body, .. }) = &case.answer else { continue };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a fraction of a small length"
            )]
            let at = |fraction: &f64| (body.len() as f64 * fraction) as usize;
            let mut cuts: Vec<_> = cuts.iter().map(at).filter(|at| *at > 0).collect();
            cuts.sort_unstable();
            prop_assert_eq!(run(&case, &cuts), run(&case, &[]), "{}", case.name());
        }
    }
}
