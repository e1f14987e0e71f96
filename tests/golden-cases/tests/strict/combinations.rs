//! Random combinations of what clients ask for: features that each work alone may not work together.

use std::fmt::Write as _;
use std::sync::Arc;

use bedrock_filter::catalog::Model;
use bedrock_filter::routes::Routes;
use golden_cases::{CHAT, MESSAGES, RESPONSES};
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner};
use serde_json::{Map, Value};

use super::{asked, channel, messages, responses, served, wishes};

/// How many requests each model gets on each of its APIs, in each protocol.
const REQUESTS: u32 = 6;

/// Most features of one request.
const MOST: usize = 6;

/// Features by name.
type Wishes = Vec<(&'static str, Value)>;

/// Checks that every model, on each of its APIs, accepts what the filter makes of any features together.
///
/// The combinations are the same in every run; `PROPTEST_CASES` asks for more of them.
pub(crate) fn check() -> Result<(), String> {
    let protocols = [
        (CHAT, wishes()),
        (RESPONSES, responses::wishes()),
        (MESSAGES, messages::wishes()),
    ];
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = config();
    let mut faults = String::new();
    for api in ["invoke", "converse"] {
        let routes = channel(api);
        for model in served(api) {
            for (path, all) in &protocols {
                // One that has run is done.
                let mut runner = TestRunner::new_with_rng(config.clone(), rng);
                let fault = find_fault(&mut runner, (&routes, model), path, all);
                rng = runner.new_rng();
                if let Some(fault) = fault {
                    let _ = writeln!(faults, "{} on {api}, {path}: {fault}", model.id);
                }
            }
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

fn config() -> ProptestConfig {
    let mut config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = REQUESTS;
    }
    config
}

/// The smallest combination that is refused.
fn find_fault(
    runner: &mut TestRunner,
    (routes, model): (&Arc<Routes>, &Model),
    path: &str,
    all: &Wishes,
) -> Option<String> {
    let picks = subsequence((0..all.len()).collect::<Vec<_>>(), 1..=MOST).prop_shuffle();
    let found = runner.run(&picks, |picks| {
        let picked: Wishes = picks.into_iter().map(|pick| all[pick].clone()).collect();
        match asked(routes, model, path, &together(&picked)) {
            None => Ok(()),
            Some(fault) => {
                let names: Vec<_> = picked.iter().map(|(name, _)| *name).collect();
                Err(TestCaseError::fail(format!(
                    "{}: {fault}",
                    names.join(" + ")
                )))
            }
        }
    });
    found.err().map(|error| error.to_string())
}

/// The fields of all; the last one wins where two have the same, but both kinds of tools are offered.
fn together(wishes: &Wishes) -> Value {
    let mut fields = Map::new();
    for (_, own) in wishes {
        for (name, value) in own.as_object().unwrap() {
            match (fields.get_mut(name), value) {
                (Some(Value::Object(there)), Value::Object(more)) => there.extend(more.clone()),
                (Some(Value::Array(there)), Value::Array(more)) if name == "tools" => {
                    let new = more.iter().filter(|tool| !there.contains(tool));
                    let new: Vec<_> = new.cloned().collect();
                    there.extend(new);
                }
                _ => drop(fields.insert(name.clone(), value.clone())),
            }
        }
    }
    Value::Object(fields)
}
