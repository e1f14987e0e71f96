//! Every golden case once more, through the real Envoy to the strict simulator and back, and read by
//! the official client.
//!
//! The simulator takes an answer only after it found the request valid, so this also shows that what
//! we send passes its checks.

#[path = "../../support/cases.rs"]
mod cases;

use std::collections::BTreeMap;

use bedrock_simulator::{Effect, Family, Fault, Simulator, Verdict};
use cases::{Answer, Case};
use e2e::{Reply, Stack, repository, run, run_python, simulator_builder};
use serde_json::{Value, json};

/// The cases, but for answers that no Bedrock gives: the simulator signs all of its own.
fn golden() -> Vec<Case> {
    let mut cases = cases::cases(&repository().join("tests/golden"));
    cases.retain(|case| !case.name().ends_with("/error-no-route"));
    cases
}

/// A Bedrock that knows the ARNs of the golden plugin configuration.
async fn bedrock() -> Simulator {
    let account = "arn:aws:bedrock:us-east-1:123456789012";
    let import = format!("{account}:imported-model/abc123def456");
    let builder = simulator_builder().own_model(&import, Family::OpenAi);
    builder.start().await.expect("a simulator")
}

/// A stack with the channels of the golden tests, which call the simulator.
async fn stack(bedrock: &Simulator) -> Stack {
    let stack = Stack::start().await;
    let text = include_str!("../../golden/plugin.json");
    let config: Value = serde_json::from_str(text).unwrap();
    let mut revision = Value::Null;
    for channel in config["channels"].as_array().unwrap() {
        let mut channel = channel.clone();
        channel["endpoint"] = json!(bedrock.url());
        revision = stack.config.create(&channel).await["revision"].clone();
    }
    stack.config.wait_active(revision.as_u64().unwrap()).await;
    stack.wait_served("converse-claude").await;
    stack
}

fn recorded(answer: &Answer) -> Fault {
    let mut fault = Fault::bytes(answer.status, "", &answer.body);
    if let Effect::Bytes { headers, .. } = &mut fault.effect {
        *headers = answer.headers.iter().cloned().collect::<BTreeMap<_, _>>();
    }
    fault
}

/// Head line and body of an `upstream.http` or `response.http`.
fn split(text: &str) -> (String, String) {
    let (head, body) = text.split_once("\n\n").unwrap();
    let line = head.lines().next().unwrap_or_default().to_owned();
    (line, body.trim_end().to_owned())
}

/// JSON, or the JSON of server-sent events, without time and id: the simulator gives its own ids.
fn comparable(text: &str) -> Vec<Value> {
    let mut values: Vec<Value> = match serde_json::from_str(text) {
        Ok(value) => vec![value],
        Err(_) => text
            .split("\n\n")
            .filter(|event| !event.trim().is_empty())
            .map(|event| {
                let data = event.trim().strip_prefix("data: ").unwrap();
                serde_json::from_str(data).unwrap_or_else(|_| json!(data))
            })
            .collect(),
    };
    for value in &mut values {
        for field in ["created", "id"] {
            if let Some(value) = value.get_mut(field) {
                *value = Value::Null;
            }
        }
    }
    values
}

/// What is wrong with the call that the simulator got, if anything.
fn upstream_fault(case: &Case, bedrock: &Simulator) -> Option<String> {
    let seen = bedrock.requests();
    let Some(expected) = case.file("upstream.http") else {
        return (!seen.is_empty()).then(|| "Bedrock was called".to_owned());
    };
    let [call] = seen.as_slice() else {
        return Some(format!("{} calls", seen.len()));
    };
    if !matches!(call.verdict, Verdict::Faulted { .. }) {
        return Some(format!("refused: {:?}", call.verdict));
    }
    let (line, body) = split(&expected);
    let body: Value = serde_json::from_str(&body).unwrap();
    let same =
        line == format!("{} {}", call.method, call.path) && call.body.as_ref() == Some(&body);
    (!same).then(|| format!("another call: {} {:?}", call.path, call.body))
}

fn response_fault(case: &Case, reply: &Reply) -> Option<String> {
    let (status, body) = split(&case.file("response.http").unwrap());
    if reply.status.to_string() != status {
        return Some(format!(
            "status {} for {status}: {}",
            reply.status, reply.text
        ));
    }
    (comparable(&reply.text) != comparable(&body))
        .then(|| format!("another answer: {}", reply.text))
}

#[test]
fn every_golden_case_is_the_same_through_envoy() {
    run(async {
        let bedrock = bedrock().await;
        let stack = stack(&bedrock).await;
        let mut faults = Vec::new();
        for case in golden() {
            bedrock.clear();
            if let Some(answer) = &case.answer {
                bedrock.inject(recorded(answer));
            }
            let reply = stack.envoy.chat_bytes(case.request.clone()).await;
            let fault = upstream_fault(&case, &bedrock).or_else(|| response_fault(&case, &reply));
            faults.extend(fault.map(|fault| format!("{}: {fault}", case.name())));
        }
        assert!(
            faults.is_empty(),
            "{} faults:\n{}",
            faults.len(),
            faults.join("\n")
        );
    });
}

#[test]
fn the_official_client_reads_every_golden_answer() {
    run(async {
        let bedrock = bedrock().await;
        let stack = stack(&bedrock).await;
        let cases: Vec<_> = golden()
            .into_iter()
            .filter(|case| serde_json::from_slice::<Value>(&case.request).is_ok())
            .collect();
        let folders: Vec<_> = cases.iter().map(|case| &case.folder).collect();
        let faults: Vec<_> = cases
            .iter()
            .map(|case| case.answer.iter().map(recorded).collect::<Vec<_>>())
            .collect();
        // Too long for an argument.
        let file = stack
            .scratch
            .write("golden.json", &json!([folders, faults]).to_string());
        let input = json!({
            "base_url": format!("{}/v1", stack.envoy.url()),
            "faults_url": format!("{}/_simulator/faults", bedrock.url()),
            "cases": file,
        });
        let seen = run_python("golden.py", &input).await;
        let mut faults = Vec::new();
        for (case, seen) in cases.iter().zip(seen.as_array().unwrap()) {
            let (status, body) = split(&case.file("response.http").unwrap());
            let expected = match (status.as_str(), body.contains("data: {\"error\"")) {
                ("200", false) => "answer".to_owned(),
                ("200", true) => "stream error".to_owned(),
                (status, _) => status.to_owned(),
            };
            if *seen != json!(expected) {
                faults.push(format!("{}: {seen} for {expected}", case.name()));
            }
        }
        assert!(
            faults.is_empty(),
            "{} faults:\n{}",
            faults.len(),
            faults.join("\n")
        );
    });
}
