//! What the tests of `deploy/` and of the workflows need: Helm, the schemas of Kubernetes and of `CloudFormation`, and
//! actionlint.
//!
//! What cannot be brought does not keep other tests from running. Its own test says why it is not there, and fails unless
//! `ALLOW_MISSING_TOOLS` is set.

use std::path::PathBuf;

use anyhow::Result;

use crate::console;
use crate::golang::Program;
use crate::python::Virtualenv;
use crate::suite::Variable;
use crate::workspace::Workspace;

/// <https://helm.sh>
const HELM: Program = Program {
    name: "helm",
    package: "helm.sh/helm/v3/cmd/helm",
    version: "v3.22.0",
};

/// <https://github.com/rhysd/actionlint>
const ACTIONLINT: Program = Program {
    name: "actionlint",
    package: "github.com/rhysd/actionlint/cmd/actionlint",
    version: "v1.7.12",
};

/// Kubernetes' own schemas, in a package that checks documents against them.
/// <https://pypi.org/project/kubernetes-validate/>
const KUBERNETES: [&str; 2] = ["kubernetes-validate", "1.37.0"];

/// <https://github.com/aws-cloudformation/cfn-lint>
const CFN_LINT: [&str; 2] = ["cfn-lint", "1.58.0"];

/// Brings all of them, and gives for each the variable of its path, or of why it is not there.
#[must_use]
pub fn bring(workspace: &Workspace) -> Vec<Variable> {
    let python = |[package, version]: [&str; 2], program: &str| {
        let venv = Virtualenv::with_package(workspace, package, version);
        venv.map(|venv| venv.executable(program))
    };
    vec![
        variable(["HELM", "HELM_MISSING"], HELM.bring(workspace)),
        variable(
            ["ACTIONLINT", "ACTIONLINT_MISSING"],
            ACTIONLINT.bring(workspace),
        ),
        variable(
            ["KUBERNETES_PYTHON", "KUBERNETES_PYTHON_MISSING"],
            python(KUBERNETES, "python"),
        ),
        variable(
            ["CFN_LINT", "CFN_LINT_MISSING"],
            python(CFN_LINT, "cfn-lint"),
        ),
    ]
}

fn variable([found, missing]: [&'static str; 2], path: Result<PathBuf>) -> Variable {
    match path {
        Ok(path) => (found, path.into()),
        Err(error) => {
            let reason = format!("{error:#}");
            console::warning(&format!("tests lack {found}: {reason}"));
            (missing, reason.into())
        }
    }
}
