//! Model ARNs: parsing, and what they reveal.

use std::fmt;
use std::str::FromStr;

/// Longest `modelId` that InvokeModel takes, in characters.
///
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>
pub const MAX_MODEL_ID_LEN: usize = 2048;

/// An ARN that InvokeModel takes as `modelId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelArn {
    text: String,
    partition: Span,
    region: Span,
    account: Span,
    kind: ResourceKind,
    resource: Span,
}

type Span = std::ops::Range<usize>;

/// What a model ARN points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// A base model; the resource is its id.
    FoundationModel,
    /// A system-defined inference profile; the resource is its id.
    InferenceProfile,
    /// A profile made by a customer; the resource is opaque.
    ApplicationInferenceProfile,
    /// Provisioned throughput; the resource is opaque.
    ProvisionedModel,
    /// A fine-tuned model.
    CustomModel,
    /// An on-demand deployment of a fine-tuned model.
    CustomModelDeployment,
    /// A model brought in with Custom Model Import.
    ImportedModel,
    /// A prompt router made by a customer.
    PromptRouter,
    /// A prompt router made by AWS.
    DefaultPromptRouter,
    /// A Bedrock Marketplace deployment on `SageMaker`.
    SagemakerEndpoint,
}

/// Why a text is not a model ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArnError {
    /// Not `arn:partition:service:region:account:resource`.
    #[error("is not an ARN (arn:aws:bedrock:region:account:resource)")]
    NotAnArn,
    /// Longer than [`MAX_MODEL_ID_LEN`].
    #[error("is longer than 2048 characters")]
    TooLong,
    /// A partition that AWS does not have.
    #[error("has a partition that does not start with `aws`")]
    Partition,
    /// Neither `bedrock` nor `sagemaker`.
    #[error("is for a service that has no models (expected `bedrock`)")]
    Service,
    /// An empty or malformed region.
    #[error("has no valid region")]
    Region,
    /// Not twelve digits, or missing where it is needed.
    #[error("has no valid 12-digit account id")]
    Account,
    /// A resource that InvokeModel does not take.
    #[error("does not point to a model, inference profile or model deployment")]
    Resource,
}

impl ModelArn {
    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Partition, for example `aws`, `aws-us-gov` or `aws-cn`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.slice(&self.partition)
    }

    /// Region of the resource.
    #[must_use]
    pub fn region(&self) -> &str {
        self.slice(&self.region)
    }

    /// The account's 12 digits; empty where the resource is AWS's own.
    #[must_use]
    pub fn account(&self) -> &str {
        self.slice(&self.account)
    }

    /// What it points to.
    #[must_use]
    pub fn kind(&self) -> ResourceKind {
        self.kind
    }

    /// The id after the resource type.
    #[must_use]
    pub fn resource_id(&self) -> &str {
        self.slice(&self.resource)
    }

    /// The base model or system profile id that the ARN spells out, if it does.
    #[must_use]
    pub fn model_id(&self) -> Option<&str> {
        match self.kind {
            ResourceKind::FoundationModel | ResourceKind::InferenceProfile => {
                Some(self.resource_id())
            }
            // `custom-model/<base model id>/<id>`, or `custom-model/imported/<id>`.
            ResourceKind::CustomModel => self
                .resource_id()
                .split_once('/')
                .map(|(base, _)| base)
                .filter(|base| base.contains('.')),
            _ => None,
        }
    }

    fn slice(&self, span: &Span) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }
}

impl fmt::Display for ModelArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ModelArn {
    type Err = ArnError;

    /// Parses by the patterns of the InvokeModel reference (linked at [`MAX_MODEL_ID_LEN`]).
    fn from_str(text: &str) -> Result<Self, ArnError> {
        if text.len() > MAX_MODEL_ID_LEN {
            return Err(ArnError::TooLong);
        }
        let mut fields = text.splitn(6, ':');
        let mut field = || fields.next().ok_or(ArnError::NotAnArn);
        if field()? != "arn" {
            return Err(ArnError::NotAnArn);
        }
        let (partition, service, region) = (field()?, field()?, field()?);
        let (account, resource) = (field()?, field()?);
        check_partition(partition)?;
        check_region(region)?;
        let (kind, id) = resource_kind(service, resource)?;
        check_account(kind, account)?;
        Ok(Self {
            partition: span(text, partition),
            region: span(text, region),
            account: span(text, account),
            resource: span(text, id),
            kind,
            text: text.to_owned(),
        })
    }
}

fn span(text: &str, part: &str) -> Span {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + part.len()
}

fn check_partition(partition: &str) -> Result<(), ArnError> {
    let valid = partition == "aws"
        || partition
            .strip_prefix("aws-")
            .is_some_and(|rest| is_word(rest, |c| c.is_ascii_lowercase() || c == '-'));
    valid.then_some(()).ok_or(ArnError::Partition)
}

fn check_region(region: &str) -> Result<(), ArnError> {
    let valid = region.len() <= 20
        && is_word(region, |c| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
        });
    valid.then_some(()).ok_or(ArnError::Region)
}

fn check_account(kind: ResourceKind, account: &str) -> Result<(), ArnError> {
    let twelve_digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let valid = match kind {
        ResourceKind::FoundationModel => account.is_empty(),
        ResourceKind::InferenceProfile => account.is_empty() || twelve_digits,
        _ => twelve_digits,
    };
    valid.then_some(()).ok_or(ArnError::Account)
}

fn resource_kind<'t>(
    service: &str,
    resource: &'t str,
) -> Result<(ResourceKind, &'t str), ArnError> {
    let (kind, id) = resource.split_once('/').ok_or(ArnError::Resource)?;
    let kind = match (service, kind) {
        ("bedrock", "foundation-model") => ResourceKind::FoundationModel,
        ("bedrock", "inference-profile") => ResourceKind::InferenceProfile,
        ("bedrock", "application-inference-profile") => ResourceKind::ApplicationInferenceProfile,
        ("bedrock", "provisioned-model") => ResourceKind::ProvisionedModel,
        ("bedrock", "custom-model") => ResourceKind::CustomModel,
        ("bedrock", "custom-model-deployment") => ResourceKind::CustomModelDeployment,
        ("bedrock", "imported-model") => ResourceKind::ImportedModel,
        ("bedrock", "prompt-router") => ResourceKind::PromptRouter,
        ("bedrock", "default-prompt-router") => ResourceKind::DefaultPromptRouter,
        ("sagemaker", "endpoint") => ResourceKind::SagemakerEndpoint,
        ("bedrock" | "sagemaker", _) => return Err(ArnError::Resource),
        _ => return Err(ArnError::Service),
    };
    let slash = |c: char| kind == ResourceKind::CustomModel && c == '/';
    let valid = is_word(id, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':') || slash(c)
    });
    valid.then_some((kind, id)).ok_or(ArnError::Resource)
}

fn is_word(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(ResourceKind, &str, &str, Option<&str>), ArnError>) {
        let arn = text.parse::<ModelArn>();
        let seen = arn
            .as_ref()
            .map(|arn| (arn.kind(), arn.partition(), arn.region(), arn.model_id()))
            .map_err(|error| *error);
        assert_eq!(seen, expected, "{text}");
        if let Ok(arn) = arn {
            assert_eq!(arn.to_string(), text);
        }
    }

    #[test]
    fn every_kind_of_model_arn_is_read() {
        use ResourceKind as Kind;
        let check = |text, kind, partition, region, id| {
            check(text, Ok((kind, partition, region, id)));
        };
        check(
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0",
            Kind::FoundationModel,
            "aws",
            "us-east-1",
            Some("anthropic.claude-3-5-sonnet-20240620-v1:0"),
        );
        check(
            "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/us-gov.anthropic.claude-sonnet-4-6",
            Kind::InferenceProfile,
            "aws-us-gov",
            "us-gov-west-1",
            Some("us-gov.anthropic.claude-sonnet-4-6"),
        );
        check(
            "arn:aws-cn:bedrock:cn-north-1:123456789012:application-inference-profile/abc123def456",
            Kind::ApplicationInferenceProfile,
            "aws-cn",
            "cn-north-1",
            None,
        );
        check(
            "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-lite-v1:0:300k/abcdef123456",
            Kind::CustomModel,
            "aws",
            "us-east-1",
            Some("amazon.nova-lite-v1:0:300k"),
        );
        check(
            "arn:aws:bedrock:us-east-1:123456789012:custom-model/imported/abcdef123456",
            Kind::CustomModel,
            "aws",
            "us-east-1",
            None,
        );
        for (resource, kind) in [
            ("provisioned-model/abcdef123456", Kind::ProvisionedModel),
            ("imported-model/abcdef123456", Kind::ImportedModel),
            (
                "custom-model-deployment/abcdef123456",
                Kind::CustomModelDeployment,
            ),
            ("prompt-router/abcdef123456", Kind::PromptRouter),
            (
                "default-prompt-router/anthropic.claude:1",
                Kind::DefaultPromptRouter,
            ),
        ] {
            let text = format!("arn:aws:bedrock:eu-west-1:123456789012:{resource}");
            super::tests::check(&text, Ok((kind, "aws", "eu-west-1", None)));
        }
        check(
            "arn:aws:sagemaker:us-east-1:123456789012:endpoint/my-endpoint",
            Kind::SagemakerEndpoint,
            "aws",
            "us-east-1",
            None,
        );
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        for (text, error) in [
            ("", ArnError::NotAnArn),
            ("claude-sonnet-4-5", ArnError::NotAnArn),
            ("arn:aws:bedrock:us-east-1", ArnError::NotAnArn),
            (
                "arn:gcp:bedrock:us-east-1:123456789012:imported-model/a",
                ArnError::Partition,
            ),
            (
                "arn:aws:s3:us-east-1:123456789012:bucket/a",
                ArnError::Service,
            ),
            (
                "arn:aws:bedrock::123456789012:imported-model/a",
                ArnError::Region,
            ),
            (
                "arn:aws:bedrock:us-east-1:12345:imported-model/a",
                ArnError::Account,
            ),
            (
                "arn:aws:bedrock:us-east-1::imported-model/a",
                ArnError::Account,
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:guardrail/gr1abc",
                ArnError::Resource,
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/",
                ArnError::Resource,
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/a b",
                ArnError::Resource,
            ),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile%2Fabc",
                ArnError::Resource,
            ),
        ] {
            check(text, Err(error));
        }
        check(&format!("arn:{}", "a".repeat(2048)), Err(ArnError::TooLong));
    }
}
