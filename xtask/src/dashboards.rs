//! The check of Grafana's dashboards, a small program in Go on Grafana's own types.
//!
//! Where it cannot be built other tests run all the same, as with [`crate::deploy`].

use crate::clients::variable;
use crate::golang::Module;
use crate::suite::Variable;
use crate::workspace::Workspace;

/// Builds it once, and gives the variable of its path, or of why it is not there.
#[must_use]
pub fn bring(workspace: &Workspace) -> Vec<Variable> {
    let own = Module { name: "dashboards" };
    vec![variable(
        ("DASHBOARDS", "DASHBOARDS_MISSING"),
        own.bring(workspace),
    )]
}
