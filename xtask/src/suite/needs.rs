//! What tests need that `cargo test` does not build, as declared in their packages' manifests:
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
use crate::{
    browser, clients, collector, dashboards, deploy, istio, prometheus, python, ratelimit,
};

/// A need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// Clients that applications use, see [`clients`].
    Clients,
    /// An OpenTelemetry collector, see [`collector`].
    Collector,
    /// Chromium and its driver: `CHROMIUM`, `CHROMEDRIVER`.
    Browser,
    /// The check of Grafana's dashboards, see [`dashboards`].
    Dashboards,
    /// What charts, templates and workflows are checked with, see [`deploy`].
    Deploy,
    /// The config-service's executable: `CONFIG_SERVICE_BIN`.
    ConfigService,
    /// Envoy: `ENVOY_BIN`.
    Envoy,
    /// Istio's programs and a Kubernetes API, see [`istio`].
    Istio,
    /// The filter's module: `BEDROCK_FILTER_WASM`.
    Module,
    /// Pythons with the official packages in several versions, see [`python::official`].
    Official,
    /// Prometheus and its tool: `PROMETHEUS`, `PROMTOOL`.
    Prometheus,
    /// The rate limit service of a fleet and its Redis, see [`ratelimit`].
    RateLimit,
    /// The simulator's executable: `BEDROCK_SIMULATOR_BIN`.
    Simulator,
}

/// The needs of several tests.
pub(super) type Needs = BTreeSet<Need>;

impl Need {
    /// Whether it takes too long to build for every run of the whole suite; its tests do without it then.
    pub(super) fn is_of_matrix(self) -> bool {
        self == Self::Collector
    }

    /// Parses the name used in a manifest.
    pub(super) fn parse(name: &str) -> Result<Self> {
        let all = [
            ("browser", Self::Browser),
            ("clients", Self::Clients),
            ("collector", Self::Collector),
            ("config-service", Self::ConfigService),
            ("dashboards", Self::Dashboards),
            ("deploy", Self::Deploy),
            ("envoy", Self::Envoy),
            ("istio", Self::Istio),
            ("module", Self::Module),
            ("official", Self::Official),
            ("prometheus", Self::Prometheus),
            ("ratelimit", Self::RateLimit),
            ("simulator", Self::Simulator),
        ];
        let found = all.iter().find(|(own, _)| *own == name);
        found.map(|(_, need)| *need).with_context(|| {
            let known = all.map(|(own, _)| own).join(", ");
            format!("unknown need `{name}`; use one of {known}")
        })
    }

    /// Its executable, and the variable that holds the path.
    fn executable(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::ConfigService => Some(("config-service", "CONFIG_SERVICE_BIN")),
            Self::Simulator => Some(("bedrock-simulator", "BEDROCK_SIMULATOR_BIN")),
            _ => None,
        }
    }
}

/// Executables of the workspace to build.
pub(super) fn executables(needs: &Needs) -> impl Iterator<Item = &'static str> {
    let own = needs.iter().filter_map(|need| need.executable());
    own.map(|(name, _)| name)
}

/// Fetches what comes from elsewhere, and returns the variables for all but Envoy and the
/// module.
pub(super) fn prepare(workspace: &Workspace, needs: &Needs) -> Result<Vec<Variable>> {
    let mut variables: Vec<Variable> = Vec::new();
    for need in needs {
        if let Some((name, variable)) = need.executable() {
            variables.push((variable, workspace.executable(name).into()));
        }
    }
    if needs.contains(&Need::Official) {
        variables.extend(python::official(workspace)?);
    }
    if needs.contains(&Need::Clients) {
        variables.extend(clients::bring(workspace));
    }
    if needs.contains(&Need::Collector) {
        variables.extend(collector::bring(workspace));
    }
    if needs.contains(&Need::Deploy) {
        variables.extend(deploy::bring(workspace));
    }
    if needs.contains(&Need::Dashboards) {
        variables.extend(dashboards::bring(workspace));
    }
    if needs.contains(&Need::Istio) {
        variables.extend(istio::bring(workspace));
    }
    if needs.contains(&Need::RateLimit) {
        variables.extend(ratelimit::bring(workspace));
    }
    if needs.contains(&Need::Browser) {
        let browser = browser::find()?;
        variables.push(("CHROMIUM", browser.chromium.into()));
        variables.push(("CHROMEDRIVER", browser.driver.into()));
    }
    if needs.contains(&Need::Prometheus) {
        let prometheus = prometheus::find(workspace)?;
        variables.push(("PROMETHEUS", prometheus.server.into()));
        variables.push(("PROMTOOL", prometheus.tool.into()));
    }
    Ok(variables)
}
