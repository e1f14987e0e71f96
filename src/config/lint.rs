//! Warnings: content that is legal, but hardly what the administrator meant.

mod apis;
mod names;
mod places;
mod sharing;
mod targets;

use std::collections::BTreeMap;

use super::{Channel, Credentials, FIRST_BYTE_TIMEOUT_SECONDS, Fault, KeyNotes, escape_pointer};
use crate::arn::ModelArn;
use crate::seal::is_sealed;

/// Everything suspicious in a channel but for its credentials; pointers are relative to it. No warning keeps a channel
/// from being stored.
#[must_use]
pub fn warnings<C>(channel: &Channel<C>) -> Vec<Fault> {
    let mut found = targets::check(channel);
    found.extend(names::check(channel));
    found.extend(sharing::check(channel));
    found.extend(apis::check(channel));
    found.extend(places::check(channel));
    if channel.first_byte_timeout_seconds != FIRST_BYTE_TIMEOUT_SECONDS
        && channel.first_byte_timeout_seconds > channel.request_timeout_seconds
    {
        let message = format!(
            "`request_timeout_seconds` already ends an attempt after {} s; raise it as well",
            channel.request_timeout_seconds
        );
        found.push(Fault::new(
            "/first_byte_timeout_seconds",
            "ignored",
            message,
        ));
    }
    if channel.models.is_empty() && channel.allow_model_ids.is_any() {
        let message = "clients can call every model in the account, also by custom model id and raw ARN; set it to \
                       `catalogue` or `none`, or list the names in `models`";
        found.push(Fault::new("/allow_model_ids", "any_model", message));
    }
    found
}

/// What is suspicious in keys for a channel of `region`; pointers are relative to the channel.
#[must_use]
pub fn key_warnings(credentials: &Credentials, region: &str) -> Vec<Fault> {
    if credentials.secrets().any(is_sealed) {
        return Vec::new();
    }
    let notes = match credentials {
        Credentials::Static {
            access_key_id,
            secret_access_key,
            session_token,
            ..
        } => KeyNotes::of_access_key(access_key_id, secret_access_key, session_token.as_ref()),
        Credentials::BedrockApiKey { api_key, .. } => KeyNotes::of_api_key(api_key, region),
        Credentials::Unavailable {} => KeyNotes::default(),
    };
    let notes = notes.below("/credentials");
    notes.faults.into_iter().chain(notes.warnings).collect()
}

/// The accounts that the ARNs of a channel are of, each with where it stands; pointers are relative to the channel.
#[must_use]
pub fn accounts<C>(channel: &Channel<C>) -> Vec<(String, String)> {
    let map = channel.inference_profile_arn_map.iter();
    let entries = map.filter_map(|(name, target)| {
        let arn: ModelArn = target.parse().ok()?;
        let account = Some(arn.account()).filter(|own| !own.is_empty())?;
        Some((
            pointer("inference_profile_arn_map", name),
            account.to_owned(),
        ))
    });
    let guardrail = channel.guardrail.as_ref().and_then(|own| {
        let account = own.identifier.split(':').nth(4)?;
        Some(("/guardrail/identifier".to_owned(), account.to_owned()))
    });
    entries.chain(guardrail).collect()
}

/// The account that most of some places are of; of several the first in their order.
#[must_use]
pub fn main_account(accounts: &[(String, String)]) -> Option<&str> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for (_, account) in accounts {
        *counts.entry(account).or_default() += 1;
    }
    let most = counts.values().max()?;
    let is_main = |(_, account): &&(String, String)| counts.get(account.as_str()) == Some(most);
    accounts.iter().find(is_main).map(|(_, own)| own.as_str())
}

fn pointer(field: &str, key: &str) -> String {
    format!("/{field}/{}", escape_pointer(key))
}

#[cfg(test)]
mod tests;
