use serde_json::json;

use super::*;
use crate::config::{CallerEntry, CallerKey, CallerSettings, Failover, KeyDigest};
use crate::routes::testing;

/// Three channels that serve the same models, and one that maps two names.
fn channels() -> Vec<serde_json::Value> {
    vec![
        json!({"name": "a"}),
        json!({"name": "b"}),
        json!({"name": "c"}),
        json!({"name": "d", "allow_model_ids": "none",
               "model_mapping": {"cheap": "nova-micro", "bedrock/cheap": "claude-opus-4-1"}}),
    ]
}

fn caller(models: &[&str], channels: &[&str]) -> std::sync::Arc<Caller> {
    let owned = |names: &[&str]| names.iter().map(|own| (*own).to_owned()).collect();
    let entry = CallerEntry {
        models: owned(models),
        channels: owned(channels),
        keys: vec![CallerKey {
            sha256: KeyDigest::of(b"k"),
            expires_at: None,
        }],
        ..CallerEntry::new("caller")
    };
    let settings = CallerSettings {
        mode: crate::config::CallerMode::Required,
        entries: vec![entry],
        ..CallerSettings::default()
    };
    let callers = crate::callers::Callers::new(Some(settings));
    let fields = [("api-key", b"k".as_slice())].into_iter();
    callers.identify(&fields, &[], None).unwrap().unwrap()
}

/// The channels that may serve a name.
fn served(models: &[&str], channels_of: &[&str], name: &str) -> Vec<String> {
    let routes = testing::routes(&channels(), None);
    let caller = caller(models, channels_of);
    let all = routes.permitted(Some(&caller)).candidates(name);
    let names = all.iter().map(|own| own.channel.channel.name.clone());
    names.collect()
}

#[test]
fn a_caller_without_restrictions_may_use_everything() {
    assert_eq!(served(&[], &[], "nova-pro"), ["a", "b", "c"]);
    assert_eq!(served(&["*"], &[], "cheap"), ["d"]);
}

#[test]
fn names_and_patterns_restrict_models() {
    assert_eq!(served(&["nova-*"], &[], "nova-pro").len(), 3);
    assert_eq!(served(&["nova-*"], &[], "claude-sonnet-4-5").len(), 0);
    assert_eq!(served(&["cheap"], &[], "cheap"), ["d"]);
}

#[test]
fn each_name_of_a_model_allows_all_of_its_names() {
    for allowed in ["claude-sonnet-4-5", "anthropic.claude-sonnet-4-5-*"] {
        for name in [
            "claude-sonnet-4-5",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ] {
            assert_eq!(served(&[allowed], &[], name).len(), 3, "{allowed} {name}");
        }
        assert!(served(&[allowed], &[], "claude-haiku-4-5").is_empty());
    }
}

#[test]
fn another_form_of_an_allowed_name_does_not_lead_elsewhere() {
    assert_eq!(served(&["cheap"], &[], "bedrock/cheap").len(), 0);
    assert_eq!(served(&["nova-pro"], &[], "bedrock/nova-pro").len(), 3);
}

#[test]
fn channels_are_restricted_by_name() {
    assert_eq!(served(&[], &["c", "b"], "nova-pro"), ["b", "c"]);
    assert!(served(&[], &["gone"], "nova-pro").is_empty());
}

#[test]
fn what_a_caller_may_not_use_does_not_exist_for_it() {
    let routes = testing::routes(&channels(), None);
    let caller = caller(&["nova-pro"], &["a"]);
    let permitted = routes.permitted(Some(&caller));
    let now = SystemTime::UNIX_EPOCH;
    assert!(permitted.resolve("nova-pro", now).is_ok());
    let refused = permitted.resolve("claude-opus-4-1", now).unwrap_err();
    let absent = permitted.resolve("gpt-9", now).unwrap_err();
    let told = |error: &ResolveError| error.to_string().replace("gpt-9", "claude-opus-4-1");
    assert_eq!(told(&refused), told(&absent));
    // But only the one that nothing serves is reported as such.
    assert_eq!(refused.error().model, None);
    assert_eq!(absent.error().model.as_deref(), Some("gpt-9"));
    let listed: Vec<_> = permitted.listed().map(|own| own.name.as_str()).collect();
    assert!(listed.contains(&"nova-pro"), "{listed:?}");
    assert!(
        listed.iter().all(|name| name.contains("nova-pro")),
        "{listed:?}"
    );
}

#[test]
fn there_is_a_pool_for_whatever_a_caller_may_use() {
    let json = json!([["c", "b"], ["a", "c"], []]);
    let lists: Vec<Vec<String>> = serde_json::from_value(json).unwrap();
    let entries = lists.iter().enumerate().map(|(index, list)| CallerEntry {
        channels: list.clone(),
        ..CallerEntry::new(format!("caller{index}"))
    });
    let settings = CallerSettings {
        entries: entries.collect(),
        ..CallerSettings::default()
    };
    let mut routes = testing::routes(&channels(), Some(Failover::default()));
    routes.callers = crate::callers::Callers::new(Some(settings));
    let pools = routes.pools();
    for list in &lists {
        let names: Vec<_> = list.iter().map(String::as_str).collect();
        let caller = caller(&[], &names);
        let all = routes.permitted(Some(&caller)).candidates("nova-pro");
        let all: Vec<_> = all.iter().map(|own| own.channel).collect();
        for first in &all {
            let pool = routes.pool(first, &all);
            assert!(pools.contains_key(&pool.cluster), "{}", pool.cluster);
        }
    }
}
