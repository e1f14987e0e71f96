//! Which programs to run, and which of their tests.

use anyhow::{Result, ensure};

use crate::suite::needs::{Need, Needs};
use crate::suite::programs::Program;

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted<'n> {
    /// Every test that runs without being asked for by name.
    All,
    /// Those too.
    Matrix,
    /// Tests whose name contains this, and all tests of the program that has this name.
    Named(&'n str),
    /// Tests that depend on Envoy's version.
    ByEnvoyVersion,
}

/// A test program to run.
#[derive(Debug)]
pub(super) struct Run<'p> {
    /// The program.
    pub(super) program: &'p Program,
    /// A test runs if its name contains one of these; if there are none, all run.
    pub(super) filters: Vec<String>,
}

impl Run<'_> {
    /// What its tests need.
    pub(super) fn needs(&self) -> Needs {
        let runs = |name: &&String| {
            let matches = |filter: &String| name.contains(filter.as_str());
            self.filters.is_empty() || self.filters.iter().any(matches)
        };
        let names = self.program.names.iter().filter(runs);
        names.flat_map(|name| self.program.needs(name)).collect()
    }

    /// Whether one of its tests needs an Envoy.
    pub(super) fn needs_envoy(&self) -> bool {
        self.needs().contains(&Need::Envoy)
    }
}

/// The programs that have requested tests.
///
/// # Errors
///
/// When none has.
pub(super) fn of<'p>(programs: &'p [Program], wanted: Wanted<'_>) -> Result<Vec<Run<'p>>> {
    let filters = |program: &Program| match wanted {
        Wanted::All => program.on_request.is_none().then(Vec::new),
        Wanted::Matrix => Some(Vec::new()),
        Wanted::Named(name) if program.test() == Some(name) => Some(Vec::new()),
        Wanted::Named(part) => {
            let is_wanted = program.has(part) && program.is_meant(part);
            is_wanted.then(|| vec![part.to_owned()])
        }
        Wanted::ByEnvoyVersion => {
            let own = &program.by_envoy_version;
            (!own.is_empty()).then(|| own.clone())
        }
    };
    let run = |program| Some((program, filters(program)?));
    let runs: Vec<_> = programs
        .iter()
        .filter_map(run)
        .map(|(program, filters)| Run { program, filters })
        .collect();
    ensure!(
        !runs.is_empty(),
        "no such test; a name is `module::function`, as the test programs print it, or a program's own, such as `e2e`"
    );
    Ok(runs)
}
