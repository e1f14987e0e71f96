//! Repeats at the end what failed on the way, which is thousands of lines further up by then.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::console;

/// What the test programs printed about tests that failed.
#[derive(Debug, Default)]
pub(super) struct Failures {
    /// Whether a command failed, also one that printed no list.
    any: bool,
    lines: Vec<String>,
    is_listed: bool,
}

impl Failures {
    /// Runs `cargo test` with its output visible, and keeps its lists of failures.
    ///
    /// # Errors
    ///
    /// When it cannot be started or its output cannot be read.
    pub(super) fn watch(&mut self, command: &mut Command) -> Result<()> {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run `cargo test`")?;
        let output = child.stdout.take().context("cargo has no stdout")?;
        for line in BufReader::new(output).split(b'\n') {
            let line = line.context("cannot read what `cargo test` prints")?;
            let line = String::from_utf8_lossy(&line);
            console::print(&line);
            self.read(&line);
        }
        let status = child.wait().context("cannot wait for `cargo test`")?;
        self.any |= !status.success();
        Ok(())
    }

    /// Prints the failures; returns whether there were none.
    pub(super) fn repeat(&self) -> bool {
        if self.any {
            console::step("what failed");
            self.lines.iter().for_each(|line| console::print(line));
        }
        !self.any
    }

    /// A list starts with `failures:` and ends with the program's result.
    /// <https://github.com/rust-lang/rust/blob/1.90.0/library/test/src/formatters/pretty.rs>
    fn read(&mut self, line: &str) {
        if line.starts_with("test result: ") {
            self.is_listed = false;
        } else if line == "failures:" {
            self.is_listed = true;
        }
        if self.is_listed {
            self.lines.push(line.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program prints of which one test passes and one fails.
    const PRINTED: &str = "\
running 2 tests
test one ... ok
test two ... FAILED

failures:

---- two stdout ----
thread 'two' panicked

failures:
    two

test result: FAILED. 1 passed; 1 failed
";

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", PRINTED]);
        command
    }

    #[test]
    fn failures_are_kept_and_nothing_else() {
        let mut failures = Failures::default();
        let mut failing = shell("printf '%s' \"$1\"; exit 101");
        failures.watch(&mut failing).unwrap();
        failures.watch(&mut shell("echo fine")).unwrap();
        let kept = failures.lines.join("\n");
        assert!(kept.contains("thread 'two' panicked"), "{kept}");
        assert!(kept.contains("\n    two"), "{kept}");
        assert!(
            !kept.contains("one ...") && !kept.contains("fine"),
            "{kept}"
        );
        assert!(!kept.contains("test result"), "{kept}");
        assert!(!failures.repeat());
    }

    #[test]
    fn a_program_that_dies_without_a_list_has_failed() {
        let mut failures = Failures::default();
        failures.watch(&mut shell("kill -s SEGV $$")).unwrap();
        assert!(!failures.repeat());
    }

    #[test]
    fn programs_that_pass_have_not_failed() {
        let mut failures = Failures::default();
        failures
            .watch(&mut shell("echo 'test one ... ok'"))
            .unwrap();
        assert!(failures.repeat());
    }
}
