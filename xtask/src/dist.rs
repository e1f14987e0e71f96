//! `cargo xtask dist`: what a release consists of, in `target/dist`.
//!
//! The same sources give the same bytes, wherever they are and whenever they are built: nothing in them depends on paths,
//! times or the machine.

mod bill;
mod binaries;
mod crates;
mod image;
mod licences;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use sha2::{Digest as _, Sha256};

use crate::workspace::Workspace;
use crate::{console, wasm};
use crates::Crates;

/// Name of the file with the checksums.
const CHECKSUMS: &str = "SHA256SUMS";

/// Options of `cargo xtask dist`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Build everything twice, in different folders, and fail unless the bytes are the same
    #[arg(long)]
    twice: bool,
    /// Leave out the executables of the config-service
    #[arg(long)]
    module_only: bool,
}

/// Builds everything.
///
/// # Errors
///
/// When something cannot be built, or the second build differs from the first.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let module = wasm::build(workspace)?;
    let executables = if options.module_only {
        Vec::new()
    } else {
        binaries::build(workspace, workspace.target())?
    };
    if options.twice {
        check_second(workspace, &module, &executables)?;
    }
    let folder = workspace.target().join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let crates = Crates::of(workspace)?;
    let version = crates.version();
    let named = |name: &str| folder.join(name.replace("VERSION", version));
    let bytes = fs::read(&module)?;
    fs::write(named("bedrock_filter-VERSION.wasm"), &bytes)?;
    fs::write(
        named("bedrock_filter-VERSION.oci.tar"),
        image::archive(&bytes, version)?,
    )?;
    fs::write(named("bedrock_filter-VERSION.cdx.json"), bill::of(&crates)?)?;
    fs::write(named("LICENCES-VERSION.txt"), licences::of(&crates)?)?;
    for (target, executable) in executables {
        fs::copy(
            executable,
            named(&format!("config-service-VERSION-{target}")),
        )?;
    }
    fs::write(folder.join(CHECKSUMS), checksums(&folder)?)?;
    console::step(&format!("{} is complete", folder.display()));
    Ok(())
}

/// Builds everything again from nothing, in another folder, and compares.
fn check_second(
    workspace: &Workspace,
    module: &Path,
    executables: &[(&str, PathBuf)],
) -> Result<()> {
    console::step("building everything once more");
    let folder = workspace.target().join("dist-second");
    check_same(module, &wasm::compile_in(workspace, &folder)?)?;
    if !executables.is_empty() {
        let others = binaries::build(workspace, &folder)?;
        for ((_, first), (_, second)) in executables.iter().zip(&others) {
            check_same(first, second)?;
        }
    }
    Ok(())
}

fn check_same(first: &Path, second: &Path) -> Result<()> {
    ensure!(
        fs::read(first)? == fs::read(second)?,
        "two builds differ; compare {} with {}",
        first.display(),
        second.display()
    );
    Ok(())
}

/// One line for each file, as `sha256sum --check` reads it.
fn checksums(folder: &Path) -> Result<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    let mut text = String::new();
    for file in files {
        let name = file.file_name().context("a file has no name")?;
        let sum = hex(&Sha256::digest(fs::read(&file)?));
        text.push_str(&format!("{sum}  {}\n", name.to_string_lossy()));
    }
    Ok(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
