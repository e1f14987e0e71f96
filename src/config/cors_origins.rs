//! Whose pages may call the gateway from a browser.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Fault;

/// Any origin.
const ANY: &str = "*";

/// What stands for any name below a domain.
const ANY_BELOW: &str = "*.";

/// Most origins.
const MAX_ORIGINS: usize = 100;

/// Longest one, in bytes.
const MAX_LEN: usize = 300;

/// Origins whose pages may call the gateway.
///
/// `https://app.example.com`, `https://*.example.com` for every name below a domain, or `*` for every origin. Without
/// any, no browser shows a page of another origin what the gateway answers.
///
/// <https://fetch.spec.whatwg.org/#http-cors-protocol>
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct CorsOrigins(Vec<CorsOrigin>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct CorsOrigin(String);

/// The text is not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an origin as browsers send it, in lower case, such as `https://app.example.com` or \
     `http://localhost:3000`, without a path and a slash at the end; or `https://*.example.com`, or `*`"
)]
pub struct InvalidCorsOrigin;

impl CorsOrigins {
    /// Whether pages of an origin, as a browser names it, may call the gateway.
    #[must_use]
    pub fn allow(&self, origin: &str) -> bool {
        self.0.iter().any(|own| own.is(origin))
    }

    /// Whether there are none, which need not be said: an older filter does not know the field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with them.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        const FIELD: &str = "/cors_origins";
        if self.0.len() > MAX_ORIGINS {
            let reason = format!("are {} origins; name at most {MAX_ORIGINS}", self.0.len());
            return vec![Fault::new(FIELD, "too_many_cors_origins", reason)];
        }
        let all = self.0.iter().enumerate();
        let wrong = all.filter(|(_, own)| !is_origin(&own.0));
        let faults = wrong.map(|(index, _)| {
            let pointer = format!("{FIELD}/{index}");
            Fault::new(
                pointer,
                "invalid_cors_origin",
                InvalidCorsOrigin.to_string(),
            )
        });
        faults.collect()
    }
}

impl FromIterator<CorsOrigin> for CorsOrigins {
    fn from_iter<I: IntoIterator<Item = CorsOrigin>>(origins: I) -> Self {
        Self(origins.into_iter().collect())
    }
}

impl CorsOrigin {
    fn is(&self, origin: &str) -> bool {
        let Some((scheme, domain)) = self.0.split_once(ANY_BELOW) else {
            return self.0 == ANY || self.0 == origin;
        };
        let host = origin.strip_prefix(scheme);
        let name = host.and_then(|host| host.strip_suffix(domain)?.strip_suffix('.'));
        name.is_some_and(is_host)
    }
}

impl FromStr for CorsOrigin {
    type Err = InvalidCorsOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidCorsOrigin> {
        let own = is_origin(text).then(|| Self(text.to_owned()));
        own.ok_or(InvalidCorsOrigin)
    }
}

fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else {
        return text == ANY;
    };
    let host = host.strip_prefix(ANY_BELOW).unwrap_or(host);
    let (host, port) = split_port(host);
    text.len() <= MAX_LEN
        && is_scheme(scheme)
        && (is_host(host) || is_ipv6(host))
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Host and port; the colons of an IPv6 address are inside brackets.
fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    }
}

/// <https://www.rfc-editor.org/rfc/rfc3986#section-3.1>
fn is_scheme(text: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(is_plain)
}

/// Names, with a dot between each two.
fn is_host(text: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    text.split('.')
        .all(|name| !name.is_empty() && name.bytes().all(is_plain))
}

fn is_ipv6(text: &str) -> bool {
    let inside = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    inside.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(texts: &[&str]) -> CorsOrigins {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn origins_are_compared_as_browsers_send_them() {
        let some = origins(&[
            "https://app.example.com",
            "http://localhost:3000",
            "https://*.example.org",
            "http://*.local:8443",
            "app://obsidian.md",
            "http://[::1]:8000",
        ]);
        for origin in [
            "https://app.example.com",
            "http://localhost:3000",
            "https://a.example.org",
            "https://a.b.example.org",
            "http://a.local:8443",
            "app://obsidian.md",
            "http://[::1]:8000",
        ] {
            assert!(some.allow(origin), "{origin}");
        }
        for origin in [
            "",
            "null",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.example",
            "https://example.org",
            "https://.example.org",
            "https://evilexample.org",
            "https://evil.example/.example.org",
            "https://evil.example?.example.org",
            "https://user@a.example.org",
            "http://a.example.org",
            "http://a.local",
            "http://localhost",
        ] {
            assert!(!some.allow(origin), "{origin}");
            assert!(!CorsOrigins::default().allow(origin), "{origin}");
            assert!(origins(&["*"]).allow(origin), "{origin}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for text in [
            "",
            "null",
            "example.com",
            "https://",
            "https://example.com/",
            "https://example.com/a",
            "https://Example.com",
            "HTTPS://example.com",
            "https://example.com:",
            "https://example.com:http",
            "https://example.com:70000",
            "https://*example.com",
            "https://*.*.example.com",
            "https://a.*.example.com",
            "*://example.com",
            "https://a..b",
            "https://user@example.com",
            "https://[::g]",
            "https://exämple.com",
        ] {
            assert!(text.parse::<CorsOrigin>().is_err(), "{text}");
            let faults = CorsOrigins(vec![CorsOrigin(text.to_owned())]).faults();
            assert_eq!(faults[0].pointer, "/cors_origins/0", "{text}");
        }
        assert_eq!(origins(&["*", "https://a.b:1", "https://*.b"]).faults(), []);
        let many = CorsOrigins(vec![CorsOrigin(ANY.to_owned()); 101]);
        assert_eq!(many.faults()[0].code, "too_many_cors_origins");
    }
}
