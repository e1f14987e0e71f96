//! What is legal but suspicious in a channel, its credentials included.

use bedrock_filter::config::lint::{self, accounts, main_account};
use bedrock_filter::endpoint::partition;

use super::{Channel, Credentials};
use crate::fault::Fault;

/// Every warning about a channel; pointers are relative to it.
#[must_use]
pub(crate) fn warnings(channel: &Channel) -> Vec<Fault> {
    let mut found = lint::warnings(channel);
    let mut credentials = Some(&channel.credentials);
    let mut at = "/credentials".to_owned();
    while let Some(own) = credentials {
        found.extend(of_keys(own, &channel.region, &at));
        found.extend(of_role(own, &channel.region, &at));
        credentials = own.source();
        at.push_str("/source");
    }
    found.extend(of_account(channel));
    found
}

fn of_keys(credentials: &Credentials, region: &str, at: &str) -> Vec<Fault> {
    let Some(keys) = credentials.written() else {
        return Vec::new();
    };
    let found = lint::key_warnings(&keys, region).into_iter();
    found
        .map(|own| {
            let below = own.pointer.strip_prefix("/credentials").unwrap_or_default();
            Fault::new(format!("{at}{below}"), own.code, own.message)
        })
        .collect()
}

/// STS is asked in the channel's region, which has the roles of its own partition alone.
fn of_role(credentials: &Credentials, region: &str, at: &str) -> Option<Fault> {
    let (own, wanted) = (
        credentials.role_arn()?.split(':').nth(1)?,
        partition(region),
    );
    (own != wanted).then(|| {
        let message = format!(
            "the role is in partition {own}, but region {region} is in {wanted}; STS will refuse it"
        );
        Fault::new(format!("{at}/role_arn"), "other_partition", message)
    })
}

/// The role with which Bedrock is called should be of the account that the ARNs are of.
fn of_account(channel: &Channel) -> Option<Fault> {
    let mut at = "/credentials".to_owned();
    let mut credentials = &channel.credentials;
    if let Credentials::BedrockShortTermKey { source } = credentials {
        credentials = source;
        at.push_str("/source");
    }
    let own = credentials.role_arn()?.split(':').nth(4)?;
    let accounts = accounts(channel);
    let main = main_account(&accounts).filter(|main| *main != own)?;
    let message = format!(
        "the role belongs to account {own}, but the ARNs of this channel belong to {main}; Bedrock will refuse the \
         role there"
    );
    Some(Fault::new(
        format!("{at}/role_arn"),
        "other_account",
        message,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn check(region: &str, credentials: &Value, expected: &[&str]) {
        let arn =
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456";
        let map = match region {
            "us-east-1" => json!({"nova-pro": arn}),
            _ => json!({}),
        };
        let channel: Channel = serde_json::from_value(json!({
            "name": "a",
            "region": region,
            "allow_model_ids": "none",
            "credentials": credentials,
            "inference_profile_arn_map": map,
        }))
        .unwrap();
        let found = warnings(&channel).into_iter();
        let found: Vec<_> = found
            .map(|own| format!("{} {}", own.pointer, own.code))
            .collect();
        assert_eq!(found, expected, "{credentials}");
    }

    fn role(arn: &str, source: &Value) -> Value {
        json!({"type": "assume_role", "role_arn": arn, "source": source})
    }

    #[test]
    fn keys_are_judged_at_every_depth() {
        let key = json!({"type": "static", "access_key_id": "ASIAIOSFODNN7EXAMPLE",
            "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"});
        check(
            "us-east-1",
            &key,
            &["/credentials/session_token missing_session_token"],
        );
        let nested = role("arn:aws:iam::123456789012:role/r", &key);
        check(
            "us-east-1",
            &nested,
            &["/credentials/source/session_token missing_session_token"],
        );
        check(
            "us-east-1",
            &json!({"type": "bedrock_short_term_key", "source": nested}),
            &["/credentials/source/source/session_token missing_session_token"],
        );
    }

    #[test]
    fn a_role_belongs_to_partition_and_account() {
        let chain = &json!({"type": "default_chain"});
        check(
            "us-east-1",
            &role("arn:aws:iam::123456789012:role/r", chain),
            &[],
        );
        check(
            "cn-north-1",
            &role("arn:aws-cn:iam::123456789012:role/r", chain),
            &[],
        );
        check(
            "us-gov-west-1",
            &role("arn:aws:iam::123456789012:role/r", chain),
            &["/credentials/role_arn other_partition"],
        );
        let other = "arn:aws:iam::210987654321:role/r";
        check(
            "us-east-1",
            &role(other, chain),
            &["/credentials/role_arn other_account"],
        );
        let minted = json!({"type": "bedrock_short_term_key", "source": role(other, chain)});
        check(
            "us-east-1",
            &minted,
            &["/credentials/source/role_arn other_account"],
        );
        // A role that only assumes the one that counts.
        let twice = role("arn:aws:iam::123456789012:role/r", &role(other, chain));
        check("us-east-1", &twice, &[]);
        let web = json!({"type": "web_identity", "role_arn": other, "token_file": "/t"});
        check("us-east-1", &web, &["/credentials/role_arn other_account"]);
    }
}
