//! The cookies: one carries a session, the other belongs to the login form.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Carries the id of a session.
pub(super) const SESSION: &str = "bedrock_session";

/// Must match the login form; another site can neither read nor set it.
pub(super) const LOG_IN: &str = "bedrock_login";

/// The value that the browser sent for a cookie.
pub(super) fn read<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// Sets a cookie that scripts cannot read, and which is sent only to this site; only over HTTPS if a
/// proxy in front says that it serves HTTPS.
pub(super) fn set(
    name: &str,
    text: &str,
    seconds: u64,
    headers: &HeaderMap,
) -> (HeaderName, HeaderValue) {
    let secure = match headers.get("x-forwarded-proto") {
        Some(scheme) if scheme == "https" => "; Secure",
        _ => "",
    };
    let cookie =
        format!("{name}={text}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    let value = HeaderValue::try_from(cookie).unwrap_or(HeaderValue::from_static(""));
    (header::SET_COOKIE, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        assert_eq!(read(&headers, SESSION), None);
        headers.insert(
            header::COOKIE,
            HeaderValue::from_static("a=b; bedrock_session=xyz; c=d"),
        );
        assert_eq!(read(&headers, SESSION), Some("xyz"));
        assert_eq!(read(&headers, LOG_IN), None);
    }

    #[test]
    fn it_is_secure_behind_https() {
        let mut headers = HeaderMap::new();
        let text = |headers: &HeaderMap| {
            set(SESSION, "x", 60, headers)
                .1
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert!(text(&headers).contains("HttpOnly; SameSite=Strict"));
        assert!(!text(&headers).contains("Secure"));
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        assert!(text(&headers).ends_with("; Secure"));
    }
}
