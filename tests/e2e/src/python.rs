//! Runs scripts with the official `openai` and `anthropic` packages.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::artefacts::official_python;
use crate::{PATIENCE, repository};

/// Versions of the official packages, which applications use side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfficialPackages {
    /// The newest.
    Newest,
    /// The major version before that of each.
    Previous,
    /// `anthropic` from before its first major version.
    Early,
}

impl OfficialPackages {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Newest, Self::Previous, Self::Early];

    /// The variable of the Python that has them.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Newest => "OFFICIAL_PYTHON",
            Self::Previous => "OFFICIAL_PYTHON_PREVIOUS",
            Self::Early => "OFFICIAL_PYTHON_EARLY",
        }
    }
}

/// With the newest packages, runs `tests/e2e/python/<script>` with `input` as its argument, in JSON, and returns the JSON that
/// it prints.
pub async fn run_python(script: &str, input: &Value) -> Value {
    let output = command(OfficialPackages::Newest, script, input)
        .output()
        .await;
    let output = output.expect("Python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed:\n{errors}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{script} printed no JSON ({error}):\n{errors}"))
}

/// A script that reads questions and prints answers, one line of JSON each; it ends with its owner.
#[derive(Debug)]
pub struct PythonWorker {
    script: String,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    _child: Child,
}

impl PythonWorker {
    /// Starts `tests/e2e/python/<script>` with `input` as its argument, in JSON.
    pub fn start(packages: OfficialPackages, script: &str, input: &Value) -> Self {
        let mut child = command(packages, script, input)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        Self {
            script: script.to_owned(),
            questions: child.stdin.take().expect("a pipe"),
            answers: BufReader::new(child.stdout.take().expect("a pipe")),
            _child: child,
        }
    }

    /// Asks and waits for the answer.
    pub async fn ask(&mut self, question: &Value) -> Value {
        let line = format!("{question}\n");
        let sent = self.questions.write_all(line.as_bytes()).await;
        let mut answer = String::new();
        let read = timeout(PATIENCE, self.answers.read_line(&mut answer)).await;
        let read = read.unwrap_or_else(|_| panic!("{} does not answer {question}", self.script));
        let is_alive = sent.is_ok() && read.is_ok_and(|read| read > 0);
        assert!(is_alive, "{} exited unexpectedly", self.script);
        serde_json::from_str(&answer)
            .unwrap_or_else(|error| panic!("{} printed {answer:?}: {error}", self.script))
    }
}

fn command(packages: OfficialPackages, script: &str, input: &Value) -> Command {
    let mut command = Command::new(official_python(packages));
    command
        .arg(repository().join("tests/e2e/python").join(script))
        .arg(input.to_string())
        // A proxy configured on the machine must not interfere.
        .env("NO_PROXY", "127.0.0.1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .kill_on_drop(true);
    command
}
