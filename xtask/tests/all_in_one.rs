//! `envoy/Dockerfile.all-in-one` agrees with the config-service and with the other images.

use std::collections::BTreeMap;
use std::process::Command;

use crate::support::{root, text};

const FILE: &str = "envoy/Dockerfile.all-in-one";

/// The instructions of a Dockerfile: keyword and rest, with continued lines joined.
fn instructions(file: &str) -> Vec<(String, String)> {
    let lines = text(file).replace("\\\n", " ");
    let lines = lines.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()))
        .collect()
}

/// What follows a keyword, each time.
fn all(file: &str, keyword: &str) -> Vec<String> {
    let own = instructions(file).into_iter();
    own.filter(|(word, _)| word == keyword)
        .map(|(_, rest)| rest)
        .collect()
}

fn variables() -> BTreeMap<String, String> {
    let lines = all(FILE, "ENV").join(" ");
    let pairs = lines.split_whitespace();
    pairs
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn its_variables_are_the_config_services_own() {
    let program = std::env::var_os("CONFIG_SERVICE_BIN").expect("run `cargo xtask test`");
    let help = Command::new(program).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for name in variables().keys() {
        assert!(help.contains(&format!("[env: {name}")), "{name}");
    }
}

#[test]
fn its_paths_and_ports_fit_together() {
    let variables = variables();
    let copied = all(FILE, "COPY").join("\n");
    for name in ["BEDROCK_WITH_ENVOY", "BEDROCK_WASM_PATH_IN_ENVOY"] {
        assert!(copied.contains(&format!(" {}", variables[name])), "{name}");
    }
    let volume = all(FILE, "VOLUME").remove(0);
    assert!(variables["BEDROCK_DATABASE"].starts_with(&format!("{volume}/")));
    let port = |name: &str| variables[name].strip_prefix("0.0.0.0:").unwrap().to_owned();
    let (clients, admin) = (port("BEDROCK_ENVOY_LISTEN"), port("BEDROCK_LISTEN"));
    assert_eq!(all(FILE, "EXPOSE"), [format!("{clients} {admin}")]);
    let probe = all(FILE, "HEALTHCHECK").remove(0);
    assert!(probe.contains(&format!("/127.0.0.1/{clients} ")), "{probe}");
}

#[test]
fn it_builds_like_the_others_and_does_not_run_as_root() {
    let own = all(FILE, "FROM");
    let service = all("config-service/Dockerfile", "FROM");
    assert_eq!([&own[0], &own[2]], [&service[0], &service[1]]);
    let envoy = all("envoy/Dockerfile", "FROM").remove(0);
    assert_eq!(own[1], format!("{envoy} AS envoy"));
    assert_eq!(
        all(FILE, "RUN")[1],
        all("config-service/Dockerfile", "RUN")[1]
    );
    assert_eq!(all(FILE, "USER"), ["65532:65532"]);
    let context = all(FILE, "COPY").into_iter();
    for copied in context.filter(|own| !own.starts_with("--from=")) {
        assert_eq!(copied, ". .", "{}", root().display());
    }
}
