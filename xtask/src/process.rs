//! Processes that end with their owner, and whose output goes to a file.

use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a process may take to exit after SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// Ends the group `$1` when its stdin closes, which happens when the process that holds
/// the other end is gone, whatever the reason. It ignores Ctrl-C, which its owner may
/// survive.
const WATCHDOG: &str = r#"trap '' INT HUP; read -r _
kill -s TERM -- "-$1" 2>/dev/null; sleep 2; kill -s KILL -- "-$1" 2>/dev/null"#;

/// A running process in its own process group; dropping it ends the group.
///
/// The group also ends when the owner is killed without a chance to clean up.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    watchdog: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with stdout and stderr appended to the file `log`.
    ///
    /// # Errors
    ///
    /// When the file cannot be written or the command cannot be started.
    pub fn spawn(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let output = open_log(log)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let watchdog = watch(child.id()).inspect_err(|_| {
            let _ = child.kill();
            let _ = child.wait();
        })?;
        Ok(Self {
            name: name.to_owned(),
            child,
            watchdog,
            log: log.to_owned(),
        })
    }

    /// Process id, which is also the id of its group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The file that contains its output.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last `lines` lines that it wrote.
    #[must_use]
    pub fn log_tail(&self, lines: usize) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let all: Vec<_> = text.lines().collect();
        let tail = all.get(all.len().saturating_sub(lines)..);
        tail.unwrap_or_default().join("\n")
    }

    /// Its exit status if it has exited by itself.
    #[must_use]
    pub fn exited(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten();
        if status.is_some() {
            self.dismiss_watchdog();
        }
        status
    }

    /// Fails if it has exited by itself.
    ///
    /// # Errors
    ///
    /// Names the process, its status and its log, and quotes the end of the log.
    pub fn check_alive(&mut self) -> Result<()> {
        if let Some(status) = self.exited() {
            bail!(
                "{} exited unexpectedly ({status}); the end of {}:\n{}",
                self.name,
                self.log.display(),
                self.log_tail(15)
            );
        }
        Ok(())
    }

    /// Waits until `ready` says so, and fails early when the process ends.
    ///
    /// # Errors
    ///
    /// When the process exits, `ready` fails, or `patience` runs out.
    pub fn wait_ready(
        &mut self,
        patience: Duration,
        mut ready: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        let outcome = wait_until(patience, || {
            self.check_alive()?;
            Ok(ready()?.then_some(()))
        })?;
        outcome.with_context(|| {
            format!(
                "{} is not ready after {} s; the end of {}:\n{}",
                self.name,
                patience.as_secs(),
                self.log.display(),
                self.log_tail(15)
            )
        })
    }

    /// Asks the group to stop, and kills what is left of it after a few seconds.
    pub fn stop(&mut self) {
        if self.exited().is_none() {
            self.signal(Signal::SIGTERM);
            let _ = wait_until(GRACE, || Ok(self.exited().map(|_| ())));
        }
        self.kill();
    }

    /// Kills the group at once, as a crash would.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
        self.dismiss_watchdog();
    }

    fn signal(&self, signal: Signal) {
        if let Ok(group) = i32::try_from(self.child.id()) {
            // Fails if nothing of the group is left, which is what we want.
            let _ = killpg(Pid::from_raw(group), signal);
        }
    }

    fn dismiss_watchdog(&mut self) {
        // Killed before its stdin closes, so that it does not act.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Calls `probe` until it returns a value; `None` when `patience` runs out.
///
/// # Errors
///
/// Passes on the first error of `probe`.
pub fn wait_until<T>(
    patience: Duration,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = probe()? {
            return Ok(Some(value));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

fn open_log(log: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write {}", log.display()))
}

fn watch(group: u32) -> Result<Child> {
    Command::new("sh")
        .args(["-c", WATCHDOG, "watchdog", &group.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("cannot start sh")
}
