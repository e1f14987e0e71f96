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
use std::path::{Path, PathBuf};

use bedrock_filter::exchange::{Exchange, Headers};
use proptest::prelude::*;
use support::{Message, answer, frames, headers, routes, send};

const PLUGIN_CONFIG: &str = include_str!("golden/plugin.json");

/// One case: what goes in.
struct Case {
    folder: PathBuf,
    request: Vec<u8>,
    answer: Option<(Headers, Vec<u8>)>,
}

/// One case: what comes out.
#[derive(Debug, PartialEq)]
struct Outcome {
    upstream: Option<String>,
    response: String,
}

fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let families = folders(&root).into_iter();
    let mut cases: Vec<_> = families
        .flat_map(|family| folders(&family))
        .map(load)
        .collect();
    cases.sort_by(|a, b| a.folder.cmp(&b.folder));
    cases
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_dir()).collect()
}

fn load(folder: PathBuf) -> Case {
    let request = fs::read(folder.join("request.json")).unwrap();
    let events = fs::read_to_string(folder.join("answer.events")).ok();
    let whole = fs::read_to_string(folder.join("answer.http")).ok();
    let answer = match (events, whole) {
        (Some(events), None) => {
            let content_type = "application/vnd.amazon.eventstream";
            let head = headers(&[
                (":status", "200"),
                ("content-type", content_type),
                ("x-amzn-requestid", "11111111-2222-3333-4444-555555555555"),
            ]);
            Some((head, frames(&events)))
        }
        (None, Some(whole)) => Some(parse_http(&whole)),
        (None, None) => None,
        (Some(_), Some(_)) => panic!("{} has two answers", folder.display()),
    };
    Case {
        folder,
        request,
        answer,
    }
}

/// Reads `status`, headers, a blank line and the body.
fn parse_http(text: &str) -> (Headers, Vec<u8>) {
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let mut lines = head.lines();
    let mut headers = headers(&[(":status", lines.next().unwrap())]);
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        headers.add(name, value);
    }
    (headers, compact(body.trim_end()).into_bytes())
}

/// JSON as servers send it; the files are indented for people.
fn compact(text: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    text.chars()
        .filter(|c| {
            let keep = in_string || !c.is_whitespace() || !is_json;
            in_string = if in_string {
                escaped || *c != '"'
            } else {
                *c == '"'
            };
            escaped = in_string && !escaped && *c == '\\';
            keep
        })
        .collect()
}

impl Case {
    fn name(&self) -> String {
        let mut parts = self.folder.components().rev().map(|part| part.as_os_str());
        let (case, family) = (parts.next().unwrap(), parts.next().unwrap());
        format!("{}/{}", family.display(), case.display())
    }

    /// Sends the case through the filter with the answer cut at `cuts`.
    fn run(&self, cuts: &[usize]) -> Outcome {
        let mut exchange = Exchange::new(routes(PLUGIN_CONFIG));
        match send(&mut exchange, &self.request) {
            Err((status, body)) => Outcome {
                upstream: None,
                response: format!("{status}\n\n{}\n", pretty(&body)),
            },
            Ok(call) => {
                let (head, body) = self.answer.clone().unwrap_or_else(|| {
                    panic!("{} needs an answer.http or answer.events", self.name())
                });
                let response = answer(&mut exchange, head, &body, cuts);
                Outcome {
                    upstream: Some(upstream(&call)),
                    response: response_text(&response),
                }
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        let outcome = self.run(&[]);
        let mut faults = String::new();
        for (file, seen) in [
            ("upstream.http", outcome.upstream.as_deref()),
            ("response.http", Some(outcome.response.as_str())),
        ] {
            let path = self.folder.join(file);
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
                self.name(),
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
    let faults: Vec<_> = cases.iter().filter_map(|case| case.check().err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn answers_arriving_byte_by_byte_give_the_same_text() {
    for case in cases() {
        if let Some((_, body)) = &case.answer {
            let cuts: Vec<_> = (1..body.len()).collect();
            assert_eq!(case.run(&cuts), case.run(&[]), "{}", case.name());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_split_of_any_answer_gives_the_same_text(cuts in prop::collection::vec(0.0..1.0f64, 0..6)) {
        for case in cases() {
            let Some((_, body)) = &case.answer else { continue };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a fraction of a small length"
            )]
            let at = |fraction: &f64| (body.len() as f64 * fraction) as usize;
            let mut cuts: Vec<_> = cuts.iter().map(at).filter(|at| *at > 0).collect();
            cuts.sort_unstable();
            prop_assert_eq!(case.run(&cuts), case.run(&[]), "{}", case.name());
        }
    }
}
