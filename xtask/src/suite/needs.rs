//! What tests need that `cargo test` does not build, as the manifests of their packages say it:
//!
//! ```toml
//! [package.metadata.tests.needs]
//! "browser::" = ["browser"]
//! ```
//!
//! A key is the beginning of the tests' names.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::suite::Variable;
use crate::workspace::Workspace;
use crate::{browser, python};

/// A need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// Chromium and its driver: `CHROMIUM`, `CHROMEDRIVER`.
    Browser,
    /// The config-service's executable: `CONFIG_SERVICE_BIN`.
    ConfigService,
    /// Envoy: `ENVOY_BIN`.
    Envoy,
    /// The filter's module: `BEDROCK_FILTER_WASM`.
    Module,
    /// A Python with the official `openai` package: `OPENAI_PYTHON`.
    OpenAi,
    /// The simulator's executable: `BEDROCK_SIMULATOR_BIN`.
    Simulator,
}

/// Needs of several tests.
pub(super) type Needs = BTreeSet<Need>;

impl Need {
    /// Reads one as a manifest names it.
    pub(super) fn parse(name: &str) -> Result<Self> {
        let all = [
            ("browser", Self::Browser),
            ("config-service", Self::ConfigService),
            ("envoy", Self::Envoy),
            ("module", Self::Module),
            ("openai", Self::OpenAi),
            ("simulator", Self::Simulator),
        ];
        let found = all.iter().find(|(own, _)| *own == name);
        found.map(|(_, need)| *need).with_context(|| {
            let known = all.map(|(own, _)| own).join(", ");
            format!("no test can need `{name}`, only {known}")
        })
    }

    /// The executable that it is, and the variable that names its path.
    fn executable(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::ConfigService => Some(("config-service", "CONFIG_SERVICE_BIN")),
            Self::Simulator => Some(("bedrock-simulator", "BEDROCK_SIMULATOR_BIN")),
            _ => None,
        }
    }
}

/// Executables of the workspace that are to be built.
pub(super) fn executables(needs: &Needs) -> impl Iterator<Item = &'static str> {
    let own = needs.iter().filter_map(|need| need.executable());
    own.map(|(name, _)| name)
}

/// Brings what comes from elsewhere, and gives the variables of all but Envoy and the module.
pub(super) fn prepare(workspace: &Workspace, needs: &Needs) -> Result<Vec<Variable>> {
    let mut variables: Vec<Variable> = Vec::new();
    for need in needs {
        if let Some((name, variable)) = need.executable() {
            variables.push((variable, workspace.executable(name).into()));
        }
    }
    if needs.contains(&Need::OpenAi) {
        variables.push(("OPENAI_PYTHON", python::openai(workspace)?.into()));
    }
    if needs.contains(&Need::Browser) {
        let browser = browser::find()?;
        variables.push(("CHROMIUM", browser.chromium.into()));
        variables.push(("CHROMEDRIVER", browser.driver.into()));
    }
    Ok(variables)
}
