//! Refuses endpoints that no channel should dial: the machine's own metadata service.
//!
//! Only the endpoint's text is checked here; what a name resolves to is checked when it is dialled.

use bedrock_filter::endpoint::Endpoint;

use crate::fault::Fault;
use crate::outbound::address;

/// The fault for an endpoint that leads to a metadata service; invalid endpoints have another one.
pub(crate) fn check(endpoint: &str) -> Option<Fault> {
    let parsed = Endpoint::parse(endpoint).ok()?;
    address::is_forbidden_host(parsed.bare_host()).then(|| {
        let message = "leads to a link-local address or a metadata service, which is never \
            Bedrock; if this is intended, start the config-service with \
            --allow-link-local-endpoints";
        Fault::new("/endpoint", "forbidden_endpoint", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_is_checked() {
        for (endpoint, is_forbidden) in [
            ("http://[::ffff:169.254.169.254]:8080/", true),
            ("http://METADATA.google.internal", true),
            ("https://[2002:a9fe:a9fe::1]", true),
            ("http://100.100.100.200", true),
            ("https://[::1]:8443", false),
            ("https://bedrock-runtime.us-east-1.amazonaws.com", false),
            ("not an endpoint", false),
        ] {
            assert_eq!(check(endpoint).is_some(), is_forbidden, "{endpoint}");
        }
    }
}
