//! The parameters, checked and with their defaults.

use std::net::IpAddr;

use bedrock_filter::config::Generation;
use bedrock_filter::endpoint::{Endpoint, HostVariant};
use serde_json::{Map, Value, json};

use super::accepted::{is_gateway, is_label, is_label_key, is_label_value};
use super::source::{Module, Other, Source, other, source};
use super::target::{Context, InvalidTarget, Limits, Mode, Sharing, Target};
use crate::cluster::{Cluster, Host, Transport};
use crate::filter_code::FilterCode;

/// How a manifest is made.
#[derive(Debug)]
pub struct Plan {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) workload: Workload,
    pub(super) context: Context,
    pub(super) sharing: Sharing,
    pub(super) source: Source,
    /// The module before or after.
    pub(super) other: Option<Other>,
    pub(super) way: Way,
    pub(super) limits: Limits,
    pub(super) seal_secret: String,
    /// Clusters for endpoints that no channel uses yet.
    pub(super) in_advance: Vec<Cluster>,
}

/// The workload that a manifest is for.
#[derive(Debug)]
pub(super) enum Workload {
    /// By its labels.
    Labels(Map<String, Value>),
    /// That of a `Gateway` of the Gateway API.
    Gateway(String),
}

/// Who makes the way to Bedrock.
#[derive(Debug)]
pub(super) enum Way {
    /// The manifest adds clusters and routes to Envoy's configuration.
    Clusters,
    /// Istio does, for these gateways.
    Routes(Parents),
}

/// To what Istio's routes are bound.
#[derive(Debug)]
pub(super) enum Parents {
    /// `VirtualService`s, to Istio's gateways or the mesh.
    Gateways(Vec<String>),
    /// `HTTPRoute`s, to a gateway of the Gateway API.
    Gateway(String),
}

impl Plan {
    /// Checks the parameters.
    ///
    /// # Errors
    ///
    /// At the first that cannot be used.
    pub fn new(target: &Target, code: &FilterCode) -> Result<Self, InvalidTarget> {
        target.check_lines()?;
        let name = label("name", target.name.as_deref(), "bedrock")?;
        let namespace = label("namespace", target.namespace.as_deref(), "istio-system")?;
        let seal_secret = target.seal_secret.as_deref();
        Ok(Self {
            name,
            namespace,
            workload: workload(target)?,
            context: target.context,
            sharing: match target.context {
                Context::Gateway => target.sharing,
                Context::Sidecar => Sharing::Shared,
            },
            source: source(target, code)?,
            other: other(target, code)?,
            way: way(target)?,
            limits: limits(target)?,
            seal_secret: label("seal_secret", seal_secret, "bedrock-seal-key")?,
            in_advance: in_advance(target.endpoints.as_deref().unwrap_or_default())?,
        })
    }

    /// The generation of the pools in a copy, which follows from its module; `None` where the manifest has no pools, or
    /// those of this service.
    #[must_use]
    pub fn generation(&self) -> Option<Generation> {
        match (&self.source, &self.way) {
            (Source::Copy(module), Way::Clusters) => Some(module.generation()),
            _ => None,
        }
    }

    /// The modules of a copy's filters on pools, each with the generation of its pools.
    pub(super) fn stages(&self) -> Vec<(Generation, &Module)> {
        let Source::Copy(module) = &self.source else {
            return Vec::new();
        };
        let other = self.other.as_ref();
        let other = other.map(|own| (own.generation, &own.module));
        [(module.generation(), module)]
            .into_iter()
            .chain(other)
            .collect()
    }

    /// Whether the gateway gets its channels from this service.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.source, Source::Live(_))
    }
}

fn label(
    parameter: &'static str,
    value: Option<&str>,
    default: &str,
) -> Result<String, InvalidTarget> {
    let value = value.unwrap_or(default);
    let expected = "lower-case letters, digits and hyphens, at most 63";
    is_label(value)
        .then(|| value.to_owned())
        .ok_or_else(|| InvalidTarget::value(parameter, value, expected))
}

fn workload(target: &Target) -> Result<Workload, InvalidTarget> {
    match (&target.gateway, &target.selector) {
        (Some(_), Some(_)) => Err(InvalidTarget::Combination(
            "gateway and selector both name the workload; leave one of them out",
        )),
        (Some(_), None) if target.context == Context::Sidecar => Err(InvalidTarget::Combination(
            "gateway names no sidecars; name their labels with selector",
        )),
        (Some(name), None) => Ok(Workload::Gateway(label("gateway", Some(name), "")?)),
        (None, None) if target.context == Context::Sidecar => Err(InvalidTarget::Combination(
            "name the labels of the applications' pods with selector",
        )),
        (None, selector) => {
            let selector = selector.as_deref().unwrap_or("istio=ingressgateway");
            let expected = "key=value as Kubernetes has labels, comma-separated if there are several, each key once";
            labels(selector)
                .map(Workload::Labels)
                .ok_or_else(|| InvalidTarget::value("selector", selector, expected))
        }
    }
}

fn labels(selector: &str) -> Option<Map<String, Value>> {
    let mut labels = Map::new();
    for pair in selector.split(',') {
        let (key, value) = pair.split_once('=')?;
        let (key, value) = (key.trim(), value.trim());
        let is_valid = is_label_key(key) && is_label_value(value);
        let former = labels.insert(key.to_owned(), json!(value));
        if !is_valid || former.is_some() {
            return None;
        }
    }
    Some(labels)
}

fn way(target: &Target) -> Result<Way, InvalidTarget> {
    let refused = |reason| Err(InvalidTarget::Combination(reason));
    let parents = match (
        target.mode,
        &target.gateway,
        &target.gateways,
        target.context,
    ) {
        (Mode::Copy | Mode::Live, _, None, _) => return Ok(Way::Clusters),
        (Mode::Copy | Mode::Live, _, Some(_), _) => {
            return refused(
                "gateways is for mode routes; leave it out, and name the workload with selector or gateway",
            );
        }
        (Mode::Routes, Some(_), Some(_), _) => {
            return refused(
                "gateway and gateways both say what the routes are bound to; leave one of them out",
            );
        }
        (Mode::Routes, None, Some(_), Context::Sidecar) => {
            return refused("the routes of sidecars are bound to the mesh; leave gateways out");
        }
        (Mode::Routes, Some(gateway), None, _) => Parents::Gateway(gateway.clone()),
        (Mode::Routes, None, None, Context::Sidecar) => Parents::Gateways(vec!["mesh".to_owned()]),
        (Mode::Routes, None, Some(names), Context::Gateway) => Parents::Gateways(gateways(names)?),
        (Mode::Routes, None, None, Context::Gateway) => {
            return refused(
                "in mode routes set gateways to the names of Istio's Gateways to bind the routes to, or gateway to \
                 one of the Gateway API",
            );
        }
    };
    Ok(Way::Routes(parents))
}

fn gateways(list: &str) -> Result<Vec<String>, InvalidTarget> {
    let names = list.split(',').map(str::trim);
    let names = names.map(|name| is_gateway(name).then(|| name.to_owned()));
    let names: Option<Vec<_>> = names.collect();
    let expected = "names of Istio's Gateways, comma-separated, each NAME or NAMESPACE/NAME";
    names.ok_or_else(|| InvalidTarget::value("gateways", list, expected))
}

/// Gateways ask where they get their channels, and Istio's own routes cannot say about what.
fn limits(target: &Target) -> Result<Limits, InvalidTarget> {
    match (target.limits, target.mode) {
        (Limits::Shared, Mode::Copy | Mode::Routes) => Err(InvalidTarget::Combination(
            "limits=shared is for mode live; leave it out, and set the callers' limit mode to local",
        )),
        (limits, _) => Ok(limits),
    }
}

fn in_advance(list: &str) -> Result<Vec<Cluster>, InvalidTarget> {
    let parts = list
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let clusters = parts.map(|part| {
        let region = Endpoint::of_region(part, HostVariant::Standard).ok();
        let endpoint = region.or_else(|| Endpoint::parse(part).ok());
        let endpoint = endpoint.ok_or_else(|| {
            let expected = "regions such as us-east-1, and endpoints such as https://host:port";
            InvalidTarget::value("endpoints", part, expected)
        })?;
        Ok(cluster(&endpoint))
    });
    clusters.collect()
}

fn cluster(endpoint: &Endpoint) -> Cluster {
    Cluster {
        name: endpoint.cluster_name(),
        hosts: vec![Host {
            host: endpoint.bare_host().to_owned(),
            port: endpoint.port(),
            region: endpoint.aws_region().unwrap_or_default().to_owned(),
            channel: None,
        }],
        transport: if endpoint.is_tls() {
            Transport::Tls
        } else {
            Transport::Plain
        },
        stage: None,
        signing: None,
    }
}

/// Whether a host is an address instead of a name.
pub(super) fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::istio::target::XdsClient;

    fn plan(change: impl FnOnce(&mut Target)) -> Result<Plan, InvalidTarget> {
        let mut target = Target::default();
        change(&mut target);
        let code = FilterCode::InEnvoy {
            path: "/filter.wasm".to_owned(),
        };
        Plan::new(&target, &code)
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut Target), names: &str) {
        let error = plan(change).unwrap_err().to_string();
        assert!(error.contains(names), "{error}");
    }

    #[test]
    fn a_target_is_refused_with_the_parameter_that_is_wrong() {
        assert!(plan(|_| {}).is_ok());
        check_refused(|own| own.name = text("Bedrock"), "name");
        check_refused(|own| own.namespace = text("-"), "namespace");
        check_refused(|own| own.selector = text("istio"), "selector");
        for wrong in ["a=b,=c", "a=b c", "a b=c", "a!=b", "a={{x}}", "a=x,a=y"] {
            check_refused(|own| own.selector = text(wrong), "selector");
        }
        for wrong in ["module.wasm", "oci://", "/", "http://"] {
            check_refused(|own| own.module = text(wrong), "module");
        }
        check_refused(|own| own.module = text("http://127.0.0.1/x.wasm"), "reach");
        check_refused(|own| own.module = text("served"), "--wasm");
        check_refused(|own| own.endpoints = text("nowhere"), "endpoints");
        check_refused(|own| own.context = Context::Sidecar, "selector");
        check_refused(|own| own.mode = Mode::Live, "xds");
        check_refused(|own| own.mode = Mode::Routes, "gateways");
        check_refused(|own| own.xds = text("a:1"), "mode live");
        check_refused(|own| own.xds_ca = text("/ca.crt"), "xds");
        check_refused(|own| own.xds_client = XdsClient::EnvoyGrpc, "xds");
        check_refused(|own| own.other_module = text("next"), "other_module");
        let live = |own: &mut Target| {
            own.mode = Mode::Live;
            own.xds = text("config-service.bedrock:18000");
            own.other_module = text(&"0a".repeat(32));
        };
        check_refused(live, "other_module");
        let routes = |own: &mut Target| {
            own.mode = Mode::Routes;
            own.gateways = text("llm");
            own.other_module = text("/next.wasm");
        };
        check_refused(routes, "other_module");
        check_refused(|own| own.limits = Limits::Shared, "mode live");
    }

    #[test]
    fn the_routes_are_bound_to_what_one_parameter_names() {
        let bound = |names: &'static str, change: fn(&mut Target)| {
            let routes = move |own: &mut Target| {
                own.mode = Mode::Routes;
                own.gateways = text(names);
                change(own);
            };
            plan(routes).is_ok()
        };
        assert!(bound("llm, edge/other", |_| {}));
        for wrong in [",,", "llm,", "BAD NAME!!/x/y"] {
            assert!(!bound(wrong, |_| {}), "{wrong}");
        }
        assert!(!bound("llm", |own| own.gateway = text("other")));
        assert!(!bound("llm", |own| own.mode = Mode::Copy));
        let sidecar = |own: &mut Target| {
            own.context = Context::Sidecar;
            own.selector = text("app=web");
        };
        assert!(!bound("llm", sidecar));
    }

    #[test]
    fn an_xds_address_is_a_host_and_a_port() {
        let live = |address: &'static str| {
            plan(move |own| {
                own.mode = Mode::Live;
                own.xds = text(address);
            })
        };
        assert!(live("config-service.bedrock:18000").is_ok());
        assert!(live("[2001:db8::1]:18000").is_ok());
        for wrong in ["config-service", "config-service:0", "2001:db8::1:18000"] {
            assert!(live(wrong).is_err(), "{wrong}");
        }
        for here in ["127.0.0.1:1", "localhost:1", "0.0.0.0:1", "[::1]:1"] {
            let error = live(here).unwrap_err().to_string();
            assert!(error.contains("such as config-service"), "{error}");
        }
    }

    #[test]
    fn files_are_absolute_paths() {
        let with = |set: fn(&mut Target)| {
            plan(move |own| {
                own.mode = Mode::Live;
                own.xds = text("config-service.bedrock:18000");
                set(own);
            })
        };
        assert!(with(|own| own.xds_ca = text("/ca.crt")).is_ok());
        assert!(with(|own| own.xds_ca = text("relative.crt")).is_err());
        let identity = |own: &mut Target| {
            own.xds_ca = text("/ca.crt");
            own.xds_certificate = text("/own.crt");
            own.xds_key = text("own.key");
        };
        assert!(with(identity).unwrap_err().to_string().contains("xds_key"));
    }

    #[test]
    fn several_labels_select() {
        let plan = plan(|own| own.selector = text("app=gateway, tier=edge")).unwrap();
        let Workload::Labels(labels) = plan.workload else {
            panic!("no labels");
        };
        assert_eq!(
            Value::Object(labels),
            json!({"app": "gateway", "tier": "edge"})
        );
    }
}
