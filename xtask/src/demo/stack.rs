//! The demo's processes and what they are built from.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Site;
use super::backend::{ACCESS_KEY_ID, Backend, REGION, SECRET_ACCESS_KEY};
use crate::process::Process;
use crate::workspace::Workspace;
use crate::{console, envoy, http, system, wasm};

const PATIENCE: Duration = Duration::from_secs(60);

/// What has to be built or downloaded.
pub(super) struct Artefacts {
    module: PathBuf,
    envoy: PathBuf,
    config_service: PathBuf,
    simulator: PathBuf,
    bootstrap: String,
}

impl Artefacts {
    pub(super) fn prepare(workspace: &Workspace, site: &Site<'_>) -> Result<Self> {
        let envoy = envoy::binary(workspace)?;
        site.interrupt.check()?;
        let module = wasm::build(workspace)?;
        site.interrupt.check()?;
        let mut packages = vec!["build", "--package", "config-service"];
        if site.backend == Backend::Simulator {
            packages.extend(["--package", "bedrock-simulator"]);
        }
        console::step("building the servers");
        workspace.cargo(&packages)?;
        site.interrupt.check()?;
        let template = workspace.root().join("envoy/envoy.yaml");
        let template = std::fs::read_to_string(&template)
            .with_context(|| format!("cannot read {}", template.display()))?;
        Ok(Self {
            module,
            envoy,
            config_service: workspace.executable("config-service"),
            simulator: workspace.executable("bedrock-simulator"),
            bootstrap: envoy::bootstrap(&template, &site.ports)?,
        })
    }
}

impl Artefacts {
    /// A key for this run only, which seals the credentials on their way to Envoy.
    fn generate_seal_key(&self) -> Result<String> {
        let mut command = Command::new(&self.config_service);
        let key = system::output(command.args(["seal", "generate-key"]))?;
        Ok(key.trim().to_owned())
    }
}

/// The running processes. They are stopped in this order, so that none calls one that is
/// gone.
pub(super) struct Stack {
    envoy: Process,
    config_service: Process,
    simulator: Option<Process>,
}

impl Stack {
    pub(super) fn start(site: &Site<'_>, artefacts: &Artefacts, scratch: &Path) -> Result<Self> {
        let simulator = match site.backend {
            Backend::Simulator => Some(start_simulator(site, artefacts, scratch)?),
            Backend::Aws(_) | Backend::Empty => None,
        };
        let seal_key = artefacts.generate_seal_key()?;
        let config_service = start_config_service(site, artefacts, scratch, &seal_key)?;
        let envoy = start_envoy(site, artefacts, scratch, &seal_key)?;
        Ok(Self {
            envoy,
            config_service,
            simulator,
        })
    }

    pub(super) fn check_alive(&mut self) -> Result<()> {
        self.envoy.check_alive()?;
        self.config_service.check_alive()?;
        self.simulator.as_mut().map_or(Ok(()), Process::check_alive)
    }
}

fn start_simulator(site: &Site<'_>, artefacts: &Artefacts, scratch: &Path) -> Result<Process> {
    console::step("starting the Bedrock simulator");
    let address = format!("127.0.0.1:{}", site.ports.simulator);
    let mut command = Command::new(&artefacts.simulator);
    command
        .args(["--listen", &address])
        .args(["--region", REGION])
        .args(["--access-key-id", ACCESS_KEY_ID])
        .args(["--secret-access-key", SECRET_ACCESS_KEY]);
    let log = scratch.join("simulator.log");
    let mut simulator = Process::spawn("the simulator", &mut command, &log)?;
    let url = format!("http://{address}/_simulator/requests");
    wait(site, &mut simulator, || http::is_ok(&url))?;
    Ok(simulator)
}

fn start_config_service(
    site: &Site<'_>,
    artefacts: &Artefacts,
    scratch: &Path,
    seal_key: &str,
) -> Result<Process> {
    console::step("starting the config-service");
    let ports = &site.ports;
    let mut command = Command::new(&artefacts.config_service);
    command
        .args(["--listen", &format!("127.0.0.1:{}", ports.admin_api)])
        .args(["--xds-listen", &format!("127.0.0.1:{}", ports.xds)])
        // Not arguments: `ps` shows those to everybody.
        .env(envoy::SEAL_KEY_VARIABLE, seal_key)
        .env("BEDROCK_ADMIN_TOKEN", &site.token)
        .arg("--database")
        .arg(scratch.join("channels.db"))
        .arg("--init")
        .arg("--wasm")
        .arg(&artefacts.module);
    let log = scratch.join("config-service.log");
    let mut config_service = Process::spawn("the config-service", &mut command, &log)?;
    let url = format!("{}/readyz", site.admin());
    wait(site, &mut config_service, || http::is_ok(&url))?;
    Ok(config_service)
}

fn start_envoy(
    site: &Site<'_>,
    artefacts: &Artefacts,
    scratch: &Path,
    seal_key: &str,
) -> Result<Process> {
    console::step("starting Envoy");
    let bootstrap = scratch.join("envoy.yaml");
    std::fs::write(&bootstrap, &artefacts.bootstrap)?;
    let log = scratch.join("envoy.log");
    let launch = envoy::Launch {
        seal_key,
        ..envoy::Launch::default()
    };
    let mut envoy = envoy::spawn_with(&artefacts.envoy, &bootstrap, &log, launch)?;
    wait(site, &mut envoy, || envoy::is_ready(&site.ports))?;
    Ok(envoy)
}

fn wait(site: &Site<'_>, process: &mut Process, ready: impl Fn() -> bool) -> Result<()> {
    process.wait_ready(PATIENCE, || {
        site.interrupt.check()?;
        Ok(ready())
    })
}
