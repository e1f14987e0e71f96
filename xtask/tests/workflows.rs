//! The workflows do what they say.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{root, text, tool, yaml};

/// The files of workflows and of the actions that they share.
const FILES: [&str; 5] = [
    ".github/workflows/advisories.yml",
    ".github/workflows/ci.yml",
    ".github/workflows/release.yml",
    ".github/actions/registry/action.yml",
    ".github/actions/rust/action.yml",
];

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

/// A tag of somebody else's action can be moved to other code; a commit cannot.
#[test]
fn actions_of_others_are_pinned_to_commits() {
    let mut found = 0;
    for folder in [".github/workflows", ".github/actions"] {
        let listed = FILES.iter().filter(|file| file.starts_with(folder)).count();
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        assert_eq!(entries.count(), listed, "FILES lacks one of {folder}");
    }
    for file in FILES {
        for line in text(file).lines() {
            let Some((_, action)) = line.split_once("uses: ") else {
                continue;
            };
            if action.starts_with("./") {
                continue;
            }
            found += 1;
            let (action, version) = action.split_once(" # v").expect(line);
            let (_, commit) = action.split_once('@').unwrap();
            let is_commit = commit.len() == 40 && commit.chars().all(|own| own.is_ascii_hexdigit());
            assert!(
                is_commit && version.split('.').count() == 3,
                "{file}: {line}"
            );
        }
    }
    assert!(found >= 10, "{found}");
}

/// Builds run scripts of all dependencies.
#[test]
fn jobs_that_build_can_neither_write_nor_sign() {
    for file in FILES.iter().filter(|file| file.contains("/workflows/")) {
        let workflow = yaml(file);
        let nothing = serde_json::json!({"contents": "read"});
        assert_eq!(workflow["permissions"], nothing, "{file}");
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            let steps = job["steps"].as_array().unwrap();
            let mut commands = steps.iter().filter_map(|step| step["run"].as_str());
            if commands.any(|own| own.contains("cargo ") || own.contains(".ci/run")) {
                assert!(job["permissions"].is_null(), "{file}: {name}");
                let has_rust = steps
                    .iter()
                    .any(|own| own["uses"] == "./.github/actions/rust");
                assert!(has_rust, "{file}: {name}");
            }
        }
    }
}

/// Runs a step's script with variables, in a folder.
#[track_caller]
fn run(step: &Value, folder: &Path, variables: &[(&str, &str)]) {
    let mut bash = Command::new("bash");
    bash.args(["-e", "-c", step["run"].as_str().unwrap()]);
    bash.current_dir(folder)
        .envs(variables.iter().copied())
        .env("GITHUB_ENV", folder.join("env"));
    assert!(bash.status().unwrap().success());
}

#[test]
fn a_release_is_built_by_the_compiler_of_the_images() {
    let folder = tempfile::tempdir().unwrap();
    let images = ["config-service/Dockerfile", "envoy/Dockerfile.all-in-one"];
    std::fs::create_dir(folder.path().join("config-service")).unwrap();
    std::fs::copy(root().join(images[0]), folder.path().join(images[0])).unwrap();
    let rust = yaml(".github/actions/rust/action.yml");
    let mut step = rust["runs"]["steps"][0].clone();
    let script = step["run"].as_str().unwrap().replace("rustup", "true");
    step["run"] = script.into();
    run(&step, folder.path(), &[]);
    let made = std::fs::read_to_string(folder.path().join("env")).unwrap();
    let version = made.trim().strip_prefix("RUSTUP_TOOLCHAIN=").unwrap();
    for image in images {
        assert!(text(image).contains(&format!("FROM rust:{version}-")));
    }
}

#[test]
fn the_released_chart_names_the_image_that_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let registry = yaml(".github/actions/registry/action.yml");
    let step = &registry["runs"]["steps"][0];
    run(step, folder.path(), &[("GITHUB_REPOSITORY", "Acme/Filter")]);
    let made = std::fs::read_to_string(folder.path().join("env")).unwrap();
    let registry = made.trim().strip_prefix("REGISTRY=").unwrap();
    assert_eq!(registry, "ghcr.io/acme/filter");

    let values = "deploy/helm/bedrock-filter/values.yaml";
    let copy = folder.path().join(values);
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    std::fs::copy(root().join(values), &copy).unwrap();
    let workflow = yaml(".github/workflows/release.yml");
    let steps = workflow["jobs"]["chart"]["steps"].as_array().unwrap();
    let step = steps
        .iter()
        .find(|own| own["name"] == "The chart's image is where this release has it");
    run(step.unwrap(), folder.path(), &[("REGISTRY", registry)]);
    let made: Value = serde_saphyr::from_str(&std::fs::read_to_string(copy).unwrap()).unwrap();
    let image = &made["configService"]["image"]["repository"];
    assert_eq!(image, "ghcr.io/acme/filter/config-service");
    let pushed = text(".github/workflows/release.yml");
    assert!(pushed.contains("{ image: config-service, "));
}
