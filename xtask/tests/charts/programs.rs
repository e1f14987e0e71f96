//! The programs, started as the rendered pods start them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xtask::envoy::bootstrap;
use xtask::ports::Ports;

use super::CHART;
use super::values::{container, with};
use crate::support::{root, text, tool};

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something is true, for at most half a minute.
#[track_caller]
fn wait_until(mut is_true: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < Duration::from_secs(30), "in vain");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The config-service with the variables of its container, and paths in this folder.
fn config_service(container: &Value, folder: &Path) -> Command {
    let program = std::env::var_os("CONFIG_SERVICE_BIN").expect("run `cargo xtask test`");
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder);
    command.env("BEDROCK_ADMIN_TOKEN", "a-token-of-the-test");
    for own in container["env"].as_array().unwrap() {
        if let Some(value) = own["value"].as_str() {
            let value = value.replace("/var/lib/bedrock", folder.to_str().unwrap());
            command.env(own["name"].as_str().unwrap(), value);
        }
    }
    command.stdin(Stdio::null());
    command
}

#[test]
fn the_documented_backup_works_in_the_pod() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let all = with(
        &helm,
        "bedrock",
        &[
            "envoy.enabled=false",
            r#"configService.wasmPathInEnvoy="/etc/filter.wasm""#,
        ],
    );
    let container = container(&all, "config-service");
    let folder = tempfile::tempdir().unwrap();
    let mut serve = config_service(container, folder.path());
    for argument in container["args"].as_array().unwrap() {
        let argument = argument.as_str().unwrap();
        let (flag, _) = argument.split_once("=0.0.0.0:").unwrap_or((argument, ""));
        let is_address = flag != argument;
        serve.arg(if is_address {
            format!("{flag}=127.0.0.1:0")
        } else {
            argument.to_owned()
        });
    }
    let _serving = Running(serve.spawn().unwrap());
    let readme = text(&format!("{CHART}/README.md"));
    assert!(readme.contains(" -- config-service backup /tmp/channels-backup.db\n"));
    let mounts = container["volumeMounts"].as_array().unwrap();
    assert!(mounts.contains(&json!({"name": "tmp", "mountPath": "/tmp"})));
    let backup = folder.path().join("channels-backup.db");
    wait_until(|| {
        let mut command = config_service(container, folder.path());
        command.args(["backup", "channels-backup.db"]);
        let output = command.stderr(Stdio::null()).output().unwrap();
        output.status.success()
    });
    assert!(backup.is_file());
    assert!(folder.path().join("channels.db").is_file());
}

/// Flags that go against each other are a usage error, with the exit code 2; without a service it is another.
#[test]
fn the_export_for_istio_understands_what_it_is_started_with() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let sets = [
        r#"{"mode":"live","gateway":"llm"}"#,
        r#"{"mode":"live","selector":"app=llm","limits":"shared"}"#,
        r#"{"mode":"routes","context":"sidecar","selector":"app=llm"}"#,
        r#"{"mode":"copy","other_module":"/etc/other.wasm","seal_secret":"seal"}"#,
    ];
    for parameters in sets {
        let values = [
            "envoy.enabled=false",
            r#"configService.wasmPathInEnvoy="/etc/filter.wasm""#,
            "istio.enabled=true",
            "istio.apply=true",
            &format!("istio.parameters={parameters}"),
        ];
        let all = with(&helm, "bedrock", &values);
        let container = container(&all, "export");
        let folder = tempfile::tempdir().unwrap();
        let mut export = config_service(container, folder.path());
        export.env("BEDROCK_SERVER", "http://127.0.0.1:9");
        for argument in container["args"].as_array().unwrap() {
            export.arg(argument.as_str().unwrap());
        }
        let output = export.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{parameters}: {said}");
    }
}

#[test]
fn an_envoy_without_a_config_service_waits_and_is_alive() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let all = with(&helm, "bedrock", &[]);
    let mut maps = all.iter().filter(|own| own["data"]["alive.sh"].is_string());
    let files = &maps.next().unwrap()["data"];
    let ports = Ports::free().unwrap();
    let text = files["envoy.yaml"].as_str().unwrap();
    let text = text.replace("bedrock-config-service.bedrock", "127.0.0.1");
    let file = folder.path().join("envoy.yaml");
    std::fs::write(&file, bootstrap(&text, &ports).unwrap()).unwrap();
    let script = folder.path().join("alive.sh");
    std::fs::write(&script, files["alive.sh"].as_str().unwrap()).unwrap();
    let is_alive = || {
        let mut probe = Command::new("bash");
        probe.arg(&script).stderr(Stdio::null());
        probe.env("ENVOY_ADMIN", format!("127.0.0.1/{}", ports.envoy_admin));
        probe.status().unwrap().success()
    };
    assert!(!is_alive());

    let mut envoy = Command::new(std::env::var_os("ENVOY_BIN").unwrap());
    envoy.arg("--config-path").arg(&file).current_dir(root());
    envoy.args(["--service-node", "pod", "--disable-hot-restart"]);
    let mut envoy = Running(envoy.stderr(Stdio::null()).spawn().unwrap());
    wait_until(is_alive);
    assert!(!xtask::envoy::is_ready(&ports));
    assert!(envoy.0.try_wait().unwrap().is_none());
}
