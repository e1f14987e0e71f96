//! `docs/IAM.md` has the rights for every call to AWS that the sources make.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::{root, text};

/// The policies that people paste, by heading.
fn policies() -> Vec<(String, Value)> {
    let page = text("docs/IAM.md");
    let mut policies = Vec::new();
    for section in page.split("\n## ").skip(1) {
        let heading = section.lines().next().unwrap().to_owned();
        for example in section.split("```json\n").skip(1) {
            let example = example.split("```").next().unwrap();
            policies.push((heading.clone(), serde_json::from_str(example).unwrap()));
        }
    }
    policies
}

#[test]
fn every_feature_has_a_policy_that_iam_can_read() {
    let policies = policies();
    let page = text("docs/IAM.md");
    let table = page.lines().filter(|line| line.starts_with("| "));
    for row in table.skip(1) {
        let anchor = row.rsplit_once("](#").unwrap().1;
        let anchor = anchor.split(')').next().unwrap();
        let is_it =
            |(heading, _): &&(String, Value)| heading.to_lowercase().replace(' ', "-") == anchor;
        assert!(policies.iter().any(|own| is_it(&own)), "{anchor}");
    }
    for (heading, policy) in policies {
        assert_eq!(policy["Version"], "2012-10-17", "{heading}");
        for statement in policy["Statement"].as_array().unwrap() {
            let sid = statement["Sid"].as_str().unwrap();
            assert!(sid.chars().all(char::is_alphanumeric), "{heading}: {sid}");
            assert_eq!(statement["Effect"], "Allow", "{heading}");
            // A trust policy has a principal, any other a resource.
            let trusts = statement.get("Principal").is_some();
            assert_ne!(trusts, statement.get("Resource").is_some(), "{heading}");
        }
    }
}

/// Those under a heading.
pub(crate) fn statements(heading: &str) -> Vec<Value> {
    let policies = policies().into_iter();
    let own = policies.filter(|(own, _)| own == heading);
    let lists = own.map(|(_, policy)| policy["Statement"].as_array().unwrap().clone());
    let all: Vec<_> = lists.flatten().collect();
    assert!(!all.is_empty(), "{heading}");
    all
}

/// One value or a list of them.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(all) => all.iter().map(|one| one.as_str().unwrap()).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// What statements allow, or on what.
fn all(field: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, policy) in policies() {
        for statement in policy["Statement"].as_array().unwrap() {
            found.extend(texts(&statement[field]).into_iter().map(str::to_owned));
        }
    }
    found
}

/// The texts between two others.
fn between<'t>(text: &'t str, before: &str, after: &'t str) -> Vec<&'t str> {
    let parts = text.split(before).skip(1);
    parts
        .map(|part| part.split(after).next().unwrap())
        .collect()
}

/// The filter's operations. In IAM Converse is a form of InvokeModel:
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-prereq.html>.
fn filters_actions() -> Vec<String> {
    let source = text("src/bedrock/invoke.rs");
    let (_, verbs) = source.split_once("fn verb(self)").unwrap();
    let verbs = between(verbs.split("\n    }\n").next().unwrap(), "=> \"", "\"");
    assert!(verbs.len() >= 5, "{verbs:?}");
    let name = |verb: &str| match verb {
        "invoke" | "converse" => "InvokeModel",
        "invoke-with-response-stream" | "converse-stream" => "InvokeModelWithResponseStream",
        "count-tokens" => "CountTokens",
        _ => panic!("which action allows {verb}? write it here and into docs/IAM.md"),
    };
    let names = verbs.into_iter().map(name);
    names.map(|name| format!("bedrock:{name}")).collect()
}

/// The config-service's operations: those that it signs itself, and those of AWS's clients.
fn services_actions() -> Vec<String> {
    let mut actions = Vec::new();
    for file in sources(&root().join("config-service/src")) {
        let text = std::fs::read_to_string(file).unwrap();
        for (service, before) in [
            ("bedrock", "operation: \""),
            ("bedrock", "Action="),
            ("ssm", "\"AmazonSSM."),
        ] {
            let names = text.split(before).skip(1);
            let names = names.map(|rest| rest.split(|sign: char| !sign.is_alphanumeric()).next());
            actions.extend(names.flatten().map(|name| format!("{service}:{name}")));
        }
        actions.extend(clients_actions(&text));
    }
    actions
}

/// Calls such as `client.get_secret_value().secret_id(id).send()`.
fn clients_actions(text: &str) -> Vec<String> {
    let calls = text.split(".send()").collect::<Vec<_>>();
    let calls = calls.split_last().unwrap().1.iter();
    let calls = calls.filter_map(|before| before.rsplit(';').next());
    let actions = calls.map(|statement| {
        let method = statement.split("()").next().unwrap();
        let method = method.rsplit('.').next().unwrap();
        let service = match method {
            "get_secret_value" => "secretsmanager",
            "assume_role" | "assume_role_with_web_identity" => "sts",
            _ => panic!("whose is {method}? write it here, and its action into docs/IAM.md"),
        };
        format!("{service}:{}", in_capitals(method))
    });
    actions.collect()
}

fn in_capitals(name: &str) -> String {
    let words = name.split('_');
    let word = |word: &str| format!("{}{}", word[..1].to_uppercase(), &word[1..]);
    words.map(word).collect()
}

fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().is_some_and(|name| name == "tests");
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") && !is_test {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_call_to_aws_has_its_action_and_no_other_has() {
    let mut needed: BTreeSet<String> = filters_actions().into_iter().collect();
    let services = services_actions();
    assert!(services.len() >= 8, "{services:?}");
    needed.extend(services);
    // What the calls above need besides: guardrails and session tags are parts of them, and AWS calls the others.
    let others = [
        "bedrock:ApplyGuardrail",
        "kms:Decrypt",
        "sagemaker:InvokeEndpoint",
        "sagemaker:InvokeEndpointWithResponseStream",
        "sts:TagSession",
    ];
    needed.extend(others.map(str::to_owned));
    assert_eq!(all("Action"), needed);
}

#[test]
fn every_kind_of_model_has_a_resource() {
    let source = text("src/arn.rs");
    let resources = all("Resource");
    for (service, kinds) in [
        ("bedrock", between(&source, "(\"bedrock\", \"", "\"")),
        ("sagemaker", between(&source, "(\"sagemaker\", \"", "\"")),
    ] {
        assert!(!kinds.is_empty());
        for kind in kinds {
            let is_it = |own: &String| {
                own.starts_with(&format!("arn:aws:{service}:"))
                    && own.contains(&format!(":{kind}/"))
            };
            assert!(resources.iter().any(is_it), "{service} {kind}");
        }
    }
}

#[test]
fn the_page_names_the_filters_operations() {
    let page = text("docs/IAM.md");
    let (_, sentence) = page.split_once("The filter calls ").unwrap();
    let sentence = sentence.split('.').next().unwrap();
    for name in [
        "InvokeModel",
        "InvokeModelWithResponseStream",
        "Converse",
        "ConverseStream",
        "CountTokens",
    ] {
        assert!(sentence.contains(&format!("`{name}`")), "{name}");
    }
}
