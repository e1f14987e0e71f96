//! The service that counts shared limits: a config-service, as in a deployment.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::bootstrap::Ports;

/// How long it may take to listen.
const START_TIME: Duration = Duration::from_secs(60);

/// A running service; dropping it stops it.
#[derive(Debug)]
pub struct Service {
    child: Child,
}

impl Service {
    /// Starts one that keeps its database in a folder, and waits until it listens.
    ///
    /// # Errors
    ///
    /// When it exits, or does not listen in time.
    pub fn start(binary: &Path, folder: &Path, ports: Ports) -> Result<Self> {
        let database = folder.join("limits.db");
        let child = Command::new(binary)
            .args([
                "--listen=127.0.0.1:0",
                "--init",
                "--wasm-path-in-envoy=/none",
            ])
            .arg(format!("--xds-listen=127.0.0.1:{}", ports.rate_limit))
            .arg(format!("--database={}", database.display()))
            .env("BEDROCK_ADMIN_TOKEN", "bench-admin-token-0123456789")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut service = Self { child };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", ports.rate_limit)).is_err() {
            let ended = service.child.try_wait()?;
            if ended.is_some() || start.elapsed() > START_TIME {
                bail!("the config-service does not listen");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(service)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
