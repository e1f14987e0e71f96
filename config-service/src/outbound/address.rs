//! Classifies addresses: this machine, a private network, a cloud's metadata service.
//!
//! Envoy and the config-service run on machines whose cloud hands out credentials at link-local
//! addresses. Whoever administers channels does not necessarily administer the machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

/// Metadata services that are not link-local: Azure's, Alibaba Cloud's, Oracle Cloud's, in this order.
///
/// <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>,
/// <https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata>,
/// <https://docs.oracle.com/en-us/iaas/Content/Compute/Tasks/gettingmetadata.htm>
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The same for IPv6: Google Cloud's, Oracle Cloud's.
///
/// <https://cloud.google.com/compute/docs/metadata/querying-metadata>,
/// <https://docs.oracle.com/en-us/iaas/Content/Compute/Tasks/gettingmetadata.htm>
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd00, 0x00c1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
];

/// First two groups of the IPv6 addresses of EC2's metadata, time and credential services.
const EC2_PREFIX: [u16; 2] = [0xfd00, 0x0ec2];

/// Whether an endpoint's host, as written, leads to a metadata service or a link-local address.
///
/// What a name resolves to is checked only when it is dialled: see [`is_forbidden`].
pub(crate) fn is_forbidden_host(host: &str) -> bool {
    match host.parse() {
        Ok(address) => is_forbidden(address),
        Err(_) => is_odd_number(host) || METADATA_NAMES.contains(&host),
    }
}

/// Whether an address is a metadata service's or link-local, in whatever form.
pub(crate) fn is_forbidden(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_forbidden_v4(address),
        IpAddr::V6(address) => is_forbidden_v6(address),
    }
}

/// Whether a host is this machine, judging by its name or address.
pub(crate) fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        // RFC 6761, section 6.3.
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Whether a host is this machine or an address that no public network routes.
pub(crate) fn is_private(host: &str) -> bool {
    let address = host.parse::<IpAddr>().map(|address| address.to_canonical());
    is_loopback(host)
        || match address {
            Ok(IpAddr::V4(address)) => {
                address.is_private() || address.is_link_local() || is_shared(address)
            }
            Ok(IpAddr::V6(address)) => address.is_unique_local() || address.is_unicast_link_local(),
            Err(_) => false,
        }
}

/// `100.64.0.0/10` (RFC 6598), which clusters use for pods.
fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0b1100_0000 == 64
}

fn is_forbidden_v4(address: Ipv4Addr) -> bool {
    address.is_link_local() || address.is_unspecified() || METADATA_V4.contains(&address)
}

fn is_forbidden_v6(address: Ipv6Addr) -> bool {
    address.is_unicast_link_local()
        || address.is_unspecified()
        || address.segments().starts_with(&EC2_PREFIX)
        || METADATA_V6.contains(&address)
        || embedded(address).is_some_and(is_forbidden_v4)
}

/// The IPv4 address that an IPv6 address contains, in any of the forms that hosts and gateways
/// understand.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        // Mapped and translated (RFC 4291, section 2.5.5.2; RFC 2765, section 2.1).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => (high, low),
        // Compatible (RFC 4291, section 2.5.5.1). Loopback is not one of them.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => (high, low),
        // Behind a translator, with its well-known prefix or a local one (RFC 6052, RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => {
            (high, low)
        }
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => (high, low),
        // Teredo (RFC 4380), which inverts the address.
        [0x2001, 0, _, _, _, _, high, low] => (!high, !low),
        _ => return None,
    };
    Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
}

/// Whether resolvers may read a host as an address although it is not written like one: `0xa9fea9fe`,
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
    fn check_all(hosts: &[&str], is: fn(&str) -> bool, expected: bool) {
        for host in hosts {
            assert_eq!(is(host), expected, "{host}");
        }
    }

    #[test]
    fn metadata_services_are_out_of_reach() {
        check_all(
            &[
                "169.254.169.254",
                "169.254.170.2",
                "fe80::1",
                "febf::1",
                "fd00:ec2::254",
                "fd00:ec2::23",
                "fd20:ce::254",
                "fd00:c1::a9fe:a9fe",
                "::ffff:169.254.169.254",
                "::ffff:0:a9fe:a9fe",
                "::169.254.169.254",
                "::100.100.100.200",
                "64:ff9b::a9fe:a9fe",
                "64:ff9b:1:2:3::a9fe:a9fe",
                "2002:a9fe:a9fe::1",
                "2002:6464:64c8::",
                "2001:0:1:2:3:4:5601:5601",
                "::",
                "0.0.0.0",
                "168.63.129.16",
                "100.100.100.200",
                "192.0.0.192",
                "::ffff:192.0.0.192",
                "metadata.google.internal",
                "instance-data",
                "instance-data.ec2.internal",
                "2852039166",
                "0xa9fea9fe",
                "0xa9.254.169.0xfe",
                "169.254.43518",
                "0251.0376.0251.0376",
            ],
            is_forbidden_host,
            true,
        );
    }

    #[test]
    fn everything_else_may_be_dialled() {
        check_all(
            &[
                "bedrock-runtime.us-east-1.amazonaws.com",
                "127.0.0.1",
                "localhost",
                "simulator",
                "10.0.0.7",
                "100.64.0.1",
                "100.100.100.201",
                "192.0.0.193",
                "169.253.1.1",
                "fd00:ec3::1",
                "fd20:ce::255",
                "::1",
                "::127.0.0.1",
                "::ffff:10.0.0.7",
                "2002:a00:7::1",
                "2001:db8::a9fe:a9fe",
                "bedrock.corp.internal",
                "host-7.example.c0",
            ],
            is_forbidden_host,
            false,
        );
    }

    #[test]
    fn loopback_is_recognised_by_its_address_or_reserved_name() {
        let own = [
            "127.0.0.1",
            "127.9.8.7",
            "::1",
            "::ffff:127.0.0.1",
            "localhost",
            "a.localhost",
        ];
        check_all(&own, is_loopback, true);
        let others = [
            "10.0.0.1",
            "::2",
            "localhost.example",
            "notlocalhost",
            "simulator",
        ];
        check_all(&others, is_loopback, false);
    }

    #[test]
    fn private_addresses_are_those_that_no_public_network_routes() {
        let private = [
            "localhost",
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "fd00::1",
            "fc00::1",
            "::1",
            "::ffff:10.0.0.1",
        ];
        check_all(&private, is_private, true);
        let public = [
            "11.0.0.1",
            "172.32.0.1",
            "192.0.2.1",
            "100.128.0.0",
            "2001:db8::1",
            "simulator",
            "bedrock.corp.internal",
        ];
        check_all(&public, is_private, false);
    }
}
