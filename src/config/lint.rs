//! Warnings: content that is legal, but hardly what the administrator meant.

use crate::arn::ModelArn;
use crate::catalog;
use crate::catalog::{Model, ModelFamily};
use crate::endpoint;

use super::{Channel, FIRST_BYTE_TIMEOUT_SECONDS, Fault, escape_pointer};

/// Everything suspicious in a channel; pointers are relative to it. None of it stops a channel from being
/// stored.
#[must_use]
pub fn warnings<C>(channel: &Channel<C>) -> Vec<Fault> {
    let mut found = Vec::new();
    for (name, target) in &channel.inference_profile_arn_map {
        let path = pointer("inference_profile_arn_map", name);
        found.extend(check_target(channel, &path, target));
        found.extend(check_reachable(channel, &path, name));
        found.extend(check_family(channel, &path, name, target));
        found.extend(check_model(channel, &path, name, target));
    }
    for (name, family) in &channel.model_families {
        found.extend(check_family_hint(channel, name, *family));
    }
    for alias in channel.model_mapping.keys() {
        if !channel.models.is_empty() && !channel.models.contains(alias) {
            let message = format!(
                "`{alias}` is not in `models`, so no request can use this alias; add it there"
            );
            let path = pointer("model_mapping", alias);
            found.push(Fault::new(path, "unreachable_key", message));
        }
    }
    if channel.first_byte_timeout_seconds != FIRST_BYTE_TIMEOUT_SECONDS
        && channel.first_byte_timeout_seconds > channel.request_timeout_seconds
    {
        let message = format!(
            "`request_timeout_seconds` ends an attempt after {} s already; raise it as well",
            channel.request_timeout_seconds
        );
        found.push(Fault::new(
            "/first_byte_timeout_seconds",
            "ignored",
            message,
        ));
    }
    if channel.models.is_empty() && channel.allow_model_ids.is_any() {
        let message = "clients can call every model of the account, by custom model id and raw ARN \
                       too; set it to `catalogue` or `none`, or list the names in `models`";
        found.push(Fault::new("/allow_model_ids", "any_model", message));
    }
    if channel.endpoint.is_some() && channel.fips {
        let message = "`fips` has no effect next to `endpoint`; name the FIPS host there";
        found.push(Fault::new("/fips", "ignored", message));
    }
    found
}

fn pointer(field: &str, key: &str) -> String {
    format!("/{field}/{}", escape_pointer(key))
}

/// The target should be a model ARN of the channel's own region.
fn check_target<C>(channel: &Channel<C>, path: &str, target: &str) -> Option<Fault> {
    let arn = match target.parse::<ModelArn>() {
        Ok(arn) => arn,
        Err(_) if catalog::find(target).is_some() => {
            let message = format!("`{target}` is a model id, not an ARN; it is called as it is");
            return Some(Fault::new(path, "not_an_arn", message));
        }
        Err(error) => {
            let message = format!("the value {error}; Bedrock will probably refuse it");
            return Some(Fault::new(path, "not_an_arn", message));
        }
    };
    let region = &channel.region;
    let partition = endpoint::partition(region);
    if arn.partition() != partition {
        let message = format!(
            "the ARN is of partition {}, but region {region} is of {partition}; Bedrock will refuse it",
            arn.partition()
        );
        return Some(Fault::new(path, "other_partition", message));
    }
    (arn.region() != region).then(|| {
        let message = format!(
            "the ARN is of region {}, but the channel calls {region}; Bedrock will answer \"The \
             provided model identifier is invalid\"",
            arn.region()
        );
        Fault::new(path, "other_region", message)
    })
}

/// The key should be a name that a request can arrive at.
fn check_reachable<C>(channel: &Channel<C>, path: &str, name: &str) -> Option<Fault> {
    let reachable = channel.models.is_empty()
        || channel.models.iter().any(|model| {
            model == name
                || channel
                    .model_mapping
                    .get(model)
                    .is_some_and(|to| to == name)
        });
    (!reachable).then(|| {
        let message = format!(
            "no request can reach `{name}`: it is neither in `models` nor what `model_mapping` \
             makes of one of them"
        );
        Fault::new(path, "unreachable_key", message)
    })
}

/// Somebody must say which family an opaque ARN serves.
fn check_family<C>(channel: &Channel<C>, path: &str, name: &str, target: &str) -> Option<Fault> {
    let spelled_out = target.parse::<ModelArn>().ok();
    let by_arn = spelled_out.as_ref().and_then(ModelArn::model_id);
    let names = [Some(name), Some(target), by_arn];
    let known = names.into_iter().flatten().any(|name| {
        channel.model_families.contains_key(name)
            || catalog::find(name).is_some()
            || ModelFamily::of_model_id(name).is_some()
    }) || aliases_of(channel, name).any(|alias| catalog::find(alias).is_some());
    (!known).then(|| {
        let message = format!(
            "neither `{name}` nor the ARN says which model family it is; name it in \
             `model_families`, or requests get a 404"
        );
        Fault::new(path, "unknown_family", message)
    })
}

/// The model that an ARN or id spells out, if the catalogue knows it.
fn said(target: &str) -> Option<&'static Model> {
    let arn = target.parse::<ModelArn>().ok();
    let spelled_out = arn.as_ref().and_then(ModelArn::model_id);
    catalog::find(spelled_out.unwrap_or(target))
}

/// The key and the ARN should name the same model.
fn check_model<C>(channel: &Channel<C>, path: &str, name: &str, target: &str) -> Option<Fault> {
    let called = said(target)?;
    let mut names = std::iter::once(name).chain(aliases_of(channel, name));
    let meant = names.find_map(catalog::find)?;
    (called.id != meant.id).then(|| {
        let message = format!(
            "`{name}` is a name of {}, but the ARN calls {}; requests are written for the latter, with its \
             limits and parameters",
            meant.id, called.id
        );
        Fault::new(path, "other_model", message)
    })
}

/// A family should not contradict what is known of the model.
fn check_family_hint<C>(channel: &Channel<C>, name: &str, family: ModelFamily) -> Option<Fault> {
    let target = channel.inference_profile_arn_map.get(name);
    let called = said(target.map_or(name, String::as_str));
    let known = called.or_else(|| catalog::find(name))?;
    let own = ModelFamily::of_model_id(known.id).filter(|own| *own != family)?;
    let (own, family) = (own.name(), family.name());
    let what_happens = if called.is_some() {
        format!("is ignored, because {} is of family `{own}`", known.id)
    } else {
        format!(
            "is used, although `{name}` is a name of {}, which is of family `{own}`",
            known.id
        )
    };
    let message = format!("`{family}` {what_happens}; leave it out, or correct it");
    Some(Fault::new(
        pointer("model_families", name),
        "other_family",
        message,
    ))
}

/// Names that `model_mapping` turns into `name`.
fn aliases_of<'c, C>(channel: &'c Channel<C>, name: &'c str) -> impl Iterator<Item = &'c str> {
    channel
        .model_mapping
        .iter()
        .filter(move |(_, to)| *to == name)
        .map(|(alias, _)| alias.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn check(patch: &Value, expected: &[&str]) {
        let mut channel = json!({
            "name": "a",
            "region": "us-east-1",
            "credentials": {"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret"},
            "allow_model_ids": "catalogue"
        });
        for (key, value) in patch.as_object().unwrap() {
            channel[key] = value.clone();
        }
        let channel: Channel = serde_json::from_value(channel).unwrap();
        let seen: Vec<_> = warnings(&channel)
            .into_iter()
            .map(|warning| format!("{} {}", warning.pointer, warning.code))
            .collect();
        assert_eq!(seen, expected);
    }

    const ARN: &str =
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456";

    #[test]
    fn a_sound_channel_has_no_warnings() {
        check(&json!({}), &[]);
        check(
            &json!({
                "models": ["claude-sonnet-4-5", "assistant"],
                "model_mapping": {"assistant": "team-assistant"},
                "inference_profile_arn_map": {"claude-sonnet-4-5": ARN, "team-assistant": ARN},
                "model_families": {"team-assistant": "anthropic"}
            }),
            &[],
        );
    }

    #[test]
    fn targets_that_bedrock_would_refuse_are_pointed_at() {
        let map = |value: &str| json!({"inference_profile_arn_map": {"claude-sonnet-4-5": value}});
        let path = "/inference_profile_arn_map/claude-sonnet-4-5";
        check(&map("hello"), &[&format!("{path} not_an_arn")]);
        check(
            &map("us.anthropic.claude-sonnet-4-6"),
            &[
                &format!("{path} not_an_arn"),
                &format!("{path} other_model"),
            ],
        );
        check(
            &map(&ARN.replace("us-east-1", "eu-west-1")),
            &[&format!("{path} other_region")],
        );
        check(
            &map(&ARN.replace("arn:aws:", "arn:aws-cn:")),
            &[&format!("{path} other_partition")],
        );
    }

    #[test]
    fn a_key_that_names_another_model_than_its_arn_is_pointed_at() {
        let profile =
            |id: &str| format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{id}");
        let sonnet = profile("anthropic.claude-sonnet-4-5-20250929-v1:0");
        let foundation =
            "arn:aws:bedrock:us-east-1::foundation-model/meta.llama4-scout-17b-instruct-v1:0";
        for (name, target) in [
            ("nova-pro", sonnet.as_str()),
            ("claude-opus-4-7", &sonnet),
            ("llama3-1-8b-instruct", foundation),
        ] {
            check(
                &json!({"inference_profile_arn_map": {name: target}}),
                &[&format!("/inference_profile_arn_map/{name} other_model")],
            );
        }
        // Through an alias.
        check(
            &json!({
                "models": ["nova-pro"],
                "model_mapping": {"nova-pro": "ours"},
                "inference_profile_arn_map": {"ours": sonnet}
            }),
            &["/inference_profile_arn_map/ours other_model"],
        );
        check(
            &json!({"inference_profile_arn_map": {"claude-sonnet-4-5": sonnet, "ours": sonnet}}),
            &[],
        );
    }

    #[test]
    fn a_family_that_contradicts_the_model_is_pointed_at() {
        let sonnet = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0";
        let path = "/model_families/ours other_family";
        check(
            &json!({"inference_profile_arn_map": {"ours": sonnet}, "model_families": {"ours": "nova"}}),
            &[path],
        );
        check(
            &json!({"inference_profile_arn_map": {"ours": sonnet}, "model_families": {"ours": "anthropic"}}),
            &[],
        );
        check(
            &json!({"inference_profile_arn_map": {"nova-pro": ARN}, "model_families": {"nova-pro": "anthropic"}}),
            &["/model_families/nova-pro other_family"],
        );
    }

    #[test]
    fn keys_that_no_request_reaches_are_pointed_at() {
        check(
            &json!({
                "models": ["claude-sonnet-4-5"],
                "model_mapping": {"gpt-4o": "claude-sonnet-4-5"},
                "inference_profile_arn_map": {"claude-3-haiku": ARN}
            }),
            &[
                "/inference_profile_arn_map/claude-3-haiku unreachable_key",
                "/model_mapping/gpt-4o unreachable_key",
            ],
        );
    }

    #[test]
    fn a_first_byte_that_may_come_later_than_the_whole_is_pointed_at() {
        check(
            &json!({"first_byte_timeout_seconds": 31, "request_timeout_seconds": 30}),
            &["/first_byte_timeout_seconds ignored"],
        );
        check(&json!({"request_timeout_seconds": 20}), &[]);
    }

    #[test]
    fn a_channel_that_is_open_to_every_model_is_pointed_at() {
        let open = json!({"allow_model_ids": "any"});
        check(&open, &["/allow_model_ids any_model"]);
        check(
            &json!({"allow_model_ids": "any", "models": ["nova-pro"]}),
            &[],
        );
        check(&json!({"allow_model_ids": "none"}), &[]);
    }

    #[test]
    fn an_opaque_arn_under_an_unknown_name_needs_a_family() {
        check(
            &json!({"inference_profile_arn_map": {"a/b": ARN}}),
            &["/inference_profile_arn_map/a~1b unknown_family"],
        );
    }
}
