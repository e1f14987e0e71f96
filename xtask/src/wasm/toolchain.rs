//! The compiler for `wasm32-unknown-unknown`: the one in use if it has that target's standard library,
//! else rustup's, else Debian's.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::TARGET;
use crate::workspace::cargo;
use crate::{console, system};

/// Overrides the choice: `rustup` or `debian`.
const OVERRIDE: &str = "XTASK_WASM_TOOLCHAIN";

/// The Debian packages of compiler, standard library sources and linker.
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "rust-web-src", "lld-19"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_RUSTDOC: &str = "/usr/bin/rustdoc";
const DEBIAN_CLIPPY: &str = "/usr/bin/cargo-clippy";
const DEBIAN_CLIPPY_PACKAGE: &str = "rust-web-clippy";
const DEBIAN_LINKER: &str = "wasm-ld-19";

const REMEDY: &str = "\
the standard library of wasm32-unknown-unknown is missing, and it could not be brought. Either
  - with rustup: `rustup target add wasm32-unknown-unknown`
  - on Debian, as root: `apt-get update && apt-get install rustc-web rust-web-src lld-19`
and run the command again";

/// How the module is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toolchain {
    /// The rustc that cargo uses anyway, which has the target.
    Default,
    /// Debian's rustc, which builds the target's standard library from its sources.
    Debian,
}

impl Toolchain {
    /// Finds a toolchain, installing what is missing.
    pub(super) fn prepare() -> Result<Self> {
        match std::env::var(OVERRIDE).as_deref() {
            Ok("debian") => debian(),
            Ok("rustup") => rustup(),
            Ok(other) if !other.is_empty() => {
                bail!("{OVERRIDE} is `{other}`; set it to `rustup` or `debian`")
            }
            _ => rustup().or_else(|reason| {
                console::step(&format!("no target from rustup: {reason:#}"));
                debian()
            }),
        }
    }

    /// A cargo subcommand that compiles with it.
    pub(super) fn cargo(self, subcommand: &str) -> Result<Command> {
        match self {
            Self::Default => {
                let mut command = cargo();
                command.arg(subcommand);
                Ok(command)
            }
            Self::Debian => debian_cargo(subcommand),
        }
    }
}

/// Cargo with Debian's rustc and, for `clippy`, Debian's clippy, because no other could read what that
/// rustc compiled.
fn debian_cargo(subcommand: &str) -> Result<Command> {
    let mut command = cargo();
    if subcommand == "clippy" {
        if !Path::new(DEBIAN_CLIPPY).is_file() {
            system::install(&[DEBIAN_CLIPPY_PACKAGE])?;
        }
        let cargo = command.get_program().to_owned();
        command = Command::new(DEBIAN_CLIPPY);
        command.env("CARGO", cargo);
    }
    command
        .arg(subcommand)
        .arg("-Zbuild-std=std,panic_abort")
        .env("RUSTC", DEBIAN_RUSTC)
        .env("RUSTDOC", DEBIAN_RUSTDOC)
        // Allows -Z flags on a stable compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER);
    Ok(command)
}

fn rustup() -> Result<Toolchain> {
    if has_target(TARGET) {
        return Ok(Toolchain::Default);
    }
    if system::find("rustup").is_none() {
        bail!("rustup is not on the PATH");
    }
    console::step(&format!("adding the target {TARGET} (rustup)"));
    system::run(Command::new("rustup").args(["target", "add", TARGET]))?;
    if !has_target(TARGET) {
        bail!("`rustup target add {TARGET}` changed nothing for the rustc in use");
    }
    Ok(Toolchain::Default)
}

fn debian() -> Result<Toolchain> {
    if !has_debian() {
        if !system::can_install() {
            bail!("{REMEDY}");
        }
        system::install(&DEBIAN_PACKAGES).context(REMEDY)?;
        if !has_debian() {
            bail!(
                "{} were installed but lack what is needed",
                DEBIAN_PACKAGES.join(", ")
            );
        }
    }
    Ok(Toolchain::Debian)
}

/// Whether the rustc in use has a target's standard library.
pub(crate) fn has_target(target: &str) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    system::output(Command::new(rustc).args(["--print", "target-libdir", "--target", target]))
        .is_ok_and(|folder| {
            let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
            files
                .map(|file| file.file_name())
                .any(|name| name.to_string_lossy().starts_with("libstd-"))
        })
}

/// Whether Debian's rustc, the sources of its standard library and the linker are there.
fn has_debian() -> bool {
    let sources = system::output(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"]))
        .is_ok_and(|sysroot| {
            Path::new(&sysroot)
                .join("lib/rustlib/src/rust/library/std/Cargo.toml")
                .is_file()
        });
    sources && system::find(DEBIAN_LINKER).is_some()
}
