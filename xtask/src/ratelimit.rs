//! The rate limit service of a fleet, `envoyproxy/ratelimit`, and the Redis in which it counts.
//!
//! What cannot be brought does not keep other tests from running; its own test says why it is not there, as with
//! [`crate::clients`].

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::clients::{Names, variable};
use crate::suite::Variable;
use crate::system;
use crate::workspace::Workspace;

/// The service's version: it has no releases, and the newest tag is years old.
const VERSION: &str = "v1.4.1-0.20260122083618-3fb702589d36";

/// What to install of it.
const PACKAGE: &str = "github.com/envoyproxy/ratelimit/src/service_cmd";

const SERVICE: Names = ("RATELIMIT", "RATELIMIT_MISSING");
const REDIS: Names = ("REDIS_SERVER", "REDIS_SERVER_MISSING");

/// Builds or finds both, and gives the variables of those that are there and of those that are not.
#[must_use]
pub fn bring(workspace: &Workspace) -> Vec<Variable> {
    vec![
        variable(SERVICE, service(workspace)),
        variable(REDIS, redis()),
    ]
}

/// Builds the service once; that takes minutes.
fn service(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target().join(format!("ratelimit-{VERSION}"));
    let binary = folder.join("service_cmd");
    if binary.is_file() {
        return Ok(binary);
    }
    let go = system::find("go").or_else(|| {
        let usual = PathBuf::from("/usr/local/go/bin/go");
        usual.is_file().then_some(usual)
    });
    let go = go.context("there is no `go` to build it with; install Go 1.25.6 or later")?;
    let mut command = Command::new(go);
    command.args(["install", &format!("{PACKAGE}@{VERSION}")]);
    system::run(
        command
            .env("GOBIN", &folder)
            .env("GOFLAGS", "-buildvcs=false"),
    )?;
    Ok(binary)
}

fn redis() -> Result<PathBuf> {
    if let Some(found) = system::find("redis-server") {
        return Ok(found);
    }
    if system::can_install() {
        system::install(&["redis-server"])?;
    }
    system::find("redis-server").context("there is no `redis-server`; install Redis 7 or later")
}
