//! Envoy's bootstrap: `envoy/envoy.yaml`, or a copy of it, with the addresses of this process.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::launch::Serving;

const TEMPLATE: &str = include_str!("../../../envoy/envoy.yaml");

const ADMIN: &str = "/admin/address/socket_address";
const LISTENER: &str = "/static_resources/listeners/0/address/socket_address";

/// The address in a cluster with one endpoint.
const ENDPOINT: &str =
    "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";

/// Why there is no bootstrap.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The file cannot be read.
    #[error("cannot read --envoy-config {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not YAML.
    #[error("Envoy's bootstrap is not valid YAML: {0}")]
    Syntax(String),
    /// It lacks a part that has to be there.
    #[error("Envoy's bootstrap has no {0}; start from a copy of envoy/envoy.yaml")]
    Missing(String),
}

/// Where Envoy listens, instead of where the bootstrap says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Listening {
    /// For clients.
    pub(super) clients: Option<SocketAddr>,
    /// Its admin interface.
    pub(super) admin: Option<SocketAddr>,
}

/// A bootstrap, and the address of the admin interface in it.
#[derive(Debug)]
pub(super) struct Bootstrap {
    /// JSON, which is also YAML.
    pub(super) text: String,
    pub(super) admin: SocketAddr,
}

/// The bootstrap for an Envoy of this process; `template` replaces `envoy/envoy.yaml`.
pub(super) fn bootstrap(
    template: Option<&str>,
    listening: Listening,
    serving: Serving,
) -> Result<Bootstrap, BootstrapError> {
    let mut document: Value = serde_saphyr::from_str(template.unwrap_or(TEMPLATE))
        .map_err(|error| BootstrapError::Syntax(error.to_string()))?;
    if let Some(clients) = listening.clients {
        set(&mut document, LISTENER, clients)?;
    }
    if let Some(admin) = listening.admin {
        set(&mut document, ADMIN, admin)?;
    }
    let clusters = document.pointer_mut("/static_resources/clusters");
    for cluster in clusters.and_then(Value::as_array_mut).into_iter().flatten() {
        let address = match cluster["name"].as_str() {
            Some("config-service-xds") => serving.xds,
            Some("config-service") => serving.api,
            _ => continue,
        };
        set(cluster, ENDPOINT, loopback(address))?;
    }
    let admin = address(&document, ADMIN)?;
    Ok(Bootstrap {
        text: document.to_string(),
        admin: loopback(admin),
    })
}

/// The address by which this machine reaches a socket that may be bound to every interface.
fn loopback(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip([127, 0, 0, 1].into()),
        IpAddr::V6(ip) if ip.is_unspecified() => {
            address.set_ip(std::net::Ipv6Addr::LOCALHOST.into())
        }
        _ => {}
    }
    address
}

fn set(document: &mut Value, pointer: &str, address: SocketAddr) -> Result<(), BootstrapError> {
    let place = document.pointer_mut(pointer);
    let place = place.ok_or_else(|| BootstrapError::Missing(pointer.to_owned()))?;
    *place = json!({ "address": address.ip(), "port_value": address.port() });
    Ok(())
}

fn address(document: &Value, pointer: &str) -> Result<SocketAddr, BootstrapError> {
    let found = document.pointer(pointer).and_then(|own| {
        let ip = own["address"].as_str()?.parse::<IpAddr>().ok()?;
        let port = u16::try_from(own["port_value"].as_u64()?).ok()?;
        Some(SocketAddr::new(ip, port))
    });
    found.ok_or_else(|| BootstrapError::Missing(pointer.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serving() -> Serving {
        Serving {
            xds: "127.0.0.1:18001".parse().unwrap(),
            api: "0.0.0.0:8081".parse().unwrap(),
        }
    }

    #[test]
    fn the_bootstrap_gets_the_addresses_of_this_process_and_keeps_the_rest() {
        let listening = Listening {
            clients: Some("0.0.0.0:8080".parse().unwrap()),
            admin: None,
        };
        let made = bootstrap(None, listening, serving()).unwrap();
        assert_eq!(made.admin.to_string(), "127.0.0.1:9901");
        let document: Value = serde_json::from_str(&made.text).unwrap();
        let at = |pointer: &str| address(&document, pointer).unwrap().to_string();
        assert_eq!(at(LISTENER), "0.0.0.0:8080");
        let cluster = |index| at(&format!("/static_resources/clusters/{index}{ENDPOINT}"));
        assert_eq!(cluster(0), "127.0.0.1:18001");
        assert_eq!(cluster(1), "127.0.0.1:8081");
        let unchanged: Value = serde_saphyr::from_str(TEMPLATE).unwrap();
        for part in ["node", "overload_manager", "dynamic_resources"] {
            assert_eq!(document[part], unchanged[part]);
        }
    }

    #[test]
    fn a_bootstrap_without_an_admin_interface_is_refused() {
        let bare = bootstrap(
            Some("static_resources: {}"),
            Listening::default(),
            serving(),
        );
        let error = bare.unwrap_err().to_string();
        assert!(error.contains("no /admin/address"), "{error}");
        let broken = bootstrap(Some("{"), Listening::default(), serving());
        assert!(matches!(broken, Err(BootstrapError::Syntax(_))));
    }
}
