//! APIs that do not serve the models for which they are chosen.

use super::{Channel, Fault, pointer};
use crate::arn::{ModelArn, ResourceKind};
use crate::catalog::{self, Model};
use crate::config::Api;

pub(super) fn check<C>(channel: &Channel<C>) -> Vec<Fault> {
    let single = channel.model_apis.iter().filter_map(|(name, api)| {
        let path = pointer("model_apis", name);
        unserved(channel, name, *api, path)
    });
    // Names that the channel writes; whatever else clients ask for is theirs to choose.
    let named = channel.models.iter().chain(channel.mapped_names());
    let named = named.filter(|name| !channel.model_apis.contains_key(*name));
    let all = named
        .filter_map(|name| unserved(channel, name, channel.api, "/api".to_owned()))
        .take(1);
    single.chain(all).collect()
}

/// The warning of a name whose model an API does not serve.
fn unserved<C>(channel: &Channel<C>, name: &str, api: Api, path: String) -> Option<Fault> {
    let mapped = channel.model_mapping.get(name).map_or(name, String::as_str);
    let arns = &channel.inference_profile_arn_map;
    let target = arns.get(mapped).or_else(|| arns.get(name));
    let arn = target.and_then(|target| target.parse::<ModelArn>().ok());
    let serves = serving(arn.as_ref(), mapped);
    let (wanted, other) = match api {
        Api::Invoke if !serves.invoke => ("InvokeModel", "`converse`"),
        Api::Converse if !serves.converse => ("Converse", "`invoke`"),
        _ => return None,
    };
    let message =
        format!("{wanted} does not serve the model of `{name}`; use {other} or `auto` for it");
    Some(Fault::new(path, "unserved_api", message))
}

/// Which operations serve a model.
struct Serving {
    invoke: bool,
    converse: bool,
}

/// Which operations serve what is called. Imported models have InvokeModel alone:
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html>
fn serving(arn: Option<&ModelArn>, name: &str) -> Serving {
    let said = arn.and_then(ModelArn::model_id).unwrap_or(name);
    let model = catalog::find(said).or_else(|| catalog::find(name));
    let is_imported = arn.is_some_and(|arn| arn.kind() == ResourceKind::ImportedModel);
    Serving {
        invoke: model.is_none_or(|model: &Model| model.invoke),
        converse: model.is_none_or(|model| model.converse) && !is_imported,
    }
}
