//! What is said about keys, and about what people paste in their place.

use super::*;

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// Each note as `pointer code`, faults first; none has a value in it.
fn told(notes: KeyNotes, secrets: &[&str]) -> Vec<String> {
    let all = notes.faults.into_iter().chain(notes.warnings);
    all.map(|note| {
        for secret in secrets.iter().filter(|own| own.len() > 4) {
            assert!(!note.message.contains(secret), "{note}");
        }
        format!("{} {}", note.pointer, note.code)
    })
    .collect()
}

#[track_caller]
fn check(id: &str, secret: &str, token: Option<&str>, expected: &[&str]) {
    let token_secret = token.map(Secret::new);
    let notes = KeyNotes::of_access_key(id, &Secret::new(secret), token_secret.as_ref());
    let seen = told(notes, &[id, secret, token.unwrap_or_default()]);
    assert_eq!(seen, expected, "{id} {secret}");
}

#[track_caller]
fn check_api_key(key: &str, expected: &[&str]) {
    let notes = KeyNotes::of_api_key(&Secret::new(key), "us-east-1");
    assert_eq!(told(notes, &[key]), expected, "{key}");
}

#[test]
fn sound_keys_have_no_notes() {
    check(ID, SECRET, None, &[]);
    check("ASIAIOSFODNN7EXAMPLE", SECRET, Some("AQoDYXdzEPT/wE="), &[]);
    // Keys of something else that speaks like AWS.
    check("AKIDEXAMPLE", "the-secret-half", Some("token"), &[]);
    check("minioadmin", "minioadmin", None, &[]);
    check_api_key(
        "ABSKQmVkcm9ja0FQSUtleS1leGFtcGxlLWF0LTEyMzQ1Njc4OTAxMjpzZWNyZXQ=",
        &[],
    );
    check_api_key("bedrock-api-key-EXAMPLE", &[]);
}

#[test]
fn masks_and_placeholders_are_no_keys() {
    let fault = "/secret_access_key masked_key";
    for secret in [
        "****",
        "AKIA****",
        "••••••••",
        "wJalr…KEY",
        "wJalr...EY",
        "[redacted]",
        "<your-secret>",
        "REDACTED",
        "$AWS_SECRET_ACCESS_KEY",
        "${AWS_SECRET_ACCESS_KEY}",
        "{{ secret }}",
        "%SECRET%",
        "xxxxxxxx",
        "--------",
    ] {
        check(ID, secret, None, &[fault]);
    }
    check(
        "AKIA************",
        SECRET,
        None,
        &["/access_key_id masked_key"],
    );
    check(ID, SECRET, Some("****"), &["/session_token masked_key"]);
    check_api_key("ABSK****", &["/api_key masked_key"]);
}

#[test]
fn what_was_pasted_along_is_refused() {
    let fault = "/secret_access_key pasted_key";
    let (name, joined) = (
        format!("AWS_SECRET_ACCESS_KEY={SECRET}"),
        format!("{ID}|{SECRET}|us-east-1"),
    );
    for secret in [
        format!("\"{SECRET}\""),
        format!("'{SECRET}'"),
        format!("{SECRET}\""),
        format!("“{SECRET}”"),
        name.clone(),
        format!("export {name}"),
        format!("aws_secret_access_key = {SECRET}"),
        format!("\"SecretAccessKey\": \"{SECRET}\""),
        format!("secretAccessKey:{SECRET}"),
        joined,
        format!("{SECRET},"),
    ] {
        check(ID, &secret, None, &[fault]);
    }
    check(
        &format!("AWS_ACCESS_KEY_ID={ID}"),
        SECRET,
        None,
        &["/access_key_id pasted_key"],
    );
    check(
        &format!("{ID},"),
        SECRET,
        None,
        &["/access_key_id pasted_key"],
    );
    check(
        ID,
        SECRET,
        Some("AWS_SESSION_TOKEN=AQoD"),
        &["/session_token pasted_key"],
    );
    for key in [
        "\"ABSKexample\"",
        "AWS_BEARER_TOKEN_BEDROCK=ABSKexample=",
        "Bearer ABSKexample",
        "Authorization: Bearer ABSKexample",
        "ABSKexample|us-east-1",
    ] {
        check_api_key(key, &["/api_key pasted_key"]);
    }
}

#[test]
fn keys_in_each_others_place_are_refused() {
    check(
        SECRET,
        ID,
        None,
        &[
            "/access_key_id swapped_keys",
            "/secret_access_key swapped_keys",
        ],
    );
    check(ID, ID, None, &["/secret_access_key swapped_keys"]);
    let api_key = "ABSKQmVkcm9ja0FQSUtleS1leGFtcGxlLWF0LTEyMzQ1Njc4OTAxMg";
    check(ID, api_key, None, &["/secret_access_key wrong_kind_of_key"]);
    check(api_key, SECRET, None, &["/access_key_id wrong_kind_of_key"]);
    check_api_key(ID, &["/api_key wrong_kind_of_key"]);
}

#[test]
fn what_hardly_works_is_warned_of() {
    let (id, secret) = (
        "/access_key_id unusual_key",
        "/secret_access_key unusual_key",
    );
    check(
        "ASIAIOSFODNN7EXAMPLE",
        SECRET,
        None,
        &["/session_token missing_session_token"],
    );
    check(
        ID,
        SECRET,
        Some("AQoD"),
        &["/session_token unneeded_session_token"],
    );
    check("AIDAIOSFODNN7EXAMPLE", SECRET, None, &[id]);
    check("AROAIOSFODNN7EXAMPLE", SECRET, None, &[id]);
    check("akiaiosfodnn7example", SECRET, None, &[id]);
    check("AKIAIOSFODNN7", SECRET, None, &[id]);
    check(ID, "x", None, &[secret]);
    check("AKIDEXAMPLE", "x", None, &[secret]);
    check(ID, &SECRET[..39], None, &[secret]);
    check(ID, &SECRET.replace('/', "%2F"), None, &[secret]);
    for key in ["sk-proj-abcdefghijklmnop", "eyJhbGciOi", SECRET, "k"] {
        check_api_key(key, &["/api_key unusual_key"]);
    }
}

#[test]
fn a_short_term_key_is_for_one_region() {
    let key = |region: &str| {
        let url = format!(
            "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256&\
             X-Amz-Credential={ID}%2F20261129%2F{region}%2Fbedrock%2Faws4_request&X-Amz-Expires=43200&Version=1"
        );
        format!("bedrock-api-key-{}", STANDARD.encode(url))
    };
    check_api_key(&key("us-east-1"), &[]);
    check_api_key(&key("eu-west-1"), &["/api_key other_region"]);
}
