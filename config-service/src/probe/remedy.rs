//! What to do about the failures that administrators run into most often.
//!
//! Errors of Bedrock Runtime: <https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>.

use axum::http::StatusCode;

/// What to do about an error status from Bedrock.
pub(super) fn of_status(
    status: StatusCode,
    exception: &str,
    message: &str,
) -> Option<&'static str> {
    let about = |part: &str| message.contains(part);
    Some(match exception {
        "UnrecognizedClientException" | "InvalidClientTokenId" => {
            "AWS does not know the access key: check `access_key_id`, and that the key is active in the \
             partition of the channel's region."
        }
        "InvalidSignatureException" | "SignatureDoesNotMatch" => {
            "The secret does not belong to the access key, or the clock of this machine is wrong: enter \
             `secret_access_key` again."
        }
        "ExpiredTokenException" | "ExpiredToken" => {
            "The session token has expired: enter new credentials, or let the channel get them from AWS \
             (`assume_role`, `default_chain`)."
        }
        "AccessDeniedException" if about("API Key") || about("Bearer Token") => {
            "The API key is mistyped, revoked, expired or from another region: create one in the \
             channel's region and enter `api_key` again."
        }
        "AccessDeniedException" if about("not authorized to perform") => {
            "Give the identity bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream on the \
             profile and on the foundation models behind it."
        }
        "AccessDeniedException" => {
            "Ask for access to the model in the Bedrock console of this account and region, or use a \
             region that has it."
        }
        "ValidationException" if about("with on-demand throughput isn") => {
            "The model is served only through inference profiles: map it to a profile ARN in \
             `inference_profile_arn_map`, or set `cross_region` to `geo` or `global`."
        }
        "ValidationException" if about("model identifier is invalid") => {
            "The id belongs to another region or account, or is mistyped: compare it with the \
             channel's region."
        }
        "ResourceNotFoundException" => {
            "The profile or model is not in this account and region: compare the ARN with the channel's \
             region and credentials."
        }
        "ThrottlingException" => {
            "The account's quota for the model is used up: wait, request a higher quota, or add \
             another channel to fail over to."
        }
        "UnknownOperationException" => {
            "The model id or ARN is malformed: correct it in the \
         channel's maps."
        }
        _ if status == StatusCode::FORBIDDEN => {
            "AWS refused the credentials: check the key, its permissions and this machine's clock."
        }
        _ if status >= StatusCode::INTERNAL_SERVER_ERROR => {
            "Bedrock has a problem in this region: try again, or use another region."
        }
        _ => return None,
    })
}

/// What to do if a host that is neither AWS's own nor trusted did not answer like Bedrock.
pub(super) const OF_UNKNOWN_HOST: &str = "Check `endpoint`. The config-service's log has the \
    reason; a test shows it only for AWS's own hosts and those in --trusted-endpoints, so that it \
    cannot be used to scan a network.";

/// What to do if there was no connection.
pub(super) const OF_CONNECTION: &str = "Check region and `endpoint`, name resolution, and that \
    HTTPS to AWS is allowed from here; an interface endpoint can be reached only from its VPC.";
