//! Where the plugin configuration of a manifest comes from, and the module that reads it.

use super::accepted::{host_and_port, host_of_module, is_elsewhere, is_path};
use super::target::{InvalidTarget, Mode, Target, XdsClient};
use crate::filter_code::{FilterCode, generation_of};
use bedrock_filter::config::Generation;

/// Where the module is in a gateway's image; the file's name has the version, so that two can be there side by side.
const MODULE_IN_IMAGE: &str = concat!(
    "/etc/bedrock/bedrock_filter-",
    env!("CARGO_PKG_VERSION"),
    ".wasm"
);

/// Where the plugin configuration comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// The manifest, with this module.
    Copy(Module),
    /// This service.
    Live(Xds),
}

/// A module as a gateway gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Module {
    /// A file that it has.
    File(String),
    /// Fetched by its agent; the SHA-256 may be empty.
    Remote { uri: String, sha256: String },
}

/// The module that gateways run before or after a manifest's own.
#[derive(Debug)]
pub(super) struct Other {
    /// The generation of its pools.
    pub(super) generation: Generation,
    /// Where a copy's gateways have it.
    pub(super) module: Module,
}

/// How a gateway reaches this service.
#[derive(Debug)]
pub(super) struct Xds {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) client: XdsClient,
    pub(super) tls: Option<XdsTls>,
}

/// Files in the gateway's file system.
#[derive(Debug)]
pub(super) struct XdsTls {
    pub(super) ca: String,
    /// Certificate and private key.
    pub(super) identity: Option<(String, String)>,
}

impl Xds {
    /// The host without the brackets of an IPv6 address.
    pub(super) fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl Module {
    pub(super) fn location(&self) -> &str {
        match self {
            Self::File(path) => path,
            Self::Remote { uri, .. } => uri,
        }
    }

    /// The generation of its pools in a copy.
    pub(super) fn generation(&self) -> Generation {
        generation_of(self.location())
    }
}

/// Checks the parameters about it.
pub(super) fn source(target: &Target, code: &FilterCode) -> Result<Source, InvalidTarget> {
    match (&target.xds, target.mode) {
        (None, Mode::Live) => Err(InvalidTarget::Combination(
            "in mode live set xds to where gateways reach this service's xDS port, such as \
             config-service.bedrock:18000",
        )),
        (Some(_), Mode::Copy) => Err(InvalidTarget::Combination(
            "xds is for mode live, or for routes with live channels; a copy never calls this service",
        )),
        (Some(_), _) if target.module.is_some() => Err(InvalidTarget::Combination(
            "live gateways get the module that this service names; leave module out, and set \
             --wasm-path-in-envoy when you start the service",
        )),
        // The gateway would need a cluster that leads to the module. And one that cannot fetch it when it starts answers 503
        // on every path, whatever its default configuration is: to Envoy a module on its way is there.
        (Some(_), _) if matches!(code, FilterCode::Served(_)) => Err(InvalidTarget::Combination(
            "live gateways need the module in their own file system; put it into the gateway's image, and start this \
                 service with --wasm-path-in-envoy instead of --wasm",
        )),
        (Some(address), _) => xds(target, address).map(Source::Live),
        (None, _) if calls_service(target) => Err(InvalidTarget::Combination(
            "xds_client and the files of xds are for live gateways; leave them out, or set xds",
        )),
        (None, _) => module(target.module.as_deref(), code).map(Source::Copy),
    }
}

/// Whether a target says how gateways call this service.
fn calls_service(target: &Target) -> bool {
    let files = [&target.xds_ca, &target.xds_certificate, &target.xds_key];
    target.xds_client != XdsClient::default() || files.iter().any(|file| file.is_some())
}

/// The other module, if one is named.
pub(super) fn other(target: &Target, code: &FilterCode) -> Result<Option<Other>, InvalidTarget> {
    let Some(named) = target.other_module.as_deref() else {
        return Ok(None);
    };
    if target.mode == Mode::Routes {
        return Err(InvalidTarget::Combination(
            "other_module is for the pools of mode copy and mode live; leave it out",
        ));
    }
    let wrong = |expected| InvalidTarget::value("other_module", named, expected);
    if target.mode == Mode::Live && !named.starts_with('/') {
        return Err(wrong("an absolute path"));
    }
    let module = module(Some(named), code)
        .map_err(|_| wrong("an absolute path, or a URL that gateways reach"))?;
    Ok(Some(Other {
        generation: module.generation(),
        module,
    }))
}

fn module(asked: Option<&str>, code: &FilterCode) -> Result<Module, InvalidTarget> {
    match (asked, code) {
        (Some("served"), FilterCode::Served(module)) => {
            if !host_of_module(&module.uri).is_some_and(|host| is_elsewhere(&host)) {
                return Err(InvalidTarget::Combination(
                    "gateways cannot fetch the module from this service's own address; start it with --wasm-url-base, \
                     such as http://config-service.bedrock:8080, or better put the module into the gateway's image",
                ));
            }
            Ok(Module::Remote {
                uri: module.uri.clone(),
                sha256: module.sha256.clone(),
            })
        }
        (Some("served"), FilterCode::InEnvoy { .. }) => Err(InvalidTarget::Combination(
            "this service serves no module; start it with --wasm, or leave module out",
        )),
        (Some(path), _) if is_path(path) => Ok(Module::File(path.to_owned())),
        (Some(uri), _) => remote(uri),
        (None, FilterCode::InEnvoy { path }) => Ok(Module::File(path.clone())),
        (None, FilterCode::Served(_)) => Ok(Module::File(MODULE_IN_IMAGE.to_owned())),
    }
}

fn remote(uri: &str) -> Result<Module, InvalidTarget> {
    let expected =
        "an absolute path, `served`, or a URL that begins with http://, https:// or oci://";
    let host = host_of_module(uri).ok_or_else(|| InvalidTarget::value("module", uri, expected))?;
    if !is_elsewhere(&host) {
        return Err(InvalidTarget::Combination(
            "gateways do not run where this service does; set module to an address that they reach, or better to a path \
             in their image",
        ));
    }
    // With it the agent would refuse an image, whose hash differs from the module's.
    let sha256 = String::new();
    let uri = uri.to_owned();
    Ok(Module::Remote { uri, sha256 })
}

fn xds(target: &Target, address: &str) -> Result<Xds, InvalidTarget> {
    let expected = "host:port, with an IPv6 address in brackets";
    let parts = host_and_port(address);
    let (host, port) = parts.ok_or_else(|| InvalidTarget::value("xds", address, expected))?;
    if !is_elsewhere(host) {
        return Err(InvalidTarget::Combination(
            "gateways do not run where this service does; set xds to an address that they reach, such as \
             config-service.bedrock:18000",
        ));
    }
    Ok(Xds {
        host: host.to_owned(),
        port,
        client: target.xds_client,
        tls: tls(target)?,
    })
}

fn tls(target: &Target) -> Result<Option<XdsTls>, InvalidTarget> {
    let files = [
        ("xds_ca", &target.xds_ca),
        ("xds_certificate", &target.xds_certificate),
        ("xds_key", &target.xds_key),
    ];
    for (parameter, file) in files {
        if let Some(file) = file.as_deref().filter(|file| !is_path(file)) {
            let expected = "an absolute path in the gateway's file system";
            return Err(InvalidTarget::value(parameter, file, expected));
        }
    }
    let identity = match (&target.xds_certificate, &target.xds_key) {
        (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
        (None, None) => None,
        _ => {
            let message = "xds_certificate and xds_key belong together; set both";
            return Err(InvalidTarget::Combination(message));
        }
    };
    if identity.is_some() && target.xds_ca.is_none() {
        let message = "xds_certificate needs xds_ca, which turns TLS on";
        return Err(InvalidTarget::Combination(message));
    }
    let authorities = target.xds_ca.clone();
    Ok(authorities.map(|ca| XdsTls { ca, identity }))
}
