//! The canonical request and the string to sign of SigV4.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};

use crate::wire::WireRequest;

/// Everything but the unreserved characters of RFC 3986.
const ENCODE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const ENCODE_PATH: &AsciiSet = &ENCODE.remove(b'/');

/// The canonical request over `signed`, the signed header names in order.
pub(super) fn canonical_request(request: &WireRequest, signed: &[&str]) -> String {
    let headers: String = signed
        .iter()
        .map(|name| format!("{name}:{}\n", canonical_value(request, name)))
        .collect();
    [
        request.method.as_str(),
        &canonical_uri(&request.path),
        &canonical_query(&request.query),
        &headers,
        &signed.join(";"),
        &sha256_hex(&request.body),
    ]
    .join("\n")
}

/// What the signature is computed over.
pub(super) fn string_to_sign(amz_date: &str, scope: &str, canonical_request: &str) -> String {
    let hash = sha256_hex(canonical_request.as_bytes());
    format!("{}\n{amz_date}\n{scope}\n{hash}", super::ALGORITHM)
}

/// Lower-case hexadecimal SHA-256.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The wire path percent-encoded once more: every service but S3 does that.
fn canonical_uri(path: &str) -> String {
    percent_encode(path.as_bytes(), ENCODE_PATH).to_string()
}

fn canonical_query(query: &str) -> String {
    let encode = |text: &str| {
        let plain: Vec<u8> = percent_decode_str(text).collect();
        percent_encode(&plain, ENCODE).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(name), encode(value))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
    pairs.join("&")
}

/// Values trimmed, inner runs of spaces collapsed, repeated headers joined.
fn canonical_value(request: &WireRequest, name: &str) -> String {
    let values: Vec<String> = request
        .values(name)
        .map(|value| value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    values.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_encoded_once_more_and_keeps_its_slashes() {
        assert_eq!(
            canonical_uri("/model/a%3A0/invoke"),
            "/model/a%253A0/invoke"
        );
        assert_eq!(canonical_uri("/model/a:0/invoke"), "/model/a%3A0/invoke");
    }

    #[test]
    fn the_query_is_sorted_and_encoded_once() {
        assert_eq!(canonical_query("b=%2f&a&c=x y"), "a=&b=%2F&c=x%20y");
        assert_eq!(canonical_query(""), "");
    }
}
