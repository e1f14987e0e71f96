//! Where STS is, if not where AWS has it.

use reqwest::Url;

/// Reads the URL of an endpoint; empty is as good as none.
///
/// # Errors
///
/// When AWS's SDK could not call it, or would leave parts of it out.
pub(super) fn endpoint(text: &str) -> Result<String, String> {
    const EXPECTED: &str = "an endpoint is the URL of a host over https, or http on this machine, such as \
                            https://sts.eu-west-1.amazonaws.com";
    let url = || {
        let url = Url::parse(text).ok()?;
        let is_http = ["http", "https"].contains(&url.scheme());
        let is_bare = url.query().is_none() && url.fragment().is_none();
        let is_open = url.username().is_empty() && url.password().is_none();
        (is_http && url.has_host() && is_bare && is_open).then_some(())
    };
    match url() {
        Some(()) => Ok(text.to_owned()),
        None if text.is_empty() => Ok(String::new()),
        None => Err(EXPECTED.to_owned()),
    }
}

/// Whether what STS answers, credentials among it, would be in plain text beyond this machine.
pub(super) fn is_in_plain_text(endpoint: &str) -> bool {
    let url = Url::parse(endpoint).ok();
    url.is_some_and(|url| {
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let address = bare.parse::<std::net::IpAddr>();
        let is_local = host == "localhost" || address.is_ok_and(|own| own.is_loopback());
        url.scheme() == "http" && !is_local
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_the_url_of_a_host() {
        for good in [
            "",
            "https://sts.eu-west-1.amazonaws.com",
            "http://127.0.0.1:4566/",
            "https://proxy.example/sts",
        ] {
            assert_eq!(endpoint(good).as_deref(), Ok(good));
        }
        for bad in [
            "file:///etc/passwd",
            "sts.amazonaws.com",
            "https://",
            "ftp://sts.example",
            "https://user:hush@sts.example",
            "https://sts.example?x=hush",
            "https://sts.example#x",
        ] {
            let error = endpoint(bad).unwrap_err();
            assert!(error.contains("such as https://"), "{bad}");
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn plain_text_is_for_this_machine() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:4566", false),
            ("http://[::1]:4566", false),
            ("http://localhost", false),
            ("https://sts.example", false),
            ("http://sts.example", true),
            ("http://10.0.0.1", true),
        ] {
            assert_eq!(is_in_plain_text(endpoint), expected, "{endpoint}");
        }
    }
}
