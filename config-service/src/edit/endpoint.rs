//! Endpoints that no channel should dial: those of the machine's own metadata.
//!
//! Only what stands in the endpoint is judged; what a name resolves to is known when it is dialled.

use bedrock_filter::endpoint::Endpoint;

use crate::fault::Fault;
use crate::outbound::address;

/// The fault of an endpoint that leads to metadata; texts that are no endpoint have another one.
pub(crate) fn check(endpoint: &str) -> Option<Fault> {
    let parsed = Endpoint::parse(endpoint).ok()?;
    address::is_forbidden_host(parsed.bare_host()).then(|| {
        let message = "leads to a link-local address or a metadata service, which is never Bedrock; \
                       start the config-service with --allow-link-local-endpoints if it is meant";
        Fault::new("/endpoint", "forbidden_endpoint", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_alone_is_judged() {
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
