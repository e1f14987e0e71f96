use super::*;

/// Checks `status kind code` of the reply.
#[track_caller]
fn check(status: u16, error_type: Option<&str>, body: &str, expected: (u16, ErrorKind, &str)) {
    let status = StatusCode::from_u16(status).unwrap();
    let error = decode_error(status, error_type, body.as_bytes()).reply();
    let (status, kind, code) = expected;
    assert_eq!(
        (error.status.as_u16(), error.kind, error.code),
        (status, kind, Some(code)),
        "{error}"
    );
}

#[test]
fn every_modelled_exception_has_its_reply() {
    use ErrorKind::{InvalidRequest, Permission, RateLimit, Server};
    for (status, exception, expected) in [
        (
            400,
            "ValidationException",
            (400, InvalidRequest, "invalid_request"),
        ),
        (
            400,
            "ServiceQuotaExceededException",
            (429, RateLimit, "quota_exceeded"),
        ),
        (
            403,
            "AccessDeniedException",
            (403, Permission, "access_denied"),
        ),
        (
            404,
            "ResourceNotFoundException",
            (404, InvalidRequest, "model_not_found"),
        ),
        (408, "ModelTimeoutException", (504, Server, "timeout")),
        (424, "ModelErrorException", (502, Server, "model_error")),
        (
            424,
            "ModelStreamErrorException",
            (502, Server, "stream_error"),
        ),
        (
            429,
            "ModelNotReadyException",
            (503, Server, "model_not_ready"),
        ),
        (
            429,
            "ThrottlingException",
            (429, RateLimit, "rate_limit_exceeded"),
        ),
        (
            500,
            "InternalServerException",
            (500, Server, "internal_error"),
        ),
        (
            503,
            "ServiceUnavailableException",
            (503, Server, "service_unavailable"),
        ),
        (
            403,
            "ExpiredTokenException",
            (502, Server, "upstream_authentication_failed"),
        ),
        (
            403,
            "InvalidSignatureException",
            (502, Server, "upstream_authentication_failed"),
        ),
    ] {
        check(status, Some(exception), r#"{"message":"m"}"#, expected);
    }
}

#[test]
fn the_name_is_found_wherever_aws_puts_it() {
    let throttled = (429, ErrorKind::RateLimit, "rate_limit_exceeded");
    let namespaced = "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/";
    check(429, Some(namespaced), "{}", throttled);
    check(
        400,
        None,
        r#"{"__type":"com.amazon.coral#ThrottlingException"}"#,
        throttled,
    );
    check(400, None, r#"{"code":"ThrottlingException"}"#, throttled);
}

#[test]
fn answers_that_are_not_json_are_judged_by_status() {
    for body in [
        "",
        "<html>Service Unavailable 10.0.0.1</html>",
        "[]",
        "null",
    ] {
        let error = decode_error(StatusCode::SERVICE_UNAVAILABLE, None, body.as_bytes()).reply();
        assert_eq!(error.status, 503);
        assert_eq!(error.code, Some("service_unavailable"));
        assert!(!error.message.contains("10.0.0.1"), "{error}");
    }
}

#[test]
fn a_model_error_that_the_request_caused_is_a_400() {
    let body = r#"{"message":"bad","originalStatusCode":400,"resourceName":"arn:aws:x"}"#;
    let expected = (400, ErrorKind::InvalidRequest, "invalid_request");
    check(424, Some("ModelErrorException"), body, expected);
}

#[test]
fn an_overlong_prompt_has_the_code_that_clients_look_for() {
    let body = r#"{"message":"prompt is too long: 210000 tokens > 200000 maximum"}"#;
    let expected = (400, ErrorKind::InvalidRequest, "context_length_exceeded");
    check(400, Some("ValidationException"), body, expected);
    let body = r#"{"message":"Too many tokens, please wait before trying again."}"#;
    let expected = (429, ErrorKind::RateLimit, "rate_limit_exceeded");
    check(429, Some("ThrottlingException"), body, expected);
}

#[test]
fn frequent_errors_carry_a_remedy_and_no_identifier() {
    let body = r#"{"message":"Invocation of model ID anthropic.claude-haiku-4-5 with on-demand throughput isn't supported. See arn:aws:bedrock:us-east-1:123456789012:inference-profile/x."}"#;
    let status = StatusCode::BAD_REQUEST;
    let error = decode_error(status, Some("ValidationException"), body.as_bytes()).reply();
    assert!(
        error.message.contains("inference_profile_arn_map"),
        "{error}"
    );
    assert!(!error.message.contains("123456789012"), "{error}");
}

#[test]
fn exceptions_inside_a_stream_have_the_same_replies() {
    let error = UpstreamError::in_stream("throttlingException", "slow down").reply();
    assert_eq!(error.status, 429);
    assert_eq!(error.code, Some("rate_limit_exceeded"));
    let error = UpstreamError::in_stream("newException", "?").reply();
    assert_eq!(error.status, 502);
    assert_eq!(error.code, Some("bad_gateway"));
    let _ = UpstreamError::in_stream("", "").reply();
}

#[test]
fn a_wrong_api_key_is_a_fault_of_the_channels_credentials() {
    let expected = (502, ErrorKind::Server, "upstream_authentication_failed");
    for message in [
        "Authentication failed: Please make sure your API Key is valid.",
        "Bearer Token has expired",
        "Invalid API Key format: Must start with pre-defined prefix",
    ] {
        let body = format!(r#"{{"Message":"{message}"}}"#);
        check(403, Some("AccessDeniedException"), &body, expected);
    }
}

#[test]
fn a_model_that_the_channel_does_not_serve_is_reported_with_a_remedy() {
    for (status, exception, message, expected, remedy) in [
        (
            403,
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
            (403, ErrorKind::Permission, "access_denied"),
            "(Request access to the model",
        ),
        (
            404,
            "ResourceNotFoundException",
            "This model version has reached the end of its life.",
            (404, ErrorKind::InvalidRequest, "model_not_found"),
            "(Map the name to a newer model",
        ),
        (
            400,
            "ValidationException",
            "The provided model identifier is invalid.",
            (502, ErrorKind::Server, "channel_misconfigured"),
            "a different region from the channel's",
        ),
        (
            400,
            "ValidationException",
            "Access to Anthropic models is not allowed from unsupported countries.",
            (502, ErrorKind::Server, "channel_misconfigured"),
            "ask AWS Support",
        ),
    ] {
        let body = format!(r#"{{"message":"{message}"}}"#);
        check(status, Some(exception), &body, expected);
        let status = StatusCode::from_u16(status).unwrap();
        let error = decode_error(status, Some(exception), body.as_bytes()).reply();
        assert!(error.message.contains(remedy), "{error}");
    }
}

#[test]
fn every_vendors_words_for_too_long_a_prompt_have_the_code() {
    let expected = (400, ErrorKind::InvalidRequest, "context_length_exceeded");
    let message = "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.";
    let body = format!(r#"{{"message":"{message}"}}"#);
    check(400, Some("ValidationException"), &body, expected);
    let error = UpstreamError::in_stream("validationException", message).reply();
    assert_eq!(error.code, Some("context_length_exceeded"));
}
