//! Hosts, regions and partitions that do not go together.

use super::{Channel, Fault};
use crate::endpoint::{self, Endpoint};

pub(super) fn check<C>(channel: &Channel<C>) -> Vec<Fault> {
    let mut found = Vec::new();
    found.extend(check_service(channel));
    found.extend(check_guardrail(channel));
    if channel.endpoint.is_some() && channel.fips {
        let message = "`fips` has no effect next to `endpoint`; name the FIPS host there";
        found.push(Fault::new("/fips", "ignored", message));
    }
    found
}

/// A host of AWS's should be one of Bedrock Runtime.
fn check_service<C>(channel: &Channel<C>) -> Option<Fault> {
    let endpoint = Endpoint::parse(channel.endpoint.as_deref()?).ok()?;
    let service = endpoint.other_aws_service()?;
    let message = format!(
        "is a host of AWS's `{service}`, but models are called at `bedrock-runtime.{}.…`; leave `endpoint` out, or \
         name that one",
        channel.region
    );
    Some(Fault::new("/endpoint", "other_service", message))
}

/// A guardrail should be of the channel's own region.
fn check_guardrail<C>(channel: &Channel<C>) -> Option<Fault> {
    let identifier = &channel.guardrail.as_ref()?.identifier;
    let mut parts = identifier.split(':').skip(1);
    let (partition, _, region) = (parts.next()?, parts.next()?, parts.next()?);
    let wanted = endpoint::partition(&channel.region);
    let path = "/guardrail/identifier";
    if partition != wanted {
        let message = format!(
            "the ARN is in partition {partition}, but region {} is in {wanted}; Bedrock will refuse it",
            channel.region
        );
        return Some(Fault::new(path, "other_partition", message));
    }
    (region != channel.region).then(|| {
        let message = format!(
            "the ARN is in region {region}, but the channel calls {}; Bedrock will not find the guardrail",
            channel.region
        );
        Fault::new(path, "other_region", message)
    })
}
