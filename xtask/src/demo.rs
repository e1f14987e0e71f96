//! `cargo xtask demo`: the whole product on this machine, from nothing to ready-to-paste commands.

mod backend;
mod caller;
mod check;
mod guide;
mod stack;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use secret_source::{Name, Source, SourceError};

use crate::demo::backend::Backend;
use crate::demo::stack::{Artefacts, Stack};
use crate::interrupt::Interrupt;
use crate::ports::{self, Ports};
use crate::process::wait_until;
use crate::workspace::Workspace;
use crate::{console, http};

/// The variable in which the config-service expects the token.
const TOKEN: Name = Name {
    flag: "--admin-token",
    variable: "BEDROCK_ADMIN_TOKEN",
};

/// Options of `cargo xtask demo`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Send one plain and one streaming chat through Envoy, print both answers and exit
    #[arg(long, conflicts_with = "empty")]
    check: bool,
    /// Use Amazon Bedrock, with the AWS credentials and region in the environment, instead of the
    /// local simulator
    #[arg(long, conflicts_with = "empty")]
    aws: bool,
    /// Start only Envoy and the config-service, without simulator and channel
    #[arg(long)]
    empty: bool,
    /// Port of Envoy for clients
    #[arg(long, value_name = "PORT", default_value_t = Ports::DEFAULT.envoy)]
    envoy_port: u16,
    /// Port of Envoy's admin interface
    #[arg(long, value_name = "PORT", default_value_t = Ports::DEFAULT.envoy_admin)]
    envoy_admin_port: u16,
    /// Port of Envoy's statistics, for Prometheus
    #[arg(long, value_name = "PORT", default_value_t = Ports::DEFAULT.envoy_metrics)]
    envoy_metrics_port: u16,
    /// Port of the config-service's admin API
    #[arg(long, value_name = "PORT", default_value_t = Ports::DEFAULT.admin_api)]
    admin_port: u16,
    /// Port of the config-service's xDS server
    #[arg(long, value_name = "PORT", default_value_t = Ports::DEFAULT.xds)]
    xds_port: u16,
    /// Port of the local Bedrock simulator
    #[arg(long, value_name = "PORT", default_value_t = Ports::DEFAULT.simulator)]
    simulator_port: u16,
    /// Token for the admin API; by default a random one is generated and printed
    #[arg(long, env = TOKEN.variable, hide_env_values = true, value_name = "TOKEN")]
    admin_token: Option<String>,
    /// File that contains the token, instead
    #[arg(long, env = "BEDROCK_ADMIN_TOKEN_FILE", value_name = "FILE")]
    admin_token_file: Option<OsString>,
    /// Model that the check and the printed commands use
    #[arg(long, value_name = "NAME", default_value = backend::DEFAULT_MODEL)]
    model: String,
}

/// Runs the demo until Ctrl-C, or its check.
///
/// # Errors
///
/// When a port is taken, something cannot be built, downloaded or started, a process exits
/// unexpectedly, or the check fails. In that case logs are kept, and the error says where.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    let outcome = prepare_and_serve(workspace, options, &interrupt);
    match outcome {
        Err(_) if interrupt.came() => bail!("interrupted before the demo was ready"),
        outcome => outcome,
    }
}

impl Options {
    fn token(&self) -> Result<Option<String>, SourceError> {
        let source = Source {
            name: TOKEN,
            value: self.admin_token.as_deref(),
            file: self.admin_token_file.as_deref(),
        };
        source.read()
    }
}

/// What runs where, for the parts of the demo that need to know.
struct Site<'a> {
    ports: Ports,
    token: String,
    model: &'a str,
    backend: Backend,
    interrupt: &'a Interrupt,
}

impl Site<'_> {
    fn gateway(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.envoy)
    }

    fn admin(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.admin_api)
    }

    fn check_ports(&self) -> Result<()> {
        let mut used = vec![
            (self.ports.envoy, "--envoy-port"),
            (self.ports.envoy_admin, "--envoy-admin-port"),
            (self.ports.envoy_metrics, "--envoy-metrics-port"),
            (self.ports.admin_api, "--admin-port"),
            (self.ports.xds, "--xds-port"),
        ];
        if self.backend == Backend::Simulator {
            used.push((self.ports.simulator, "--simulator-port"));
        }
        ports::check_free(&used)
    }
}

fn prepare_and_serve(
    workspace: &Workspace,
    options: &Options,
    interrupt: &Interrupt,
) -> Result<()> {
    let site = Site {
        ports: Ports {
            envoy: options.envoy_port,
            envoy_admin: options.envoy_admin_port,
            envoy_metrics: options.envoy_metrics_port,
            admin_api: options.admin_port,
            xds: options.xds_port,
            simulator: options.simulator_port,
        },
        token: options.token()?.map_or_else(random_token, Ok)?,
        model: &options.model,
        backend: Backend::choose(options.aws, options.empty)?,
        interrupt,
    };
    // Checked before the minutes of building, while the user is still watching.
    site.check_ports()?;
    let artefacts = Artefacts::prepare(workspace, &site)?;
    site.check_ports()?;
    let scratch = scratch(workspace)?;
    serve(&site, &artefacts, &scratch, options.check)
        .with_context(|| format!("the demo failed; its logs are in {}", scratch.display()))?;
    let _ = std::fs::remove_dir_all(&scratch);
    Ok(())
}

fn serve(site: &Site<'_>, artefacts: &Artefacts, scratch: &Path, check: bool) -> Result<()> {
    let mut stack = Stack::start(site, artefacts, scratch)?;
    let channel = site.backend.create_channel(site)?;
    let key = caller::admit(site)?;
    wait_for_models(site, &mut stack, (&key, channel.is_some()))?;
    if check {
        return check::run(site, &key);
    }
    guide::show(site, &key, channel.as_deref());
    while !site.interrupt.came() {
        stack.check_alive()?;
        std::thread::sleep(Duration::from_millis(100));
    }
    console::step("ending everything");
    Ok(())
}

/// Waits until the filter in Envoy lists models, which means that its configuration has arrived.
fn wait_for_models(
    site: &Site<'_>,
    stack: &mut Stack,
    (key, expected): (&str, bool),
) -> Result<()> {
    let url = format!("{}/v1/models", site.gateway());
    let mut last = String::from("no answer");
    let ready = wait_until(Duration::from_secs(30), || {
        site.interrupt.check()?;
        stack.check_alive()?;
        let Ok(answer) = http::get(&url, Some(key)) else {
            return Ok(None);
        };
        last = format!("{} {}", answer.status, answer.body);
        let listed = answer.json().is_ok_and(|json| {
            let models = json.get("data").and_then(|data| data.as_array());
            models.is_some_and(|models| !expected || !models.is_empty())
        });
        Ok((answer.status == 200 && listed).then_some(()))
    })?;
    ready.with_context(|| format!("the channel did not reach Envoy; GET {url} said: {last}"))
}

/// A folder for this run only, in the target folder.
fn scratch(workspace: &Workspace) -> Result<PathBuf> {
    let name = format!("demo-{}", std::process::id());
    let folder = workspace.target().join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

fn random_token() -> Result<String> {
    use std::io::Read;
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
