//! The real Istio: its control plane, its agent, and a Kubernetes API to keep manifests in.
//!
//! What cannot be brought does not keep other tests from running; the tests that need it fail and say why it is not there,
//! as with [`crate::clients`].

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::clients::{Names, variable};
use crate::suite::Variable;
use crate::workspace::Workspace;
use crate::{console, golang, installation, system};

/// Names a folder that has [`FILES`] already, where the sources cannot be cloned.
const BUILT: &str = "ISTIO_BUILT";

const ISTIO: Names = ("ISTIO", "ISTIO_MISSING");
const ETCD: Names = ("ETCD", "ETCD_MISSING");

/// A repository, and what is taken from it.
struct Source {
    url: &'static str,
    /// The release.
    tag: &'static str,
    /// Packages of programs.
    programs: &'static [&'static str],
    /// Other files.
    files: &'static [&'static str],
}

/// <https://github.com/istio/istio>
const CONTROL_PLANE: Source = Source {
    url: "https://github.com/istio/istio",
    tag: "1.30.3",
    programs: &["./pilot/cmd/pilot-discovery", "./pilot/cmd/pilot-agent"],
    files: &[
        "tools/packaging/common/envoy_bootstrap.json",
        "manifests/charts/base/files/crd-all.gen.yaml",
        "tests/integration/pilot/testdata/gateway-api-crd.yaml",
    ],
};

/// <https://github.com/kubernetes/kubernetes>, of a version that this Istio supports.
const KUBERNETES: Source = Source {
    url: "https://github.com/kubernetes/kubernetes",
    tag: "v1.35.0",
    programs: &["./cmd/kube-apiserver"],
    files: &[],
};

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

/// Builds the programs once for each pair of versions; that takes half an hour.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target().join("tools/istio");
    let wanted = format!("Istio {}, Kubernetes {}", CONTROL_PLANE.tag, KUBERNETES.tag);
    installation::ensure(&folder, &wanted, || {
        fs::create_dir_all(&folder)?;
        let sources = workspace.target().join("tools/istio-sources");
        for source in [CONTROL_PLANE, KUBERNETES] {
            source.build(workspace, &sources, &folder)?;
        }
        Ok(fs::remove_dir_all(&sources)?)
    })?;
    Ok(folder)
}

impl Source {
    fn build(&self, workspace: &Workspace, sources: &Path, into: &Path) -> Result<()> {
        let Self {
            url,
            tag,
            programs,
            files,
        } = self;
        if sources.exists() {
            fs::remove_dir_all(sources)?;
        }
        console::step(&format!("cloning {url} {tag}"));
        let mut clone = Command::new("git");
        clone.args(["clone", "--quiet", "--depth=1", "--branch", tag, url]);
        system::run(clone.arg(sources))?;
        for file in *files {
            let file = sources.join(file);
            let name = file.file_name().context("a file has no name")?;
            fs::copy(&file, into.join(name))
                .with_context(|| format!("{url} has no {}", file.display()))?;
        }
        console::step(&format!(
            "building {} {tag} (Go); this takes long",
            programs.join(" and ")
        ));
        golang::build(workspace, sources, into, programs)
    }
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
