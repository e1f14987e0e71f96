//! The Envoy that is measured.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::bootstrap::Ports;

/// How long it may take to open the listeners, including compiling the module.
const START_TIME: Duration = Duration::from_secs(60);

/// A running Envoy; dropping it stops it.
#[derive(Debug)]
pub struct Envoy {
    child: Child,
}

impl Envoy {
    /// Starts an Envoy with one worker and waits until it serves.
    ///
    /// # Errors
    ///
    /// When it exits, or does not serve in time; the error has the end of its log.
    pub fn start(binary: &Path, bootstrap: &Path, log: &Path, ports: Ports) -> Result<Self> {
        let output = fs::File::create(log)?;
        let child = Command::new(binary)
            .arg("--config-path")
            .arg(bootstrap)
            .args(["--concurrency", "1", "--disable-hot-restart"])
            .args(["--log-level", "error"])
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut envoy = Self { child };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", ports.filter)).is_err() {
            let ended = envoy.child.try_wait()?;
            if ended.is_some() || start.elapsed() > START_TIME {
                bail!("Envoy does not serve: {}", fs::read_to_string(log)?);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(envoy)
    }

    /// Processor time used by all its threads, as counted by the kernel.
    ///
    /// # Errors
    ///
    /// When it has exited, or this is not Linux.
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(self.proc("task"))? {
            let path = thread?.path().join("schedstat");
            // A thread may end between listing and reading.
            let Ok(text) = fs::read_to_string(path) else {
                continue;
            };
            let on_cpu = text.split(' ').next().context("an empty schedstat")?;
            nanoseconds += on_cpu.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Resident memory, in bytes.
    ///
    /// # Errors
    ///
    /// When it has exited, or this is not Linux.
    pub fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(self.proc("status"))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(kilobytes.context("no VmRSS")?.parse::<u64>()? * 1024)
    }

    fn proc(&self, file: &str) -> PathBuf {
        Path::new("/proc")
            .join(self.child.id().to_string())
            .join(file)
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
