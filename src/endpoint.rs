//! Where a channel's requests go: scheme, host and port, and the Envoy cluster of that name.

use std::fmt;

/// An origin that serves the Bedrock Runtime API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    scheme: Scheme,
    host: String,
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Scheme {
    Http,
    Https,
}

/// Why a text is not an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Neither `https://` nor `http://`, or no host.
    #[error("must be an origin such as https://vpce-….vpce.amazonaws.com or http://127.0.0.1:9000")]
    NotAnOrigin,
    /// Something follows the host and port.
    #[error("must not have a path, query or fragment")]
    Path,
    /// `user:password@host`.
    #[error("must not contain credentials")]
    UserInfo,
}

/// Why a region has no public endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not an AWS region (expected a name such as us-east-1)")]
pub struct UnknownRegion;

/// DNS suffixes by region prefix, the most specific first.
///
/// From botocore's `partitions.json`; see
/// <https://docs.aws.amazon.com/general/latest/gr/bedrock.html>.
const DNS_SUFFIXES: &[(&str, &str)] = &[
    ("cn-", "amazonaws.com.cn"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-", "amazonaws.eu"),
    ("", "amazonaws.com"),
];

/// Suffixes of hosts that are reached over IPv6 too, by region prefix, the most specific first.
///
/// From the same file.
const DUAL_STACK_SUFFIXES: &[(&str, &str)] = &[
    ("cn-", "api.amazonwebservices.com.cn"),
    ("us-isob-", "api.aws.scloud"),
    ("us-isof-", "api.aws.hci.ic.gov"),
    ("us-iso-", "api.aws.ic.gov"),
    ("eu-isoe-", "api.cloud-aws.adc-e.uk"),
    ("eusc-", "api.amazonwebservices.eu"),
    ("", "api.aws"),
];

/// Which of a region's public hosts to dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostVariant {
    /// `bedrock-runtime.{region}.…`.
    Standard,
    /// `bedrock-runtime-fips.{region}.…`.
    Fips,
}

impl Endpoint {
    /// The public endpoint of a region, in whatever partition the region belongs to.
    ///
    /// # Errors
    ///
    /// When `region` does not look like an AWS region.
    pub fn of_region(region: &str, variant: HostVariant) -> Result<Self, UnknownRegion> {
        if !is_region(region) {
            return Err(UnknownRegion);
        }
        let suffix = suffix_of(region, DNS_SUFFIXES);
        let service = match variant {
            HostVariant::Standard => "bedrock-runtime",
            HostVariant::Fips => "bedrock-runtime-fips",
        };
        Ok(Self {
            scheme: Scheme::Https,
            host: format!("{service}.{region}.{suffix}"),
            port: 443,
        })
    }

    /// Parses an origin: `https://host[:port]` or `http://host[:port]`, optionally with a final `/`.
    ///
    /// # Errors
    ///
    /// When it is no origin, or says more than an origin.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::Https, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (Scheme::Http, rest)
        } else {
            return Err(EndpointError::NotAnOrigin);
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        if rest.contains(['/', '?', '#']) {
            return Err(EndpointError::Path);
        }
        let (host, port) = split_port(rest).ok_or(EndpointError::NotAnOrigin)?;
        if !is_host(host) {
            return Err(EndpointError::NotAnOrigin);
        }
        Ok(Self {
            scheme,
            host: host.to_ascii_lowercase(),
            port: port.unwrap_or(scheme.default_port()),
        })
    }

    /// Host name or address; an IPv6 address stands in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the host is an IP address.
    #[must_use]
    pub fn is_address(&self) -> bool {
        self.bare_host().parse::<std::net::IpAddr>().is_ok()
    }

    /// The host as it is dialled: an IPv6 address without the brackets that it has in a URL.
    #[must_use]
    pub fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// `https` or `http`, as in `:scheme`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme.as_str()
    }

    /// The `Host` that goes on the wire and into the signature.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Name of the Envoy cluster that dials this endpoint.
    #[must_use]
    pub fn cluster_name(&self) -> String {
        format!("bedrock|{}|{}|{}", self.scheme(), self.host, self.port)
    }

    /// Whether AWS itself serves Bedrock Runtime here: at a region's public host, FIPS and dual-stack ones
    /// included, or at an interface endpoint, over HTTPS on its usual port.
    ///
    /// A name counts as a whole, because others can have names of their own below `amazonaws.com`: load
    /// balancers, machines, endpoint services.
    ///
    /// <https://docs.aws.amazon.com/general/latest/gr/bedrock.html>,
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-interface-endpoints.html>
    #[must_use]
    pub fn is_aws(&self) -> bool {
        let is_usual = self.is_tls() && self.port == self.scheme.default_port();
        is_usual
            && self
                .aws_region()
                .is_some_and(|region| self.is_aws_in(region))
    }

    fn is_aws_in(&self, region: &str) -> bool {
        let public = suffix_of(region, DNS_SUFFIXES);
        let dual_stack = suffix_of(region, DUAL_STACK_SUFFIXES);
        ["bedrock-runtime", "bedrock-runtime-fips"]
            .iter()
            .any(|service| {
                let own = format!("{service}.{region}.");
                let interface = format!(".{own}vpce.{public}");
                self.host == format!("{own}{public}")
                    || self.host == format!("{own}{dual_stack}")
                    || self
                        .host
                        .strip_suffix(&interface)
                        .is_some_and(|id| id.starts_with("vpce-") && !id.contains('.'))
            })
    }

    /// The region that an AWS host name spells out; `None` for any other host.
    ///
    /// Covers public, FIPS, dual-stack and PrivateLink names
    /// (<https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-interface-endpoints.html>).
    #[must_use]
    pub fn aws_region(&self) -> Option<&str> {
        let (_, after) = self
            .host
            .split_once("bedrock-runtime-fips.")
            .or_else(|| self.host.split_once("bedrock-runtime."))?;
        let (region, suffix) = after.split_once('.')?;
        (is_region(region) && suffix.contains('.')).then_some(region)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority())
    }
}

impl Scheme {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The suffix of a region's hosts in one of the tables.
fn suffix_of(region: &str, suffixes: &'static [(&str, &str)]) -> &'static str {
    let found = suffixes
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix));
    found.map_or("amazonaws.com", |(_, suffix)| suffix)
}

/// Partition of a region, for example `aws`, `aws-cn` or `aws-us-gov`.
#[must_use]
pub fn partition(region: &str) -> &'static str {
    const PARTITIONS: &[(&str, &str)] = &[
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    PARTITIONS
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix))
        .map_or("aws", |(_, partition)| partition)
}

/// Whether a text has the shape of an AWS region: lower-case words and a final number, joined by `-`.
#[must_use]
pub fn is_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else {
        return false;
    };
    let mut count = 0;
    let words_valid = words.split('-').all(|word| {
        count += 1;
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase())
    });
    let number_valid = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    text.len() <= 20 && count >= 2 && words_valid && number_valid
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let port_start = match authority.rfind(']') {
        Some(bracket) => authority.get(bracket..)?.find(':').map(|at| bracket + at),
        None => authority.find(':'),
    };
    let Some(at) = port_start else {
        return Some((authority, None));
    };
    let port = authority
        .get(at + 1..)?
        .parse()
        .ok()
        .filter(|port| *port > 0)?;
    Some((authority.get(..at)?, Some(port)))
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    }
    host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_its_host() {
        for (region, host) in [
            ("us-east-1", "bedrock-runtime.us-east-1.amazonaws.com"),
            (
                "us-gov-west-1",
                "bedrock-runtime.us-gov-west-1.amazonaws.com",
            ),
            ("cn-north-1", "bedrock-runtime.cn-north-1.amazonaws.com.cn"),
            (
                "eusc-de-east-1",
                "bedrock-runtime.eusc-de-east-1.amazonaws.eu",
            ),
            ("us-iso-east-1", "bedrock-runtime.us-iso-east-1.c2s.ic.gov"),
            (
                "us-isob-east-1",
                "bedrock-runtime.us-isob-east-1.sc2s.sgov.gov",
            ),
            (
                "eu-isoe-west-1",
                "bedrock-runtime.eu-isoe-west-1.cloud.adc-e.uk",
            ),
        ] {
            let endpoint = Endpoint::of_region(region, HostVariant::Standard).unwrap();
            assert_eq!(endpoint.authority(), host);
            assert_eq!(endpoint.aws_region(), Some(region));
        }
        let fips = Endpoint::of_region("us-gov-east-1", HostVariant::Fips).unwrap();
        assert_eq!(
            fips.cluster_name(),
            "bedrock|https|bedrock-runtime-fips.us-gov-east-1.amazonaws.com|443"
        );
    }

    #[test]
    fn what_is_no_region_has_no_endpoint() {
        for region in [
            "",
            "us",
            "us-east",
            "us-east-",
            "US-EAST-1",
            "us east-1",
            "1-1",
            "us-1",
            "evil.com/us-1-1",
        ] {
            assert_eq!(
                Endpoint::of_region(region, HostVariant::Standard),
                Err(UnknownRegion),
                "{region}"
            );
        }
    }

    #[test]
    fn origins_are_parsed_and_printed() {
        for (text, authority, cluster) in [
            (
                "https://vpce-0a.bedrock-runtime.eu-west-1.vpce.amazonaws.com/",
                "vpce-0a.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
                "bedrock|https|vpce-0a.bedrock-runtime.eu-west-1.vpce.amazonaws.com|443",
            ),
            (
                "http://127.0.0.1:9000",
                "127.0.0.1:9000",
                "bedrock|http|127.0.0.1|9000",
            ),
            ("HTTPS://a", "", ""),
            (
                "https://Proxy.Example:8443",
                "proxy.example:8443",
                "bedrock|https|proxy.example|8443",
            ),
            ("http://[::1]:9000", "[::1]:9000", "bedrock|http|[::1]|9000"),
            ("http://[::1]", "[::1]", "bedrock|http|[::1]|80"),
        ] {
            let Ok(endpoint) = Endpoint::parse(text) else {
                assert_eq!(authority, "", "{text}");
                continue;
            };
            assert_eq!(endpoint.authority(), authority);
            assert_eq!(endpoint.cluster_name(), cluster);
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        use EndpointError as Error;
        for (text, error) in [
            ("bedrock.example", Error::NotAnOrigin),
            ("ftp://a", Error::NotAnOrigin),
            ("https://", Error::NotAnOrigin),
            ("https://a b", Error::NotAnOrigin),
            ("https://a:0", Error::NotAnOrigin),
            ("https://a:99999", Error::NotAnOrigin),
            ("https://[::1", Error::NotAnOrigin),
            ("https://a..b", Error::NotAnOrigin),
            ("https://user:secret@host", Error::UserInfo),
            ("https://a/path", Error::Path),
            ("https://a?x=1", Error::Path),
        ] {
            assert_eq!(Endpoint::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn only_whole_names_over_https_are_aws_itself() {
        for (text, is_aws) in [
            ("https://bedrock-runtime.us-east-1.amazonaws.com", true),
            (
                "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com",
                true,
            ),
            ("https://bedrock-runtime.us-east-1.api.aws", true),
            ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn", true),
            (
                "https://vpce-0a-1b-us-east-1a.bedrock-runtime.us-east-1.vpce.amazonaws.com",
                true,
            ),
            (
                "https://vpce-0a.bedrock-runtime-fips.us-east-1.vpce.amazonaws.com:443/",
                true,
            ),
            ("http://bedrock-runtime.us-east-1.amazonaws.com", false),
            (
                "https://bedrock-runtime.us-east-1.amazonaws.com:8443",
                false,
            ),
            ("https://bedrock-runtime.us-east-1.amazonaws.com.cn", false),
            ("https://bedrock-runtime.us-east-1.evil.example", false),
            ("https://x.bedrock-runtime.us-east-1.amazonaws.com", false),
            (
                "https://evil-bedrock-runtime.us-east-1.amazonaws.com",
                false,
            ),
            (
                "https://vpce-0a.vpce-svc-0b.us-east-1.vpce.amazonaws.com",
                false,
            ),
            (
                "https://a.vpce-0a.bedrock-runtime.us-east-1.vpce.amazonaws.com",
                false,
            ),
            ("https://bedrock-runtime.us-east-1.elb.amazonaws.com", false),
            ("http://127.0.0.1:9000", false),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().is_aws(), is_aws, "{text}");
        }
    }

    #[test]
    fn the_region_is_read_off_aws_hosts_only() {
        for (text, region) in [
            (
                "https://bedrock-runtime-fips.us-west-2.amazonaws.com",
                Some("us-west-2"),
            ),
            (
                "https://bedrock-runtime.us-west-2.api.aws",
                Some("us-west-2"),
            ),
            (
                "https://vpce-1-2.bedrock-runtime.us-west-2.vpce.amazonaws.com",
                Some("us-west-2"),
            ),
            ("https://bedrock.corp.internal", None),
            ("http://127.0.0.1:9000", None),
        ] {
            assert_eq!(
                Endpoint::parse(text).unwrap().aws_region(),
                region,
                "{text}"
            );
        }
    }
}
