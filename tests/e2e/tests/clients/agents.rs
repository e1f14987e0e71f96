//! Coding agents do a task: they call their own tools as the model says, and send back the results.

use bedrock_simulator::Script;
use e2e::{Agent, Scratch, Work, run, shared, simulator};
use serde_json::{Map, Value, json};

use super::{all_or, refusals};

/// One is enough in the whole suite: every turn starts an agent anew.
const FEW: [&str; 1] = ["claude-opus-4-8"];

const SAID: &str = "The file is done.";

/// Lets an agent do a task with every model, by a name that it knows if it knows the model, and by one that it
/// cannot know. `task` makes the script for a folder; `check` looks at what came of it.
fn employ(agent: Agent, task: fn(&Scratch, &str) -> Script, check: fn(&Scratch, &Work)) {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let models = all_or(&FEW);
        let known = |model: &&str| (format!("{agent:?}-{model}"), json!(model));
        let unknown = |(index, model): (usize, &&str)| (format!("{agent:?}-{index}"), json!(model));
        let mapping = models.iter().map(known);
        let mapping: Map<String, Value> = mapping
            .chain(models.iter().enumerate().map(unknown))
            .collect();
        let names: Vec<_> = mapping.keys().cloned().collect();
        let channel = json!({"models": names, "model_mapping": mapping});
        stack.channel_with(&bedrock, &channel).await;
        for name in &names {
            bedrock.clear();
            let folder = Scratch::new();
            let script = task(&folder, name);
            let prompt = format!("Please {}: change the greeting.", script.when);
            bedrock.play(script);
            let gateway = stack.envoy.url();
            let Some(work) = agent.work(&gateway, name, (&prompt, folder.path())).await else {
                return;
            };
            let model = &mapping[name];
            assert_eq!(refusals(&bedrock), [], "{name}, {model}: {work:#?}");
            assert_eq!(work.answer, SAID, "{name}, {model}: {work:#?}");
            assert_eq!(work.strayed, [""; 0], "{name}");
            check(&folder, &work);
        }
    });
}

#[test]
fn claude_code_reads_and_edits_a_file() {
    let task = |folder: &Scratch, name: &str| {
        let path = folder.write("greeting.txt", "Hello there\n");
        let edit = json!({"file_path": path, "old_string": "Hello", "new_string": "Good day"});
        let mut script = Script::new("do task 12");
        // Not all of its tools are offered from the beginning, unless it knows the model as an old one.
        if !name.contains("claude-3") {
            script = script.call("ToolSearch", json!({"query": "select:TaskStop"}));
        }
        let script = script.call("Read", json!({"file_path": path}));
        script.call("Edit", edit).say(SAID)
    };
    employ(Agent::ClaudeCode, task, |folder, _| {
        let text = std::fs::read_to_string(folder.join("greeting.txt")).unwrap();
        assert_eq!(text, "Good day there\n");
    });
}

#[test]
fn codex_runs_a_command() {
    let task = |folder: &Scratch, _: &str| {
        folder.write("greeting.txt", "Hello there\n");
        let command = json!({"cmd": "sed -i s/Hello/Moin/ greeting.txt && cat greeting.txt"});
        let script = Script::new("do task 12");
        script.call("exec_command", command).say(SAID)
    };
    employ(Agent::Codex, task, |folder, work| {
        let text = std::fs::read_to_string(folder.join("greeting.txt")).unwrap();
        assert_eq!(text, "Moin there\n");
        let ran = |event: &&Value| event["item"]["aggregated_output"] == "Moin there\n";
        assert!(work.events.iter().any(|event| ran(&event)), "{work:?}");
    });
}

/// Claude Code may probe the gateway first, without its key. Any answer will do.
#[test]
fn a_probe_without_a_key_is_answered() {
    run(async {
        let stack = shared().await;
        let probe = reqwest::Client::new().head(stack.envoy.url()).send().await;
        let status = probe.expect("an answer").status();
        assert!(!matches!(status.as_u16(), 401 | 403 | 500..), "{status}");
    });
}
