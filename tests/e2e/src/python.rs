//! Runs a script with the official `openai` package.

use serde_json::Value;
use tokio::process::Command;

use crate::artefacts::openai_python;
use crate::repository;

/// Runs `tests/e2e/python/<script>` with `input` as its argument, in JSON, and returns the JSON that
/// it prints.
pub async fn run_python(script: &str, input: &Value) -> Value {
    let output = Command::new(openai_python())
        .arg(repository().join("tests/e2e/python").join(script))
        .arg(input.to_string())
        // A proxy of the machine must not come between.
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .kill_on_drop(true)
        .output()
        .await
        .expect("Python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed:\n{errors}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{script} printed no JSON ({error}):\n{errors}"))
}
