//! Clients that applications use, in versions of their own choice: what end-to-end tests talk through.
//!
//! A client that cannot be installed does not keep other tests from running. Its own test says why it is
//! not there, and fails unless `ALLOW_MISSING_CLIENTS` is set.

use std::path::PathBuf;

use anyhow::Result;

use crate::console;
use crate::node::Node;
use crate::python::Virtualenv;
use crate::suite::Variable;
use crate::workspace::Workspace;

/// Set where the tests play with every model, not only with a few.
pub const MATRIX: &str = "CLIENT_MATRIX";

/// A file or folder that tests need: the variable of its path, and the variable that says why there is
/// none.
pub(crate) type Names = (&'static str, &'static str);

const AGENTS: Names = ("AGENTS_PYTHON", "AGENTS_PYTHON_MISSING");
const INSTRUCTOR: Names = ("INSTRUCTOR_PYTHON", "INSTRUCTOR_PYTHON_MISSING");
const CODING_AGENTS: Names = ("CODING_AGENTS", "CODING_AGENTS_MISSING");
const NODE: Names = ("NODE", "NODE_MISSING");
const NODE_CLIENTS: Names = ("NODE_CLIENTS", "NODE_CLIENTS_MISSING");

/// Installs them unless they are there already, and gives the variables of those that are and of those
/// that are not.
#[must_use]
pub fn bring(workspace: &Workspace) -> Vec<Variable> {
    let source = workspace.root().join("tests/e2e");
    let python = |name: &str| {
        let list = source.join("python/requirements").join(name);
        Virtualenv::with_requirements(workspace, &list).map(|venv| venv.python())
    };
    let node = Node::bring(workspace);
    let packages = |name: &str, list: &str| match &node {
        Ok(node) => node.packages(workspace, name, &source.join(list)),
        Err(error) => Err(anyhow::anyhow!("{error:#}")),
    };
    // Apart from the rest: they are programs of hundreds of megabytes, which exist for few machines.
    let agents = packages("coding-agents", "node/agents");
    let packages = packages("node-clients", "node");
    vec![
        variable(AGENTS, python("agents.txt")),
        variable(INSTRUCTOR, python("instructor.txt")),
        variable(CODING_AGENTS, agents),
        variable(NODE, node.map(|node| node.executable().to_owned())),
        variable(NODE_CLIENTS, packages),
    ]
}

/// The variable for what was brought, or for why it was not.
pub(crate) fn variable((found, missing): Names, path: Result<PathBuf>) -> Variable {
    match path {
        Ok(path) => (found, path.into()),
        Err(error) => {
            let reason = format!("{error:#}");
            console::warning(&format!("tests lack {found}: {reason}"));
            (missing, reason.into())
        }
    }
}
