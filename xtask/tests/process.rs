//! Processes end with their owner, however it ends.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use xtask::process::{Process, wait_until};

const PATIENCE: Duration = Duration::from_secs(20);

/// Set for the copy of this test program that acts as the owner of a process.
const OWNER: &str = "XTASK_TEST_OWNER_FOLDER";

/// A shell with a child process, both in one group.
fn family(folder: &Path) -> Process {
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "sleep 600 & echo $! >child.tmp; mv child.tmp child; wait",
        ])
        .current_dir(folder);
    Process::spawn("family", &mut command, &folder.join("log")).unwrap()
}

fn child_of(folder: &Path) -> i32 {
    let child = wait_until(PATIENCE, || {
        let text = std::fs::read_to_string(folder.join("child")).ok();
        Ok(text.and_then(|text| text.trim().parse().ok()))
    });
    child.unwrap().expect("the shell writes its child's id")
}

fn ends(pid: i32) -> bool {
    let gone = || {
        // Where nobody reaps it, an orphan stays a zombie, which counts as ended.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        kill(Pid::from_raw(pid), None).is_err() || stat.contains(") Z ")
    };
    wait_until(PATIENCE, || Ok(gone().then_some(())))
        .unwrap()
        .is_some()
}

#[test]
fn dropping_ends_the_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let process = family(folder.path());
    let child = child_of(folder.path());
    drop(process);
    assert!(ends(child));
}

#[test]
fn a_killed_owner_leaves_nothing_behind() {
    if let Some(folder) = std::env::var_os(OWNER) {
        let _process = family(Path::new(&folder));
        std::thread::park();
    }
    let folder = tempfile::tempdir().unwrap();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process::a_killed_owner_leaves_nothing_behind"])
        .env(OWNER, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let child = child_of(folder.path());
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(ends(child));
}

#[test]
fn a_process_that_ends_by_itself_is_reported_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "echo no such database >&2; exit 3"]);
    let mut process = Process::spawn("service", &mut command, &folder.path().join("log")).unwrap();
    let error = process.wait_ready(PATIENCE, || Ok(false)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("service exited unexpectedly"), "{text}");
    assert!(text.contains("exit status: 3"), "{text}");
    assert!(text.contains("no such database"), "{text}");
}

#[test]
fn a_process_that_ignores_sigterm_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "trap '' TERM; echo x >child; while :; do sleep 1; done",
        ])
        .current_dir(folder.path());
    let process = Process::spawn("stubborn", &mut command, &folder.path().join("log")).unwrap();
    let pid = i32::try_from(process.id()).unwrap();
    wait_until(PATIENCE, || {
        Ok(folder.path().join("child").exists().then_some(()))
    })
    .unwrap();
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    drop(process);
    assert!(ends(pid));
}
