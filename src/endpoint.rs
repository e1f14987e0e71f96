//! Where a channel's requests go: scheme, host and port, and the name of the Envoy cluster.

mod regions;

pub use regions::{is_region, partition};

use std::fmt;

use regions::{DNS_SUFFIXES, DUAL_STACK_SUFFIXES, suffix_of};

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
    /// Something follows host and port.
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

/// Which of a region's public hosts to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostVariant {
    /// `bedrock-runtime.{region}.…`.
    Standard,
    /// `bedrock-runtime-fips.{region}.…`.
    Fips,
}

impl Endpoint {
    /// The public endpoint of a region, in whichever partition the region is.
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
    /// When it is not an origin, or more than one.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = text.split_once("://").ok_or(EndpointError::NotAnOrigin)?;
        // Case does not matter: <https://www.rfc-editor.org/rfc/rfc3986#section-3.1>.
        let scheme = [Scheme::Https, Scheme::Http]
            .into_iter()
            .find(|own| own.as_str().eq_ignore_ascii_case(scheme))
            .ok_or(EndpointError::NotAnOrigin)?;
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

    /// Host name or address; an IPv6 address is in brackets.
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

    /// The host to connect to: an IPv6 address without the brackets that it has in a URL.
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

    /// Name of the Envoy cluster that connects to this endpoint.
    #[must_use]
    pub fn cluster_name(&self) -> String {
        format!("bedrock|{}|{}|{}", self.scheme(), self.host, self.port)
    }

    /// Whether AWS itself serves Bedrock Runtime here: at a public host of a region, including FIPS and dual-stack
    /// hosts, or at an interface endpoint, over HTTPS on the standard port.
    ///
    /// The whole name has to match, because others can have names of their own below `amazonaws.com`: load balancers,
    /// machines, endpoint services.
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

    /// The service of AWS's whose host this is; `None` for Bedrock Runtime's, and for hosts of others.
    ///
    /// <https://docs.aws.amazon.com/general/latest/gr/bedrock.html>
    #[must_use]
    pub fn other_aws_service(&self) -> Option<&str> {
        let (first, rest) = self.host.split_once('.')?;
        let is_interface = first.starts_with("vpce-");
        let (service, rest) = if is_interface {
            rest.split_once('.')?
        } else {
            (first, rest)
        };
        let (region, suffix) = rest.split_once('.').filter(|(own, _)| is_region(own))?;
        let suffix = if is_interface {
            suffix.strip_prefix("vpce.")?
        } else {
            suffix
        };
        let is_aws = [DNS_SUFFIXES, DUAL_STACK_SUFFIXES]
            .into_iter()
            .any(|suffixes| suffix == suffix_of(region, suffixes));
        let is_runtime = ["bedrock-runtime", "bedrock-runtime-fips"].contains(&service);
        // What customers offer through PrivateLink.
        let is_customers = service.starts_with("vpce-svc-");
        (is_aws && !is_runtime && !is_customers).then_some(service)
    }

    /// The region that the name of an AWS host contains; `None` for any other host.
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
mod tests;
