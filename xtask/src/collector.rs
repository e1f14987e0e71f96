//! An OpenTelemetry collector of the parts that tests need, in `xtask/go/collector`.
//!
//! It is a large program, so it is built only for the matrix, or when its tests are asked for by name. Where it cannot be
//! built other tests run all the same, as with [`crate::clients`].

use crate::clients::variable;
use crate::golang::Module;
use crate::suite::Variable;
use crate::workspace::Workspace;

/// Builds it once, and gives the variable of its path, or of why it is not there.
#[must_use]
pub fn bring(workspace: &Workspace) -> Vec<Variable> {
    let own = Module { name: "collector" };
    vec![variable(
        ("COLLECTOR", "COLLECTOR_MISSING"),
        own.bring(workspace),
    )]
}
