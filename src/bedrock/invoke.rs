//! Operations of Bedrock Runtime and their paths.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::chat::Request;

/// Everything except unreserved characters is percent-encoded, including `/` and `:`, so that an id or ARN is exactly
/// one path segment. The AWS SDKs send the same.
///
/// <https://smithy.io/2.0/spec/http-bindings.html#httplabel-trait>
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An operation of Bedrock Runtime.
///
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `InvokeModel`: one JSON answer.
    Invoke,
    /// `InvokeModelWithResponseStream`: an event stream.
    InvokeWithResponseStream,
    /// `Converse`: one JSON answer, the same for every model.
    Converse,
    /// `ConverseStream`: an event stream, the same for every model.
    ConverseStream,
    /// `CountTokens`: one number.
    CountTokens,
}

impl Operation {
    /// Whether the answer is an event stream.
    #[must_use]
    pub fn is_stream(self) -> bool {
        matches!(self, Self::InvokeWithResponseStream | Self::ConverseStream)
    }

    /// Whether Bedrock's options travel in headers.
    #[must_use]
    pub fn takes_option_headers(self) -> bool {
        matches!(self, Self::Invoke | Self::InvokeWithResponseStream)
    }

    /// `InvokeModel`, streamed if the client wants a stream.
    #[must_use]
    pub fn invoke(request: &Request<'_>) -> Self {
        if request.stream {
            Self::InvokeWithResponseStream
        } else {
            Self::Invoke
        }
    }

    /// `Converse`, streamed if the client wants a stream.
    #[must_use]
    pub fn converse(request: &Request<'_>) -> Self {
        if request.stream {
            Self::ConverseStream
        } else {
            Self::Converse
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Invoke => "invoke",
            Self::InvokeWithResponseStream => "invoke-with-response-stream",
            Self::Converse => "converse",
            Self::ConverseStream => "converse-stream",
            Self::CountTokens => "count-tokens",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())
    }
}

/// The path on the wire for a model id, profile id or ARN.
#[must_use]
pub fn path(model_id: &str, operation: Operation) -> String {
    /// More than there is around an id, and than a usual ARN grows by.
    const ROOM: usize = 64;
    let mut path = String::with_capacity(ROOM + model_id.len());
    path.push_str("/model/");
    path.extend(utf8_percent_encode(model_id, SEGMENT));
    path.push('/');
    path.push_str(operation.verb());
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_arn_is_one_segment() {
        assert_eq!(
            path(
                "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456",
                Operation::Invoke
            ),
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc123def456/invoke"
        );
        assert_eq!(
            path(
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                Operation::InvokeWithResponseStream
            ),
            "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream"
        );
    }

    proptest! {
        #[test]
        fn any_text_stays_one_segment_of_visible_ascii(id in ".*") {
            let path = path(&id, Operation::Invoke);
            prop_assert_eq!(path.matches('/').count(), 3);
            prop_assert!(path.bytes().all(|b| b.is_ascii_graphic()));
        }
    }
}
