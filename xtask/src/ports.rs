//! Ports of the six listeners: their defaults, free ones for tests, and whether they are free.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, Result, bail};

/// The range to search for free ports: below the one from which Linux takes local ports for
/// outgoing connections (32768 and up), so that no connection takes a port before its server is
/// up.
const SEARCHED: std::ops::Range<u16> = 20_000..32_000;

/// TCP ports on loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Envoy's listener for clients.
    pub envoy: u16,
    /// Envoy's admin interface.
    pub envoy_admin: u16,
    /// Envoy's statistics, for Prometheus.
    pub envoy_metrics: u16,
    /// The config-service's REST API.
    pub admin_api: u16,
    /// The config-service's xDS (gRPC).
    pub xds: u16,
    /// The local Bedrock simulator.
    pub simulator: u16,
}

impl Ports {
    /// The documented ports, which the files in `envoy/` use.
    pub const DEFAULT: Self = Self {
        envoy: 10_000,
        envoy_admin: 9901,
        envoy_metrics: 9902,
        admin_api: 8080,
        xds: 18_000,
        simulator: 9000,
    };

    /// As many ports that nothing listens on.
    ///
    /// # Errors
    ///
    /// When there are no free ports.
    pub fn free() -> Result<Self> {
        Ok(Self {
            envoy: free_port()?,
            envoy_admin: free_port()?,
            envoy_metrics: free_port()?,
            admin_api: free_port()?,
            xds: free_port()?,
            simulator: free_port()?,
        })
    }
}

/// A loopback port that nothing listens on; a process never gets the same port twice.
///
/// # Errors
///
/// When none of the searched ports is free.
pub fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let span = SEARCHED.end - SEARCHED.start;
    // Processes start searching at different places, so that parallel test runs seldom collide.
    let start = (std::process::id().wrapping_mul(101) % u32::from(span)) as u16;
    (0..span)
        .map(|_| NEXT.fetch_add(1, Ordering::Relaxed) % span)
        .map(|step| SEARCHED.start + (start + step) % span)
        .find(|&port| is_free(port))
        .with_context(|| {
            format!(
                "no free port between {} and {}",
                SEARCHED.start, SEARCHED.end
            )
        })
}

/// Whether nothing listens on `port` on loopback.
#[must_use]
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Checks that the ports are free and different; each comes with the flag that sets it.
///
/// # Errors
///
/// Names every port that is taken, and its flag.
pub fn check_free(ports: &[(u16, &str)]) -> Result<()> {
    let mut faults = Vec::new();
    for (index, &(port, flag)) in ports.iter().enumerate() {
        let earlier = ports.iter().take(index).find(|other| other.0 == port);
        if let Some((_, other)) = earlier {
            faults.push(format!(
                "port {port} is given for both {other} and {flag}; choose another \
                for one of them"
            ));
        } else if !is_free(port) {
            faults.push(format!(
                "port {port} is in use; choose another with {flag} PORT"
            ));
        }
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("; "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_are_free_and_differ() {
        let ports = Ports::free().unwrap();
        let named = [
            (ports.envoy, "--a"),
            (ports.envoy_admin, "--b"),
            (ports.envoy_metrics, "--f"),
            (ports.admin_api, "--c"),
            (ports.xds, "--d"),
            (ports.simulator, "--e"),
        ];
        check_free(&named).unwrap();
    }

    #[test]
    fn a_taken_port_is_named_with_its_flag() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = check_free(&[(port, "--envoy-port")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("port {port} is in use; choose another with --envoy-port PORT")
        );
    }

    #[test]
    fn one_port_for_two_listeners_is_refused() {
        let port = free_port().unwrap();
        let error = check_free(&[(port, "--xds-port"), (port, "--admin-port")]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("both --xds-port and --admin-port")
        );
    }
}
