//! Ids, profiles and ARNs resolve; every model answers.

use super::*;
use crate::key::Key;

const PROFILE: &str =
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456";

fn resolve(sent: &str, region: &str) -> Result<String, String> {
    let caller = Caller {
        region: region.to_owned(),
        key: None,
    };
    let catalog = Catalog::default();
    let model = catalog.resolve(sent, &caller);
    model.map(|m| m.id.clone()).map_err(|error| error.message)
}

#[test]
fn ids_profiles_and_arns_resolve() {
    let haiku = "anthropic.claude-3-haiku-20240307-v1:0";
    let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    for (sent, region, model) in [
        (haiku, "us-east-1", haiku),
        (PROFILE, "us-east-1", sonnet),
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us-west-2",
            sonnet,
        ),
        (
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "eu-west-1",
            sonnet,
        ),
        (
            "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "sa-east-1",
            sonnet,
        ),
        (
            "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us-gov-west-1",
            sonnet,
        ),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
            "us-east-1",
            haiku,
        ),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us-east-1",
            sonnet,
        ),
        (
            "arn:aws-cn:bedrock:cn-north-1:123456789012:application-inference-profile/abc123def456",
            "cn-north-1",
            sonnet,
        ),
        (
            "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdef123456",
            "us-east-1",
            sonnet,
        ),
    ] {
        assert_eq!(resolve(sent, region).as_deref(), Ok(model), "{sent}");
    }
}

#[test]
fn what_aws_does_not_know_is_an_invalid_identifier() {
    for (sent, region) in [
        ("", "us-east-1"),
        ("claude-3-haiku", "us-east-1"),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "us-east-1"),
        ("xx.anthropic.claude-sonnet-4-5-20250929-v1:0", "us-east-1"),
        (
            "us.arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a",
            "us-east-1",
        ),
        (PROFILE, "eu-west-1"),
        (
            "arn:aws-cn:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456",
            "us-east-1",
        ),
        (
            "arn:aws:bedrock:us-east-1:1234:application-inference-profile/abc123def456",
            "us-east-1",
        ),
        (
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a%2Fb",
            "us-east-1",
        ),
        (
            "arn:aws:s3:us-east-1:123456789012:application-inference-profile/abc",
            "us-east-1",
        ),
        ("anthropic.claude-3-haiku-20240307-v1%3A0", "us-east-1"),
    ] {
        assert_eq!(
            resolve(sent, region),
            Err("The provided model identifier is invalid.".to_owned()),
            "{sent}"
        );
    }
    assert!(resolve(&"a".repeat(2049), "us-east-1").is_err());
}

#[test]
fn a_profile_only_model_refuses_its_base_id() {
    let message = resolve("anthropic.claude-sonnet-4-5-20250929-v1:0", "us-east-1").unwrap_err();
    assert!(message.starts_with("Invocation of model ID anthropic.claude-sonnet-4-5-20250929-v1:0 with on-demand throughput isn’t supported."), "{message}");
}

#[test]
fn the_set_of_profile_only_models_is_configurable() {
    let mut catalog = Catalog::default();
    catalog.set_profile_only("anthropic.claude-3-haiku-20240307-v1:0");
    catalog.set_on_demand("anthropic.claude-opus-5");
    catalog.set_profile(PROFILE, "anthropic.claude-opus-5");
    let caller = Caller {
        region: "us-east-1".into(),
        key: None,
    };
    assert!(
        catalog
            .resolve("anthropic.claude-3-haiku-20240307-v1:0", &caller)
            .is_err()
    );
    assert!(catalog.resolve("anthropic.claude-opus-5", &caller).is_ok());
    assert_eq!(
        catalog.resolve(PROFILE, &caller).unwrap().id,
        "anthropic.claude-opus-5"
    );
}

#[test]
fn every_model_answers_over_each_of_its_apis() {
    use serde_json::json;

    use crate::family::{Converse, Dialect, Overrides};

    let catalog = Catalog::default();
    assert!(catalog.models.len() > 115);
    let converse = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    let chat = json!({"messages": [{"role": "user", "content": "Hi"}]});
    let llama = |open: &str, close: &str, end: &str| json!({"prompt": format!("<|begin_of_text|>{open}user{close}\n\nHi{end}{open}assistant{close}\n\n")});
    for model in catalog.models.values() {
        let body = match model.family {
            Family::Claude => {
                json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9,
                "messages": [{"role": "user", "content": "Hi"}]})
            }
            Family::ClaudeText => {
                json!({"prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 9})
            }
            Family::Nova => converse.clone(),
            Family::CommandR => json!({"message": "Hi"}),
            Family::CommandText | Family::J2 => json!({"prompt": "Hi"}),
            Family::Titan => json!({"inputText": "Hi"}),
            Family::DeepSeekR1 => {
                json!({"prompt": "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>\n"})
            }
            Family::Llama2 | Family::MistralPrompt => json!({"prompt": "<s>[INST] Hi [/INST]"}),
            Family::Llama3 => llama("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
            Family::Llama4 => llama("<|header_start|>", "<|header_end|>", "<|eot|>"),
            Family::Jamba | Family::MistralChat | Family::OpenAi => chat.clone(),
        };
        let mut served: Vec<(&dyn Dialect, &serde_json::Value)> = Vec::new();
        if model.apis != Apis::Converse {
            served.push((model.family.dialect(), &body));
        }
        if model.apis != Apis::Invoke {
            served.push((&Converse::Plain, &converse));
        }
        assert!(!served.is_empty(), "{}", model.id);
        for (dialect, body) in served {
            assert_eq!(dialect.validate(model, body), Ok(()), "{}", model.id);
            let answer = dialect.answer(model, body, &Overrides::default());
            assert!(
                answer.body.to_string().contains("You said: Hi"),
                "{}",
                model.id
            );
            assert!(answer.events.len() > 3, "{}", model.id);
        }
    }
}

#[test]
fn another_accounts_arn_is_denied() {
    let caller = Caller {
        region: "us-east-1".into(),
        key: Some(Key::new("AKIDEXAMPLE", "").with_account("210987654321")),
    };
    let error = Catalog::default().resolve(PROFILE, &caller).unwrap_err();
    assert_eq!(
        (error.status, error.name.as_str()),
        (403, "AccessDeniedException")
    );
}
