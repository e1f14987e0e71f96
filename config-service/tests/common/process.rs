//! A config-service in its own process.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::TOKEN;

/// A running service, on ports that the kernel chose and a new database.
pub struct ServiceProcess {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    pub admin: SocketAddr,
    pub xds: SocketAddr,
    _dir: Arc<TempDir>,
}

impl ServiceProcess {
    /// Starts one that may open this many files; its token is [`TOKEN`].
    pub fn start(most_files: u32, extra: &[&str]) -> Self {
        let dir = Arc::new(TempDir::new().unwrap());
        let script = format!("ulimit -n {most_files} && exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_config-service")]);
        Self::run(command, dir, extra)
    }

    /// Starts one on the database in `dir`, with no variables but these.
    pub fn start_in(dir: Arc<TempDir>, extra: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_config-service"));
        command.env_clear().envs(variables.iter().copied());
        Self::run(command, dir, extra)
    }

    fn run(mut command: Command, dir: Arc<TempDir>, extra: &[&str]) -> Self {
        let mut child = command
            .args(["--wasm-path-in-envoy=/x.wasm", "--init"])
            .arg(format!("--database={}/test.db", dir.path().display()))
            .args(extra)
            // Flags take precedence over variables.
            .env("BEDROCK_LISTEN", "127.0.0.1:0")
            .env("BEDROCK_XDS_LISTEN", "127.0.0.1:0")
            .env("BEDROCK_ADMIN_TOKEN", TOKEN)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (log, mut addresses) = (Arc::new(Mutex::new(Vec::new())), None);
        for line in lines.by_ref().map_while(Result::ok) {
            let line = plain(&line);
            let found = (address(&line, "admin="), address(&line, "xds="));
            log.lock().unwrap().push(line);
            if let (Some(admin), Some(xds)) = found {
                addresses = Some((admin, xds));
                break;
            }
        }
        let (admin, xds) = addresses.unwrap_or_else(|| panic!("not started: {log:?}"));
        let rest = Arc::clone(&log);
        // A full pipe would block the service.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                rest.lock().unwrap().push(plain(&line));
            }
        });
        Self {
            child,
            log,
            admin,
            xds,
            _dir: dir,
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line without colours.
fn plain(line: &str) -> String {
    line.split('\x1b')
        .enumerate()
        .map(|(index, part)| match part.split_once('m') {
            Some((_, text)) if index > 0 => text,
            _ => part,
        })
        .collect()
}

fn address(line: &str, field: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(field)?;
    rest.split_whitespace().next()?.parse().ok()
}
