//! The workflows do what they say.

use std::process::Command;

use crate::support::{root, text, tool};

/// Shell scripts in them are not checked: that needs another program.
#[test]
fn actionlint_accepts_the_workflows() {
    let Some(actionlint) = tool("ACTIONLINT") else {
        return;
    };
    let mut command = Command::new(actionlint);
    command.args(["-no-color", "-shellcheck=", "-pyflakes="]);
    let output = command.current_dir(root()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

#[test]
fn what_a_release_uploads_is_what_dist_makes() {
    let workflow = text(".github/workflows/release.yml");
    assert!(workflow.contains("cargo xtask dist"));
    assert!(
        workflow.contains("target/dist/bedrock_filter-"),
        "the image"
    );
    assert!(workflow.contains("SHA256SUMS"));
}
