//! How Envoy is started.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bedrock_filter::seal::KEY_VARIABLE;
use bedrock_filter::secret::Secret;
use tokio::process::{Child, Command};

use super::EnvoyError;
use super::bootstrap::{BootstrapError, Listening, bootstrap};

/// What Envoy sees of this process's environment. It needs neither the admin token nor AWS's credentials.
const INHERITED: [&str; 5] = ["PATH", "HOME", "TMPDIR", "TZ", "LD_LIBRARY_PATH"];

/// How Envoy is to be started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// A bootstrap to use instead of `envoy/envoy.yaml`; its addresses are replaced.
    pub template: Option<PathBuf>,
    /// Where it listens for clients, unless where the bootstrap says.
    pub clients: Option<SocketAddr>,
    /// Where its admin interface listens, unless where the bootstrap says.
    pub admin: Option<SocketAddr>,
    /// More arguments.
    pub arguments: Vec<String>,
    /// The keys with which the filter opens secrets.
    pub seal_key: Option<Secret>,
    /// How long requests in progress may take after the stop.
    pub patience: Duration,
}

/// Where this process listens.
#[derive(Clone, Copy, Debug)]
pub struct Serving {
    /// For xDS.
    pub xds: SocketAddr,
    /// The admin API, which also serves the module.
    pub api: SocketAddr,
}

/// An Envoy that can be started any number of times.
pub(super) struct Prepared {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    pub(super) admin: SocketAddr,
    pub(super) patience: Duration,
}

impl Launch {
    /// Makes everything that Envoy needs.
    ///
    /// # Errors
    ///
    /// When there is no bootstrap.
    pub(super) fn prepare(&self, serving: Serving) -> Result<Prepared, BootstrapError> {
        let template = self.template.as_ref().map(|path| {
            let text = std::fs::read_to_string(path);
            text.map_err(|source| BootstrapError::Unreadable {
                path: path.clone(),
                source,
            })
        });
        let listening = Listening {
            clients: self.clients,
            admin: self.admin,
        };
        let own = bootstrap(template.transpose()?.as_deref(), listening, serving)?;
        // Inline, so that a read-only file system will do. There is no secret in it.
        let mut arguments = vec!["--config-yaml".into(), own.text.into()];
        arguments.extend(["--service-node".into(), node_name()]);
        // Nothing hands over to a successor here, and several gateways may share a machine.
        arguments.push("--disable-hot-restart".into());
        arguments.extend(self.arguments.iter().map(OsString::from));
        let key = self.seal_key.as_ref();
        let key = key.map(|key| (KEY_VARIABLE.into(), key.expose().into()));
        let inherited = INHERITED.iter();
        let inherited = inherited.filter_map(|name| Some((name.into(), std::env::var_os(name)?)));
        Ok(Prepared {
            program: self.program.clone(),
            arguments,
            variables: inherited.chain(key).collect(),
            admin: own.admin,
            patience: self.patience,
        })
    }
}

impl Prepared {
    /// Starts it. It ends with the returned value.
    pub(super) fn spawn(&self) -> Result<Child, EnvoyError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command.env_clear().envs(self.variables.iter().cloned());
        command.stdin(Stdio::null()).kill_on_drop(true);
        // A Ctrl-C in a terminal goes to this process alone, which then drains Envoy.
        command.process_group(0);
        command.spawn().map_err(|source| EnvoyError::Spawn {
            program: self.program.display().to_string(),
            source,
        })
    }
}

/// The machine's name, by which the status shows the Envoy.
fn node_name() -> OsString {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy().into_owned();
    OsStr::new(&name).to_owned()
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the variables, which contain the keys.
        f.debug_struct("Prepared")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}
