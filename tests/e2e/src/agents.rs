//! Coding agents, set up as `docs/CLIENTS.md` says, at work in a home and a folder of their own.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::timeout;

use crate::clients::{installed, missing};
use crate::{PATIENCE, Scratch, Trap, example};

const PAGE: &str = "docs/CLIENTS.md";

/// Placeholders in the examples for the gateway's address and for a model.
const PLACEHOLDERS: [&str; 2] = ["https://gateway.example.com", "claude-sonnet-4-5"];

/// A coding agent that works without a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// Anthropic's, which speaks Messages.
    ClaudeCode,
    /// OpenAI's, which speaks Responses.
    Codex,
}

/// What an agent did.
#[derive(Clone, Debug)]
pub struct Work {
    /// What it said at the end.
    pub answer: String,
    /// What it printed, line by line.
    pub events: Vec<Value>,
    /// Hosts other than the gateway that it asked for.
    pub strayed: Vec<String>,
}

impl Agent {
    /// Gives it a task in a folder; `None` without the agent, where that is allowed.
    pub async fn work(self, gateway: &str, model: &str, task: (&str, &Path)) -> Option<Work> {
        let home = Scratch::new();
        let trap = Trap::start().await;
        self.starts(&home, &trap).await?;
        self.set_up(&home, gateway, model);
        let (prompt, folder) = task;
        let mut command = self.command(&home, &trap)?;
        let output = finish(
            command
                .args(self.arguments())
                .args(["--", prompt])
                .current_dir(folder),
        )
        .await;
        let printed = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{self:?}:\n{printed}\n{errors}");
        // Shown when the test fails: what the agent complained about.
        eprintln!("{errors}");
        let lines = printed.lines().filter(|line| !line.is_empty());
        let events: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
            .collect();
        Some(Work {
            answer: self.answer(&events),
            events,
            strayed: trap.caught(),
        })
    }

    /// Without it there is nothing to test on this machine, and the test says so.
    async fn starts(self, home: &Scratch, trap: &Trap) -> Option<()> {
        let output = finish(self.command(home, trap)?.arg("--version")).await;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            missing(
                &format!("{self:?}"),
                &format!("it does not start: {errors}"),
            );
            return None;
        }
        Some(())
    }

    /// Writes its settings as the page has them.
    fn set_up(self, home: &Scratch, gateway: &str, model: &str) {
        let (heading, language, folder, file) = match self {
            Self::ClaudeCode => ("## Claude Code", "json", ".claude", "settings.json"),
            Self::Codex => ("## Codex", "toml", ".codex", "config.toml"),
        };
        let mut settings = example(PAGE, heading, language);
        for (placeholder, value) in PLACEHOLDERS.iter().zip([gateway, model]) {
            assert!(
                settings.contains(placeholder),
                "no {placeholder}: {settings}"
            );
            settings = settings.replace(placeholder, value);
        }
        std::fs::create_dir_all(home.join(folder)).expect("a folder");
        std::fs::write(home.join(folder).join(file), settings).expect("a file");
    }

    /// The agent's launcher, with nothing of this machine's environment.
    fn command(self, home: &Scratch, trap: &Trap) -> Option<Command> {
        let launcher = match self {
            Self::ClaudeCode => "@anthropic-ai/claude-code/cli-wrapper.cjs",
            Self::Codex => "@openai/codex/bin/codex.js",
        };
        let mut command = Command::new(installed("NODE")?);
        command.arg(
            installed("CODING_AGENTS")?
                .join("node_modules")
                .join(launcher),
        );
        command.env_clear().env("HOME", home.path());
        // What an agent runs needs a shell and the usual commands.
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env("GATEWAY_KEY", "sk-client-secret");
        command.env("NO_PROXY", "127.0.0.1");
        for name in ["HTTP_PROXY", "HTTPS_PROXY"] {
            command.env(name, trap.url());
        }
        command
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true);
        Some(command)
    }

    /// For one task, with the tools that the tests play with and JSON to read.
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::ClaudeCode => &[
                "--print",
                "--output-format=stream-json",
                "--verbose",
                "--allowedTools=Read,Edit,ToolSearch",
            ],
            // A sandbox of its own is not to be had in every container.
            Self::Codex => &[
                "exec",
                "--json",
                "--skip-git-repo-check",
                "--sandbox=danger-full-access",
            ],
        }
    }

    fn answer(self, events: &[Value]) -> String {
        let mut texts = events.iter().filter_map(|event| match self {
            Self::ClaudeCode => event["result"].as_str(),
            Self::Codex => event["item"]["text"].as_str(),
        });
        texts.next_back().unwrap_or_default().to_owned()
    }
}

async fn finish(command: &mut Command) -> Output {
    let output = timeout(PATIENCE, command.output()).await;
    output.expect("it ends").expect("it starts")
}
