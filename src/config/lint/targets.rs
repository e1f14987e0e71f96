//! What `inference_profile_arn_map` and `model_families` say about models.

use super::{Channel, Fault, accounts, main_account, pointer};
use crate::arn::ModelArn;
use crate::catalog::{self, Model, ModelFamily, is_profile_of, split_profile};
use crate::endpoint;

const MAP: &str = "inference_profile_arn_map";

pub(super) fn check<C>(channel: &Channel<C>) -> Vec<Fault> {
    let mut found = Vec::new();
    for (name, target) in &channel.inference_profile_arn_map {
        let path = pointer(MAP, name);
        if is_swapped(name, target) {
            let message = "key and value seem to be swapped: the key is the name that clients send, the value is the \
                           ARN";
            found.push(Fault::new(path, "swapped", message));
            continue;
        }
        found.extend(check_target(channel, &path, target));
        found.extend(check_geography(channel, &path, target));
        found.extend(check_reachable(channel, &path, name));
        found.extend(check_family(channel, &path, name, target));
        found.extend(check_model(channel, &path, name, target));
    }
    found.extend(check_accounts(channel));
    for (name, family) in &channel.model_families {
        found.extend(check_family_hint(channel, name, *family));
    }
    found
}

fn is_swapped(name: &str, target: &str) -> bool {
    name.starts_with("arn:") && !target.starts_with("arn:")
}

/// The target should be a model ARN of the channel's own region.
fn check_target<C>(channel: &Channel<C>, path: &str, target: &str) -> Option<Fault> {
    if let Some(sign) = trailing_sign(target) {
        let message = format!(
            "the ARN ends with `{sign}`, as if it had been copied along with the end of a sentence; remove it"
        );
        return Some(Fault::new(path, "trailing_sign", message));
    }
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
            "the ARN is in partition {}, but region {region} is in {partition}; Bedrock will refuse it",
            arn.partition()
        );
        return Some(Fault::new(path, "other_partition", message));
    }
    (arn.region() != region).then(|| {
        let message = format!(
            "the ARN is in region {}, but the channel calls {region}; Bedrock will answer \"The \
             provided model identifier is invalid\"",
            arn.region()
        );
        Fault::new(path, "other_region", message)
    })
}

/// The sign that follows what would be an ARN without it.
fn trailing_sign(target: &str) -> Option<char> {
    let rest = target.trim_end_matches(|sign: char| sign.is_ascii_punctuation());
    let sign = target.get(rest.len()..)?.chars().next()?;
    rest.parse::<ModelArn>().is_ok().then_some(sign)
}

/// A profile of AWS's own should be one that can be called from the channel's region.
fn check_geography<C>(channel: &Channel<C>, path: &str, target: &str) -> Option<Fault> {
    let arn = target.parse::<ModelArn>().ok();
    let id = arn.as_ref().and_then(ModelArn::model_id).unwrap_or(target);
    let (prefix, _) = split_profile(id)?;
    let region = &channel.region;
    (!is_profile_of(prefix, region)).then(|| {
        let message = format!(
            "`{id}` is an inference profile of other regions, which cannot be called from {region}; use the one for \
             this geography"
        );
        Fault::new(path, "other_geography", message)
    })
}

/// The credentials are those of one account.
fn check_accounts<C>(channel: &Channel<C>) -> Vec<Fault> {
    let accounts = accounts(channel);
    let Some(main) = main_account(&accounts) else {
        return Vec::new();
    };
    let others = accounts.iter().filter(|(_, account)| account != main);
    let faults = others.map(|(path, account)| {
        let message = format!(
            "the ARN belongs to account {account}, but others in this channel belong to {main}; a channel's \
             credentials reach one account, so create a channel for each"
        );
        Fault::new(path, "other_account", message)
    });
    faults.collect()
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
            "no request can reach `{name}`: it is not in `models`, and `model_mapping` maps none of them to it"
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
            "`{name}` is a name for {}, but the ARN calls {}; requests are written for the latter, with its \
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
            "is used, although `{name}` is a name of {}, which is of family `{own}`: its limits do not apply then",
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
