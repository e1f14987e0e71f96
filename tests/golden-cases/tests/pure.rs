//! A case played against the filter itself: its answer whole, byte by byte, and cut
//! anywhere.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bedrock_filter::catalog::ModelFamily;
use bedrock_filter::config::Api;
use bedrock_filter::exchange::Exchange;
use bedrock_filter::routes::Routes;
use golden_cases::{Case, PLUGIN_CONFIG, families};
use harness::{Message, answer, headers, routes, send_to};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::pretty::pretty;

/// How many random ways to cut each answer.
const SPLITS: u32 = 16;

/// The result of a case.
#[derive(Debug, PartialEq)]
struct Outcome {
    upstream: Option<String>,
    response: String,
}

/// Whether files are rewritten instead of compared.
pub(crate) fn is_update() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// Compares the result with the case's files, or updates the files.
pub(crate) fn check(case: &Case) -> Result<(), String> {
    let routes = routes(PLUGIN_CONFIG);
    let outcome = run(&routes, case, &[]);
    match (&case.folder, is_update()) {
        (Some(folder), true) => update(folder, &outcome),
        _ => compare(case, &outcome)?,
    }
    let Some(own) = &case.answer else {
        return Ok(());
    };
    let length = own.body.len();
    let check = |cuts: &[usize]| {
        let seen = run(&routes, case, cuts);
        let same = seen == outcome;
        let fault = || format!("cut at {cuts:?}, the answer gives something else: {seen:#?}");
        same.then_some(()).ok_or_else(fault)
    };
    check(&(1..length).collect::<Vec<_>>())?;
    check_splits(length, check)
}

fn check_splits(
    length: usize,
    check: impl Fn(&[usize]) -> Result<(), String>,
) -> Result<(), String> {
    let config = ProptestConfig {
        cases: SPLITS,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..6);
    let outcome = TestRunner::new(config).run(&cuts, |cuts| {
        let places = cuts.iter().map(|cut| cut.index(length.max(1)));
        let places: BTreeSet<_> = places.filter(|place| *place > 0).collect();
        check(&Vec::from_iter(places)).map_err(TestCaseError::fail)
    });
    outcome.map_err(|error| error.to_string())
}

/// Sends a case through the filter with the answer cut at `cuts`.
fn run(routes: &Arc<Routes>, case: &Case, cuts: &[usize]) -> Outcome {
    let mut exchange = Exchange::new(Arc::clone(routes));
    match send_to(&mut exchange, &case.path, &case.request) {
        Err((status, body)) => Outcome {
            upstream: None,
            response: format!("{status}\n\n{}\n", pretty(&body)),
        },
        Ok(call) => {
            let own = case
                .answer
                .as_ref()
                .unwrap_or_else(|| panic!("{} needs an answer.http or answer.events", case.name));
            let mut head = headers(&[(":status", &own.status.to_string())]);
            for (name, value) in &own.headers {
                head.add(name.clone(), value.as_str());
            }
            let response = answer(&mut exchange, head, &own.body, cuts);
            Outcome {
                upstream: Some(upstream(&call)),
                response: response_text(&response),
            }
        }
    }
}

fn compare(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let mut faults = String::new();
    for (file, expected, seen) in [
        (
            "upstream.http",
            case.upstream.as_deref(),
            outcome.upstream.as_deref(),
        ),
        (
            "response.http",
            case.response.as_deref(),
            Some(outcome.response.as_str()),
        ),
    ] {
        if expected != seen {
            let _ = writeln!(
                faults,
                "{file} differs.\n--- expected\n{}\n--- seen\n{}\n",
                expected.unwrap_or("(no file)"),
                seen.unwrap_or("(nothing)")
            );
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

fn update(folder: &Path, outcome: &Outcome) {
    let upstream = folder.join("upstream.http");
    match &outcome.upstream {
        Some(seen) => fs::write(upstream, seen).unwrap(),
        None if upstream.exists() => fs::remove_file(upstream).unwrap(),
        None => {}
    }
    fs::write(folder.join("response.http"), &outcome.response).unwrap();
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
        let _ = match &**name {
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

/// Checks that the table of cases that are the same for every family has every family.
pub(crate) fn check_families() -> Result<(), String> {
    let routes = routes(PLUGIN_CONFIG);
    let family = |model: String| {
        let route = routes.find(&model).unwrap();
        match route.api() {
            Api::Converse => ModelFamily::Converse,
            _ => route.family,
        }
    };
    let known: Vec<_> = families::models().map(family).collect();
    // They differ from Llama 3 only in the template of their prompts.
    let same_dialect = [ModelFamily::Llama2, ModelFamily::Llama4];
    let missing: Vec<_> = ModelFamily::ALL
        .iter()
        .filter(|family| !known.contains(family) && !same_dialect.contains(family))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("no row in golden_cases::families for {missing:?}"))
    }
}
