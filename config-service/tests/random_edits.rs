//! Whatever is sent, only what the filter accepts is stored.

use std::collections::BTreeMap;

use bedrock_filter::config::PluginConfig;
use bedrock_filter::routes::Routes;
use config_service::channels::{Author, Channels, EditError, Request};
use config_service::credentials::{Aws, Endpoints, FilePlaces, keeper::Keeper};
use config_service::fleet::Fleet;
use config_service::outbound::Outbound;
use config_service::seal::Sealer;
use config_service::settings::Settings;
use config_service::store::{Creation, Store};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

const EDITS: u64 = 10_000;

/// Yields the same numbers in every run (`SplitMix64`,
/// <https://doi.org/10.1145/2714064.2660195>).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let sides = all.len() as u64;
        &all[usize::try_from(self.roll() % sides).unwrap()]
    }

    fn is(&mut self, percent: u64) -> bool {
        self.roll() % 100 < percent
    }
}

const ARN: &str =
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456";

/// Values for each field: valid ones first, then typical mistakes.
fn values() -> BTreeMap<&'static str, Vec<Value>> {
    let keys = json!({"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "s"});
    BTreeMap::from([
        (
            "name",
            vec![
                json!("a"),
                json!("b"),
                json!("c-1"),
                json!("d"),
                json!("a b"),
                json!(""),
            ],
        ),
        ("enabled", vec![json!(true), json!(false), json!("yes")]),
        (
            "region",
            vec![
                json!("us-east-1"),
                json!("eu-west-1"),
                json!("cn-north-1"),
                json!("moon"),
                json!(7),
            ],
        ),
        ("fips", vec![json!(false), json!(true)]),
        (
            "endpoint",
            vec![
                json!(null),
                json!("https://bedrock.corp.internal"),
                json!("http://127.0.0.1:9000"),
                json!("https://bedrock-runtime.eu-west-1.amazonaws.com"),
                json!("http://169.254.169.254"),
                json!("ftp://x"),
            ],
        ),
        (
            "signer",
            vec![json!("filter"), json!("envoy"), json!("nobody")],
        ),
        (
            "priority",
            vec![json!(0), json!(9), json!(-1), json!(4_294_967_296_u64)],
        ),
        (
            "weight",
            vec![json!(1), json!(1000), json!(0), json!(1001), json!("2")],
        ),
        (
            "credentials",
            vec![
                keys,
                json!({"type": "bedrock_api_key", "api_key": "k"}),
                json!({"type": "static", "access_key_id": "", "secret_access_key": "s"}),
                json!({"type": "static", "access_key_id": "AKID", "secret_access_key": "with\nbreak"}),
                json!({}),
                json!("x"),
            ],
        ),
        (
            "models",
            vec![
                json!([]),
                json!(["m"]),
                json!(["m", "m"]),
                json!([" "]),
                json!({}),
            ],
        ),
        (
            "model_mapping",
            vec![
                json!({}),
                json!({"m": "claude-sonnet-4-5"}),
                json!("{\"x\": \"nova-pro\"}"),
                json!({"": "a"}),
                json!({"a": ""}),
                json!("{"),
            ],
        ),
        (
            "inference_profile_arn_map",
            vec![
                json!({}),
                json!({"claude-sonnet-4-5": ARN}),
                json!({"m": "amazon.nova-pro-v1:0"}),
                json!({"m": "arn:aws:s3:::bucket"}),
                json!({" m": ARN}),
                json!([]),
            ],
        ),
        (
            "model_families",
            vec![
                json!({}),
                json!({ARN: "anthropic"}),
                json!({"m": "no-such-family"}),
            ],
        ),
        ("api", vec![json!("auto"), json!("converse"), json!("rest")]),
        (
            "model_apis",
            vec![json!({}), json!({"m": "invoke"}), json!({"m": "x"})],
        ),
        (
            "guardrail",
            vec![
                json!(null),
                json!({"identifier": "gr1", "version": "1"}),
                json!({"identifier": "", "version": "1"}),
                json!({"identifier": "gr1"}),
            ],
        ),
        (
            "allow_model_ids",
            vec![json!("none"), json!("any"), json!("all")],
        ),
        ("match", vec![json!("exact"), json!("model"), json!("name")]),
        (
            "cross_region",
            vec![json!("geo"), json!("off"), json!("everywhere")],
        ),
        (
            "models_mode",
            vec![
                json!(null),
                json!("allowlist"),
                json!("fallback"),
                json!("all"),
            ],
        ),
        (
            "discovery_hours",
            vec![json!(0), json!(24), json!(721), json!(null)],
        ),
        (
            "retry_with_inference_profile",
            vec![json!(false), json!(true)],
        ),
        (
            "unknown_parameters",
            vec![
                json!(null),
                json!("refuse"),
                json!("leave_out"),
                json!("warn"),
            ],
        ),
        (
            "first_byte_timeout_seconds",
            vec![json!(30), json!(3600), json!(0), json!("30")],
        ),
        (
            "request_timeout_seconds",
            vec![json!(300), json!(1), json!(3601), json!(1.5)],
        ),
        ("surprise", vec![json!(1)]),
    ])
}

fn body(dice: &mut Dice, values: &BTreeMap<&str, Vec<Value>>, is_new: bool) -> String {
    let mut body = Map::new();
    let needed = ["name", "region", "credentials"];
    for (field, all) in values {
        let is_needed = is_new && needed.contains(field);
        let chance = if *field == "surprise" { 2 } else { 25 };
        if is_needed || dice.is(chance) {
            // Mostly valid, or hardly anything would ever be stored.
            let some = if dice.is(85) {
                &all[..all.len().min(2)]
            } else {
                &all[..]
            };
            body.insert((*field).to_owned(), dice.one_of(some).clone());
        }
    }
    Value::Object(body).to_string()
}

async fn request(dice: &mut Dice, channels: &Channels) -> Request {
    let stored = channels.list().await.unwrap().channels;
    if stored.is_empty() || dice.is(10) {
        return Request::Create;
    }
    let stored = dice.one_of(&stored);
    match dice.roll() % 3 {
        0 => Request::Replace(stored.id.clone()),
        1 => Request::ReplaceNamed(stored.channel.name.clone()),
        _ => Request::Patch(stored.id.clone()),
    }
}

#[tokio::test]
async fn ten_thousand_random_edits_never_store_what_the_filter_refuses() {
    // In memory if possible, because this does not test the disk.
    let memory = std::path::Path::new("/dev/shm");
    let dir = if memory.is_dir() {
        TempDir::new_in(memory)
    } else {
        TempDir::new()
    };
    let dir = dir.unwrap();
    let path = dir.path().join("test.db");
    let store = Store::serve(&path, Sealer::default(), Creation::Asked)
        .await
        .unwrap();
    let aws = Aws::new(
        Outbound::default(),
        Endpoints::default(),
        FilePlaces::default(),
    );
    let keeper = Keeper::new(aws);
    let channels = Channels::load(store, Settings::default(), keeper, Fleet::default())
        .await
        .unwrap();
    let published = channels.subscribe();
    let (mut dice, values) = (Dice(1), values());
    let (mut made, mut refused) = (0, 0);
    for _ in 0..EDITS {
        if dice.is(3) {
            let stored = channels.list().await.unwrap().channels;
            if let Some(first) = stored.first() {
                channels
                    .delete(Author::new("dice"), first.id.clone())
                    .await
                    .unwrap();
            }
            continue;
        }
        let request = request(&mut dice, &channels).await;
        let body = body(&mut dice, &values, matches!(request, Request::Create));
        let before = published.borrow().revision;
        match channels.edit(Author::new("dice"), request, body).await {
            Ok(_) => made += 1,
            Err(EditError::Invalid(faults)) => {
                assert!(!faults.is_empty());
                assert_eq!(published.borrow().revision, before);
                refused += 1;
            }
            Err(EditError::NameTaken(_)) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        let snapshot = published.borrow().clone();
        let config = PluginConfig::from_json(snapshot.plugin_config.as_bytes()).unwrap();
        let routes = Routes::compile(config).unwrap();
        assert_eq!(routes.revision(), snapshot.revision);
    }
    // Both happened often enough to be meaningful.
    assert!(
        made > 1000 && refused > 1000,
        "{made} made, {refused} refused"
    );
}
