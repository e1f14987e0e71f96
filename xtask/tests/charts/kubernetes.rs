//! What Kubernetes accepts, and what every pod of ours keeps to.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Kinds of other projects, of which Kubernetes has no schema.
const FOREIGN: [&str; 2] = ["PodMonitor", "ServiceMonitor"];

/// The version whose schemas are asked.
const VERSION: &str = "1.35";

/// Fails if a schema refuses one of the documents.
pub(super) fn check(python: &Path, documents: &[Value], values: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/charts/validate.py");
    let mut command = Command::new(python);
    command.arg(script).arg(VERSION);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for document in documents {
        let kind = document["kind"].as_str().unwrap();
        if !FOREIGN.contains(&kind) {
            writeln!(input, "{document}").unwrap();
        }
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    let refused = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && refused.is_empty(),
        "{values}: {refused}"
    );
}

/// Fails if a pod could write where it runs, or be root.
pub(super) fn check_pods(documents: &[Value], values: &str) {
    for document in documents {
        let pod = &document["spec"]["template"]["spec"];
        for container in containers(document) {
            let name = &container["name"];
            let rights = &container["securityContext"];
            assert_eq!(rights["readOnlyRootFilesystem"], true, "{values}: {name}");
            assert_eq!(
                rights["allowPrivilegeEscalation"], false,
                "{values}: {name}"
            );
            assert_eq!(rights["capabilities"]["drop"][0], "ALL", "{values}: {name}");
            assert_eq!(
                pod["securityContext"]["runAsNonRoot"], true,
                "{values}: {name}"
            );
        }
    }
}

/// The containers of a document that makes pods.
pub(super) fn containers(document: &Value) -> Vec<&Value> {
    let pod = &document["spec"]["template"]["spec"];
    let lists = [&pod["initContainers"], &pod["containers"]];
    lists
        .into_iter()
        .filter_map(Value::as_array)
        .flatten()
        .collect()
}

/// The files that a Secret mounts for TLS.
pub(super) struct Certificates {
    folder: TempDir,
}

impl Certificates {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = rcgen::generate_simple_self_signed(["envoy".to_owned()]).unwrap();
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write("ca.crt", own.cert.pem());
        write("tls.crt", own.cert.pem());
        write("tls.key", own.signing_key.serialize_pem());
        Self { folder }
    }

    pub(super) fn folder(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }
}
