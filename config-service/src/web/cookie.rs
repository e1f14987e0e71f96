//! The cookie that carries a session.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Its name.
const NAME: &str = "bedrock_session";

/// The session's id, if the browser sent one.
pub(super) fn read(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == NAME)
        .map(|(_, value)| value)
}

/// Sets the cookie: unreadable for scripts, sent to this site alone, and over HTTPS alone where a proxy
/// in front says that it serves HTTPS.
pub(super) fn set(id: &str, seconds: u64, headers: &HeaderMap) -> (HeaderName, HeaderValue) {
    let secure = match headers.get("x-forwarded-proto") {
        Some(scheme) if scheme == "https" => "; Secure",
        _ => "",
    };
    let text = format!("{NAME}={id}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    let value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    (header::SET_COOKIE, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        assert_eq!(read(&headers), None);
        headers.insert(
            header::COOKIE,
            HeaderValue::from_static("a=b; bedrock_session=xyz; c=d"),
        );
        assert_eq!(read(&headers), Some("xyz"));
    }

    #[test]
    fn it_is_secure_behind_https() {
        let mut headers = HeaderMap::new();
        let text = |headers: &HeaderMap| set("x", 60, headers).1.to_str().unwrap().to_owned();
        assert!(text(&headers).contains("HttpOnly; SameSite=Strict"));
        assert!(!text(&headers).contains("Secure"));
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        assert!(text(&headers).ends_with("; Secure"));
    }
}
