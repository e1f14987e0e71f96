//! Plays every golden case, each as a separately named test:
//!
//! - `golden::family/case` gives it to the filter and compares the result with the case's files;
//! - `strict::family/case` gives what the filter makes of it to the strict simulator, and `strict::every_model` what
//!   it makes of each feature for each model, `strict::any_combination` of several features at once;
//! - `through_envoy::family/case` sends it through the real module in a real Envoy;
//! - `official_client::family/case` lets the official client send it and read the answer.
//!
//! With `UPDATE_GOLDEN=1` the first kind rewrites the two files that the filter determines, and nothing else runs;
//! git shows what changed.

mod client;
mod envoy;
mod pretty;
mod pure;
mod strict;

use std::process::ExitCode;

use golden_cases::{
    ANY_COMBINATION, Case, EVERY_FAMILY, EVERY_MODEL, OFFICIAL_CLIENT, PURE, STRICT, THROUGH_ENVOY,
};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases = golden_cases::all();
    let mut trials: Vec<_> = cases
        .iter()
        .map(|case| trial(PURE, case, pure::check))
        .collect();
    if pure::is_update() {
        let folders = cases
            .iter()
            .zip(trials)
            .filter(|(case, _)| case.folder.is_some());
        trials = folders.map(|(_, trial)| trial).collect();
    } else {
        let every_family = || pure::check_families().map_err(Failed::from);
        trials.push(Trial::test(EVERY_FAMILY, every_family));
        let own = cases.iter().filter(|case| strict::can_judge(case));
        trials.extend(own.map(|case| trial(STRICT, case, strict::check)));
        let every_model = || strict::check_models().map_err(Failed::from);
        trials.push(Trial::test(EVERY_MODEL, every_model));
        let any_combination = || strict::check_combinations().map_err(Failed::from);
        trials.push(Trial::test(ANY_COMBINATION, any_combination));
        let own = cases.iter().filter(|case| envoy::can_play(case));
        trials.extend(own.map(|case| trial(THROUGH_ENVOY, case, envoy::check)));
        let own = cases.iter().filter(|case| client::can_play(case));
        trials.extend(own.map(|case| trial(OFFICIAL_CLIENT, case, client::check)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(kind: &str, case: &Case, check: fn(&Case) -> Result<(), String>) -> Trial {
    let case = case.clone();
    let name = format!("{kind}::{}", case.name);
    Trial::test(name, move || check(&case).map_err(Failed::from))
}
