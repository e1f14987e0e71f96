//! What Helm prints after an installation.

use std::path::Path;

use super::{CHART, template_of};
use crate::support::{root, text, tool};

/// The notes. `helm template` leaves them out, so a copy of the chart has them in an object.
fn notes(helm: &Path, values: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join(CHART), folder.path());
    std::fs::remove_file(folder.path().join("templates/NOTES.txt")).unwrap();
    let notes = text(&format!("{CHART}/templates/NOTES.txt"));
    std::fs::write(folder.path().join("notes.txt"), notes).unwrap();
    let object = r#"notes: {{ tpl (.Files.Get "notes.txt") . | toJson }}"#;
    std::fs::write(folder.path().join("templates/notes.yaml"), object).unwrap();
    let mut arguments = vec!["--show-only=templates/notes.yaml"];
    arguments.extend(["--set", "secrets.existing=own"]);
    for own in values {
        arguments.extend(["--set-json", own]);
    }
    let output = template_of(folder.path(), helm, "bedrock", &arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let made = super::documents(&String::from_utf8(output.stdout).unwrap());
    made[0]["notes"].as_str().unwrap().to_owned()
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let copied = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&copied).unwrap();
            copy(&entry.path(), &copied);
        } else {
            std::fs::copy(entry.path(), copied).unwrap();
        }
    }
}

#[track_caller]
fn check_has(notes: &str, parts: &[&str]) {
    for part in parts {
        assert!(notes.contains(part), "{part}: {notes}");
    }
}

const LIVE: [&str; 3] = [
    "envoy.enabled=false",
    r#"configService.wasmPathInEnvoy="/etc/filter.wasm""#,
    r#"istio={"enabled":true,"parameters":{"mode":"live","namespace":"edge","seal_secret":"seal"}}"#,
];

#[test]
fn notes_for_istio_say_how_gateways_get_manifest_and_seal_key() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let by_hand = notes(&helm, &LIVE);
    let key = [
        "kubectl -n edge create secret generic seal ",
        "get secret own -o",
    ];
    check_has(&by_hand, &key);
    check_has(
        &by_hand,
        &[
            "config-service export-istio --xds=bedrock-config-service.bedrock:18000 --mode=live",
            "Do it again after the first channels",
        ],
    );
    let by_job = notes(&helm, &[&LIVE[..], &["istio.apply=true"]].concat());
    check_has(&by_job, &key);
    check_has(&by_job, &["again with `helm upgrade` after the first"]);
    assert!(!by_job.contains("export-istio"), "{by_job}");
    let named = [&LIVE[..], &[r#"istio.parameters.endpoints="us-east-1""#]].concat();
    check_has(&notes(&helm, &named), &["other endpoints than us-east-1."]);
    let copy = [&LIVE[..], &[r#"istio.parameters.mode="copy""#]].concat();
    check_has(&notes(&helm, &copy), &["Do it again after every edit"]);
}

#[test]
fn notes_for_istio_say_what_pods_need_besides() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let annotation = "sidecar.istio.io/bootstrapOverride";
    let plain = notes(&helm, &LIVE);
    check_has(&plain, &["in their image, as /etc/filter.wasm"]);
    assert!(!plain.contains(annotation), "{plain}");
    let client = r#"istio.parameters.xds_client="envoy_grpc""#;
    let named = r#"istio.parameters.name="llm""#;
    for (values, name) in [(&[client][..], "bedrock"), (&[client, named], "llm")] {
        let notes = notes(&helm, &[&LIVE[..], &["istio.apply=true"], values].concat());
        check_has(&notes, &[&format!("{annotation}: {name}-bootstrap")]);
    }
    let fetched =
        r#"istio.parameters={"mode":"copy","module":"https://files.example/filter.wasm"}"#;
    let fetched = notes(&helm, &[&LIVE[..], &[fetched]].concat());
    assert!(!fetched.contains("in their image"), "{fetched}");
}

#[test]
fn a_command_of_the_notes_is_for_a_shell() {
    let Some(helm) = tool("HELM") else {
        return;
    };
    let hostile = r#"istio.parameters.selector="a=b: c; it's $HOME""#;
    let notes = notes(&helm, &[&LIVE[..], &[hostile]].concat());
    check_has(&notes, &[r"'--selector=a=b: c; it'\''s $HOME'"]);
}
