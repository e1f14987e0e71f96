//! Errors that say that this channel cannot serve the model, whatever the request contains: another channel may.
//!
//! AWS uses the same statuses for them as for a client's faults, so the text decides. It never means a client:
//! clients have no identity at AWS. The texts were seen in the field, and in
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>.

use super::UpstreamError;

/// What keeps a channel from serving a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelFault {
    /// The account or its identity may not use the model, or not yet.
    Account(&'static str),
    /// AWS does not offer such a model, or no longer does.
    Model(&'static str),
    /// The channel has a wrong name for the model, the region or the endpoint.
    Configuration(&'static str),
}

impl ChannelFault {
    /// What the administrator can do about it: a sentence.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Account(remedy) | Self::Model(remedy) | Self::Configuration(remedy) => remedy,
        }
    }
}

/// Parts of messages in lower case, without apostrophes, which are one of two characters.
const TEXTS: [(&[&str], ChannelFault); 11] = [
    (
        &[
            "t have access to the model",
            "not have access to the model",
            "access to this model",
        ],
        ChannelFault::Account(
            "Request access to the model for the channel's account, or leave it off the channel.",
        ),
    ),
    (
        &["marketplace"],
        ChannelFault::Account(
            "Complete the model's AWS Marketplace subscription in the channel's account, and allow \
             aws-marketplace:Subscribe and aws-marketplace:ViewSubscriptions to whoever does.",
        ),
    ),
    (
        &["invalid_payment_instrument"],
        ChannelFault::Account("Give the channel's AWS account a valid payment method."),
    ),
    (
        &["use case details", "use case form"],
        ChannelFault::Account(
            "Submit the model provider's use case form for the channel's account in the Bedrock \
             console.",
        ),
    ),
    (
        &[
            "account is not authorized",
            "account is not allowed",
            "unsupported countries",
        ],
        ChannelFault::Account(
            "AWS does not serve the model to the channel's account; ask AWS Support, or use another \
             account.",
        ),
    ),
    (
        &[
            "is not authorized to perform",
            "explicit deny",
            "service control policy",
        ],
        ChannelFault::Account(
            "The channel's IAM identity needs bedrock:InvokeModel and \
             bedrock:InvokeModelWithResponseStream on the inference profile and on its foundation \
             models; a service control policy or a VPC endpoint policy may deny them.",
        ),
    ),
    (
        &["by provider as legacy", "end of its life", "end of life"],
        ChannelFault::Model("Map the name to a newer model in the channel's model_mapping."),
    ),
    (
        &["could not resolve the foundation model"],
        ChannelFault::Model(
            "Often the model is in a different region from the channel's, or its name is misspelled.",
        ),
    ),
    (
        &["model identifier is invalid"],
        ChannelFault::Configuration(
            "Often the model or profile is in a different region from the channel's, or the channel \
             names it wrongly.",
        ),
    ),
    (
        &["operation not allowed"],
        ChannelFault::Configuration(
            "The channel's account or region does not serve the model; look at the account's model \
             access and at the channel's region.",
        ),
    ),
    (
        &["operation is not recognized by the service"],
        ChannelFault::Configuration(
            "The channel's endpoint is not one of bedrock-runtime; correct it, or leave it out.",
        ),
    ),
];

const ON_DEMAND: ChannelFault = ChannelFault::Configuration(
    "The gateway's administrator can map this model to an inference profile ARN in the channel's \
     inference_profile_arn_map, or set cross_region to geo or global.",
);

/// What is wrong with the channel, if the error says so.
pub(super) fn of(error: &UpstreamError) -> Option<ChannelFault> {
    match error.exception.as_str() {
        "ValidationException" | "AccessDeniedException" | "ResourceNotFoundException" => {}
        "NotAuthorized" | "OptInRequired" | "MPAgreementBeingCreated" | "FTUFormNotFilled" => {}
        "UnknownOperationException" | "" => {}
        _ => return None,
    }
    if error.is_about_on_demand() {
        return Some(ON_DEMAND);
    }
    let message = error.message.to_lowercase();
    let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    let found = TEXTS.iter().find(|(texts, _)| says(texts));
    found.map(|(_, fault)| *fault)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::bedrock::decode_error;

    fn fault(status: u16, exception: &str, message: &str) -> Option<ChannelFault> {
        let body = serde_json::json!({"message": message}).to_string();
        let status = StatusCode::from_u16(status).unwrap();
        decode_error(status, Some(exception), body.as_bytes()).channel_fault()
    }

    #[test]
    fn what_another_channel_may_do_better_is_the_channels_fault() {
        for (status, exception, message) in [
            (
                403,
                "AccessDeniedException",
                "You don't have access to the model with the specified model ID.",
            ),
            (
                403,
                "AccessDeniedException",
                "You don\u{2019}t have access to the model with the specified model ID.",
            ),
            (
                403,
                "AccessDeniedException",
                "User: arn:aws:iam::123456789012:user/x is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/x with an explicit deny in a service control policy",
            ),
            (
                403,
                "AccessDeniedException",
                "User: arn:aws:iam::123456789012:user/x is not authorized to perform: bedrock:InvokeModel because no VPC endpoint policy allows the bedrock:InvokeModel action",
            ),
            (
                403,
                "AccessDeniedException",
                "Model access is denied due to IAM user or service role is not authorized to perform the required AWS Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe).",
            ),
            (
                403,
                "AccessDeniedException",
                "Model access is denied due to INVALID_PAYMENT_INSTRUMENT:A valid payment instrument must be provided.",
            ),
            (
                403,
                "AccessDeniedException",
                "Your account is not authorized to invoke this API operation.",
            ),
            (
                404,
                "ResourceNotFoundException",
                "Model use case details have not been submitted for this account. Fill out the Anthropic use case details form before using the model.",
            ),
            (
                404,
                "ResourceNotFoundException",
                "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 30 days.",
            ),
            (
                404,
                "ResourceNotFoundException",
                "This model version has reached the end of its life. Please refer to the AWS documentation for more details.",
            ),
            (
                404,
                "ResourceNotFoundException",
                "Could not resolve the foundation model from the provided model identifier.",
            ),
            (
                400,
                "ValidationException",
                "The provided model identifier is invalid.",
            ),
            (
                400,
                "ValidationException",
                "Invocation of model ID x with on-demand throughput isn\u{2019}t supported. Retry with an inference profile.",
            ),
            (400, "ValidationException", "Operation not allowed"),
            (
                400,
                "ValidationException",
                "Access to Anthropic models is not allowed from unsupported countries, regions, or territories.",
            ),
            (
                400,
                "UnknownOperationException",
                "The requested operation is not recognized by the service.",
            ),
        ] {
            assert!(fault(status, exception, message).is_some(), "{message}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_request_stays_so() {
        for (status, exception, message) in [
            (
                400,
                "ValidationException",
                "messages: roles must alternate between \"user\" and \"assistant\"",
            ),
            (
                400,
                "ValidationException",
                "prompt is too long: 210000 tokens > 200000 maximum",
            ),
            (
                400,
                "ValidationException",
                "Malformed input request: #: extraneous key [x] is not permitted",
            ),
            (
                400,
                "ValidationException",
                "Output blocked by content filtering policy",
            ),
            (403, "AccessDeniedException", "m"),
            (
                429,
                "ThrottlingException",
                "Your account is not authorized for so many requests",
            ),
            (500, "InternalServerException", "marketplace"),
        ] {
            assert_eq!(fault(status, exception, message), None, "{message}");
        }
    }
}
