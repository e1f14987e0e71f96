//! Endpoints that no channel should dial: those of the machine's own metadata.
//!
//! Envoy and the config-service run on machines whose cloud hands out credentials at link-local
//! addresses. An administrator of channels needs not be one of the machine. Only what stands in the
//! endpoint is judged; what a name resolves to is not known here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bedrock_filter::endpoint::Endpoint;

use crate::fault::Fault;

/// Names of metadata services:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>,
/// <https://cloud.google.com/compute/docs/metadata/querying-metadata>.
const METADATA_NAMES: [&str; 5] = [
    "instance-data",
    "instance-data.ec2.internal",
    "metadata",
    "metadata.goog",
    "metadata.google.internal",
];

/// A metadata service of Azure that is not link-local:
/// <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>.
const AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// First two groups of the addresses of EC2's metadata, time and credential services in IPv6.
const EC2_PREFIX: [u16; 2] = [0xfd00, 0x0ec2];

/// The fault of an endpoint that leads to metadata; texts that are no endpoint have another one.
pub(crate) fn check(endpoint: &str) -> Option<Fault> {
    let parsed = Endpoint::parse(endpoint).ok()?;
    is_forbidden(parsed.bare_host()).then(|| {
        let message = "leads to a link-local address or a metadata service, which is never Bedrock; \
                       start the config-service with --allow-link-local-endpoints if it is meant";
        Fault::new("/endpoint", "forbidden_endpoint", message)
    })
}

fn is_forbidden(host: &str) -> bool {
    match host.parse() {
        Ok(IpAddr::V4(address)) => is_forbidden_v4(address),
        Ok(IpAddr::V6(address)) => is_forbidden_v6(address),
        Err(_) => is_odd_number(host) || METADATA_NAMES.contains(&host),
    }
}

fn is_forbidden_v4(address: Ipv4Addr) -> bool {
    address.is_link_local() || address.is_unspecified() || address == AZURE
}

fn is_forbidden_v6(address: Ipv6Addr) -> bool {
    let embedded = address
        .to_ipv4_mapped()
        .or_else(|| well_known_nat64(address));
    let groups = address.segments();
    embedded.is_some_and(is_forbidden_v4)
        || address.is_unicast_link_local()
        || address.is_unspecified()
        || groups.starts_with(&EC2_PREFIX)
}

/// The IPv4 address in `64:ff9b::/96` (RFC 6052).
fn well_known_nat64(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() else {
        return None;
    };
    Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
}

/// Whether resolvers may read a host as an address though it is not written like one: `0xa9fea9fe`,
/// `2852039166`, `169.254.43518`. No public name ends in a number (RFC 3696, section 2).
fn is_odd_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let hexadecimal = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    digits(last) || last.strip_prefix("0x").is_some_and(hexadecimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_all(endpoints: &[&str], expected: bool) {
        for endpoint in endpoints {
            assert_eq!(check(endpoint).is_some(), expected, "{endpoint}");
        }
    }

    #[test]
    fn metadata_is_out_of_reach() {
        check_all(
            &[
                "http://169.254.169.254",
                "http://169.254.170.2:80",
                "https://169.254.170.23/",
                "http://[fe80::1]",
                "http://[febf::1]:8080",
                "http://[fd00:ec2::254]",
                "http://[fd00:ec2::23]",
                "http://[::ffff:169.254.169.254]",
                "http://[64:ff9b::a9fe:a9fe]",
                "http://[::]",
                "http://0.0.0.0",
                "http://168.63.129.16",
                "http://METADATA.google.internal",
                "http://instance-data",
                "http://instance-data.ec2.internal",
                "http://2852039166",
                "http://0xa9fea9fe",
                "http://0xA9.254.169.0xfe",
                "http://169.254.43518",
                "http://0251.0376.0251.0376",
            ],
            true,
        );
    }

    #[test]
    fn everything_else_may_be_dialled() {
        check_all(
            &[
                "https://bedrock-runtime.us-east-1.amazonaws.com",
                "https://vpce-0a1b2c-d3e4f5.bedrock-runtime.us-east-1.vpce.amazonaws.com",
                "http://127.0.0.1:9000",
                "http://localhost:9000",
                "http://simulator:9000",
                "http://10.0.0.7",
                "https://169.253.1.1",
                "https://[fd00:ec3::1]",
                "https://[::1]:8443",
                "https://bedrock.corp.internal:8443",
                "https://host-7.example.c0",
                "not an endpoint",
            ],
            false,
        );
    }
}
