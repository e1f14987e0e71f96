//! The real Istio: its control plane, its agent, and a Kubernetes API to keep manifests in.
//!
//! What cannot be brought does not keep other tests from running; the tests that need it fail and say why it is not there,
//! as with [`crate::clients`].

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::clients::{Names, variable};
use crate::golang::Module;
use crate::suite::Variable;
use crate::system;
use crate::workspace::Workspace;

/// Names a folder that has [`FILES`] already, where the sources cannot be cloned.
const BUILT: &str = "ISTIO_BUILT";

const ISTIO: Names = ("ISTIO", "ISTIO_MISSING");
const ETCD: Names = ("ETCD", "ETCD_MISSING");

/// Istio, of a version that its module in `xtask/go` says, and its own module.
const CONTROL_PLANE: Module = Module { name: "istio" };
const CONTROL_PLANE_MODULE: &str = "istio.io/istio";

/// Its programs' names, packages, and the build tags that Istio's own `Makefile.core.mk` gives each.
const PROGRAMS: [[&str; 3]; 2] = [
    [
        "pilot-discovery",
        "istio.io/istio/pilot/cmd/pilot-discovery",
        "vtprotobuf,disable_pgv",
    ],
    [
        "pilot-agent",
        "istio.io/istio/pilot/cmd/pilot-agent",
        "agent,disable_pgv,grpcnotrace,retrynotrace",
    ],
];

/// Kubernetes, of a version that this Istio supports.
const KUBERNETES: Module = Module { name: "kubernetes" };
const API_SERVER: [&str; 3] = ["kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", ""];

/// What else is taken from Istio's module.
const SOURCES: [&str; 3] = [
    "tools/packaging/common/envoy_bootstrap.json",
    "manifests/charts/base/files/crd-all.gen.yaml",
    "tests/integration/pilot/testdata/gateway-api-crd.yaml",
];

/// What the tests start or read.
const FILES: [&str; 6] = [
    "pilot-discovery",
    "pilot-agent",
    "kube-apiserver",
    "envoy_bootstrap.json",
    "crd-all.gen.yaml",
    "gateway-api-crd.yaml",
];

/// Brings everything, and gives the variables of what is there and of what is not.
#[must_use]
pub fn bring(workspace: &Workspace) -> Vec<Variable> {
    vec![variable(ISTIO, istio(workspace)), variable(ETCD, etcd())]
}

/// The folder with [`FILES`].
fn istio(workspace: &Workspace) -> Result<PathBuf> {
    let folder = match std::env::var_os(BUILT) {
        Some(folder) => folder.into(),
        None => build(workspace).with_context(|| {
            format!(
                "cannot build Istio; set {BUILT} to a folder with {}",
                FILES.join(", ")
            )
        })?,
    };
    for file in FILES {
        let path = folder.join(file);
        ensure!(path.is_file(), "there is no {}", path.display());
    }
    Ok(folder)
}

/// Builds the programs, once for each version; all together, that takes half an hour.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target().join("tools/istio");
    fs::create_dir_all(&folder)?;
    let keep = |path: &Path| {
        let name = path.file_name().context("a file has no name")?;
        fs::copy(path, folder.join(name)).with_context(|| format!("cannot copy {}", path.display()))
    };
    let of_istio = PROGRAMS.map(|own| (CONTROL_PLANE, own));
    for (module, [name, package, tags]) in of_istio.into_iter().chain([(KUBERNETES, API_SERVER)]) {
        keep(&module.bring_tool(workspace, name, package, tags)?)?;
    }
    let sources = CONTROL_PLANE.files_of(workspace, CONTROL_PLANE_MODULE)?;
    for source in SOURCES {
        keep(&sources.join(source))?;
    }
    Ok(folder)
}

fn etcd() -> Result<PathBuf> {
    if let Some(found) = system::find("etcd") {
        return Ok(found);
    }
    if system::can_install() {
        system::install(&["etcd-server"])?;
    }
    system::find("etcd").context("there is no `etcd`; install etcd 3.4 or later")
}
