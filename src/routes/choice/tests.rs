use super::*;
use crate::config::PluginConfig;
use serde_json::{Value, json};

fn compile(choices: &Value) -> Result<Routes, Vec<String>> {
    let config = json!({ "model_choices": choices }).to_string();
    let config = PluginConfig::from_json(config.as_bytes()).unwrap();
    Routes::compile(config).map_err(|faults| {
        let told = faults.iter();
        told.map(|fault| format!("{} {}", fault.pointer, fault.code))
            .collect()
    })
}

fn routes() -> Routes {
    compile(&json!({
        "fast": ["nova-lite", "claude-haiku-4-5"],
        "smart": {"weighted": {"claude-sonnet-4-5": 1, "nova-premier": 3}},
        "auto": {
            "rules": [
                {"when": {"tag": "high"}, "use": "smart"},
                {"when": {"images": true}, "use": "nova-pro"},
                {"when": {"prompt_tokens_over": 20000}, "use": "long"},
                {"when": {"tools": true, "reasoning": false}, "use": "fast"},
            ],
            "else": "nova-micro",
        },
    }))
    .unwrap()
}

#[track_caller]
fn check(facts: &Facts, models: &[&str], rule: Option<usize>) {
    let routes = routes();
    let chosen = routes.choose("auto", || facts.clone()).unwrap();
    let index = match chosen.reason {
        Reason::Rule { index, .. } => Some(index),
        Reason::Otherwise { .. } => None,
        Reason::List => panic!("{chosen:?}"),
    };
    assert_eq!((&*chosen.models, index), (models, rule));
}

#[test]
fn the_first_rule_that_fits_decides() {
    let none = Facts::default();
    check(&none, &["nova-micro"], None);
    let tagged = Facts {
        tag: Some("HIGH".to_owned()),
        images: true,
        ..none.clone()
    };
    check(&tagged, &["nova-premier", "claude-sonnet-4-5"], Some(0));
    let seeing = Facts {
        images: true,
        prompt_tokens: 30_000,
        ..none.clone()
    };
    check(&seeing, &["nova-pro"], Some(1));
    let long = Facts {
        prompt_tokens: 20_001,
        ..none.clone()
    };
    check(&long, &["long"], Some(2));
    let able = Facts {
        tools: true,
        prompt_tokens: 20_000,
        ..none.clone()
    };
    check(&able, &["nova-lite", "claude-haiku-4-5"], Some(3));
    let thinking = Facts {
        tools: true,
        reasoning: true,
        ..none
    };
    check(&thinking, &["nova-micro"], None);
}

#[test]
fn a_list_keeps_its_order_and_weights_take_turns() {
    let routes = routes();
    let facts = || panic!("a list does not need to know the request");
    for _ in 0..3 {
        let chosen = routes.choose("fast", facts).unwrap();
        assert_eq!(chosen.models, ["nova-lite", "claude-haiku-4-5"]);
        assert_eq!(chosen.reason, Reason::List);
    }
    let firsts = (0..8).map(|_| routes.choose("smart", facts).unwrap().models[0]);
    let often = firsts.filter(|first| *first == "nova-premier");
    assert_eq!(often.count(), 6);
    assert!(routes.choose("nova-lite", facts).is_none());
}

#[test]
fn tags_are_those_of_the_names_rules() {
    let routes = routes();
    assert_eq!(routes.tags("auto"), ["high"]);
    assert!(routes.tags("fast").is_empty() && routes.tags("nova-lite").is_empty());
    assert!(routes.has_tags());
    assert!(!compile(&json!({"fast": ["m"]})).unwrap().has_tags());
}

#[test]
fn every_fault_is_found_at_once() {
    let faults = compile(&json!({
        "": ["m"],
        "auto": {
            "rules": [
                {"when": {}, "use": "auto"},
                {"when": {"tag": "two words"}, "use": " m"},
            ],
        },
        "both": {"weighted": {"m": 0}, "rules": []},
        "nothing": {},
        "order": ["m", ""],
        "short": [],
        "weights": {"weighted": {}},
    }));
    let expected = [
        "/model_choices/ invalid_model_name",
        "/model_choices/auto invalid_choice",
        "/model_choices/auto/rules/0/use nested_rules",
        "/model_choices/auto/rules/1/use invalid_model_name",
        "/model_choices/auto/rules/0/when no_condition",
        "/model_choices/auto/rules/1/when/tag invalid_tag",
        "/model_choices/both invalid_choice",
        "/model_choices/both/weighted/m out_of_range",
        "/model_choices/nothing invalid_choice",
        "/model_choices/order/1 invalid_model_name",
        "/model_choices/short empty_choice",
        "/model_choices/weights/weighted empty_choice",
    ];
    assert_eq!(faults.unwrap_err(), expected);
}

#[test]
fn names_that_choose_take_what_others_add_to_names() {
    let routes = routes();
    for name in [
        "auto[1m]",
        "bedrock/auto",
        "bedrock/converse/auto[1m]",
        "auto-20260131",
    ] {
        assert!(routes.is_choice(name), "{name}");
        assert_eq!(routes.tags(name), ["high"], "{name}");
        let chosen = routes.choose(name, Facts::default).unwrap();
        assert_eq!(chosen.models, ["nova-micro"], "{name}");
    }
    for name in ["auto-2026", "auto/bedrock", "nova-lite[1m]", "autobahn"] {
        assert!(!routes.is_choice(name), "{name}");
    }
}
