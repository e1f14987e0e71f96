//! The index finds what asking every channel finds, for any configuration.

use super::*;
use crate::routes::testing;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

/// Names of every kind: the administrator's own, the catalogue's, ids, ARNs, and those that clients bring from
/// elsewhere.
const NAMES: &[&str] = &[
    "team",
    "team[1m]",
    "bedrock/team",
    "fast",
    "nova-pro",
    "nova%2Dpro",
    "converse/nova-pro",
    "amazon.nova-pro-v1:0",
    "us.amazon.nova-pro-v1:0",
    "claude-sonnet-4-5",
    "claude-sonnet-4-5-20250929",
    "anthropic/claude-sonnet-4-5[1m]",
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic.claude-next-9-v1:0",
    "nova-prp",
    "nobody.knows",
    "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc123",
];

/// Where maps lead.
const TARGETS: &[&str] = &[
    "nova-pro",
    "claude-sonnet-4-5",
    "no-such-model",
    "amazon.nova-pro-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456",
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0",
];

fn map() -> impl Strategy<Value = Value> {
    let entry = (select(NAMES), select(TARGETS));
    prop::collection::vec(entry, 0..4).prop_map(|entries| {
        let entries = entries.into_iter();
        let entries: Map<_, _> = entries
            .map(|(name, target)| (name.to_owned(), json!(target)))
            .collect();
        entries.into()
    })
}

/// Any subset of the names; none for half of the channels.
fn models() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![
        Just(Vec::new()),
        subsequence(NAMES, 0..=5).prop_map(|own| own.to_vec())
    ]
}

fn channel() -> impl Strategy<Value = Value> {
    let families = prop_oneof![Just(json!({})), Just(json!({"team": "nova"}))];
    let allowed = select(&["none", "catalogue", "any"][..]);
    let credentials = json!({"type": "unavailable"});
    let credentials = prop_oneof![4 => Just(None), 1 => Just(Some(credentials))];
    let matching = select(&["exact", "model"][..]);
    let lists = (models(), map(), map());
    (
        lists,
        families,
        allowed,
        matching,
        any::<bool>(),
        credentials,
    )
        .prop_map(
            |((models, mapping, arns), families, allowed, matching, is_enabled, credentials)| {
                let mut channel = json!({
                    "models": models,
                    "model_mapping": mapping,
                    "inference_profile_arn_map": arns,
                    "model_families": families,
                    "allow_model_ids": allowed,
                    "match": matching,
                    "enabled": is_enabled,
                });
                if let Some(credentials) = credentials {
                    channel["credentials"] = credentials;
                }
                channel
            },
        )
}

/// What every enabled channel answers when it is asked.
fn asked<'r>(routes: &'r Routes, name: &'r str) -> impl Iterator<Item = Route<'r>> {
    let names = Names::of(name);
    routes
        .enabled()
        .filter_map(move |channel| channel.route(&names))
}

/// Why nothing is found, by asking every channel.
fn reason(routes: &Routes, name: &str) -> &'static str {
    let asked_for = Name::new(name);
    let is_able = |own: &&CompiledChannel| own.lists(name) && own.target(&asked_for).is_some();
    let is_open = |own: &&CompiledChannel| own.admits(&asked_for) && is_able(own);
    if asked(routes, name).next().is_some() {
        "credentials"
    } else if routes.enabled().any(|own| is_open(&own)) {
        "family"
    } else if routes.enabled().any(|own| is_able(&own)) {
        "not allowed"
    } else {
        "not found"
    }
}

fn said(error: &ResolveError) -> &'static str {
    match error {
        ResolveError::NoCredentials(_) => "credentials",
        ResolveError::UnknownFamily(_) => "family",
        ResolveError::NotAllowed { .. } => "not allowed",
        ResolveError::NotFound { .. } => "not found",
        ResolveError::NotPermitted(_) | ResolveError::Withheld(_) => "not permitted",
        ResolveError::NoneChosen(_) => "none chosen",
    }
}

fn described<'r>(routes: impl Iterator<Item = Route<'r>>) -> Vec<String> {
    let described = routes.map(|own| {
        let name = &own.channel.channel.name;
        let model = own.model.map(|model| model.id);
        format!(
            "{name} {} {:?} {:?} {model:?}",
            own.model_id, own.family, own.rule
        )
    });
    described.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_index_finds_what_asking_every_channel_finds(
        channels in prop::collection::vec(channel(), 0..8)
    ) {
        let routes = testing::routes(&channels, None);
        for name in NAMES {
            let all: Vec<_> = asked(&routes, name).collect();
            prop_assert_eq!(
                described(routes.routes_of(name)),
                described(all.iter().cloned()),
                "{}", name
            );
            let ready = all.iter().filter(|own| own.channel.channel.credentials.are_there());
            prop_assert_eq!(
                described(routes.candidates(name)),
                described(ready.cloned()),
                "{}", name
            );
            prop_assert_eq!(said(&routes.why_not(name)), reason(&routes, name), "{}", name);
            for channel in routes.channels.iter() {
                let own = &channel.channel.name;
                let route = all.iter().filter(|route| route.channel.channel.name == *own);
                prop_assert_eq!(
                    described(routes.route_on(own, name).into_iter()),
                    described(route.cloned()),
                    "{} on {}", name, own
                );
                prop_assert!(routes.has_channel(own));
            }
            prop_assert!(!routes.has_channel(name));
        }
    }
}
