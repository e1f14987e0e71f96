//! ARNs that `modelId` may be.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>

/// A syntactically valid ARN.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arn<'a> {
    partition: &'a str,
    region: &'a str,
    /// 12 digits, or empty where the resource has no account.
    pub(super) account: &'a str,
    pub(super) resource: Resource<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Resource<'a> {
    /// Names its model: `foundation-model`, `inference-profile`.
    Model(&'a str),
    /// Does not: application profiles, provisioned, imported, deployed models.
    Opaque,
}

impl<'a> Arn<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut fields = text.splitn(6, ':');
        let mut next = || fields.next();
        let ("arn", partition, "bedrock") = (next()?, next()?, next()?) else {
            return None;
        };
        let (region, account, resource) = (next()?, next()?, next()?);
        let (kind, id) = resource.split_once('/')?;
        let resource = match kind {
            "foundation-model" if account.is_empty() && is_profile_id(id) => Resource::Model(id),
            "inference-profile" if is_account(account) && is_profile_id(id) => Resource::Model(id),
            "application-inference-profile" if is_account(account) && is_profile_id(id) => {
                Resource::Opaque
            }
            "provisioned-model" | "imported-model" | "custom-model-deployment"
                if is_account(account) && is_short_id(id) =>
            {
                Resource::Opaque
            }
            _ => return None,
        };
        let partition_fits = partition == "aws"
            || partition
                .strip_prefix("aws-")
                .is_some_and(|rest| !rest.is_empty());
        (partition_fits && is_region(region)).then_some(Self {
            partition,
            region,
            account,
            resource,
        })
    }

    /// Whether a request signed for `region` may name it.
    pub(super) fn is_in(&self, region: &str) -> bool {
        let partition = match region {
            _ if region.starts_with("us-gov-") => "aws-us-gov",
            _ if region.starts_with("cn-") => "aws-cn",
            _ if region.starts_with("eusc-") => "aws-eusc",
            _ => "aws",
        };
        self.region == region && self.partition == partition
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=20).contains(&text.len()) && text.bytes().all(fits)
}

fn is_profile_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'.');
    !text.is_empty() && text.bytes().all(fits)
}

fn is_short_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() == 12 && text.bytes().all(fits)
}
