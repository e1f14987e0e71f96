//! No output contains a secret or a prompt: logs, dumps, metrics, the database.

use std::fs;
use std::path::PathBuf;

use reqwest::Method;
use serde_json::Value;

use crate::secrets::{check_file, check_silent};
use crate::world::{Outcome, World};

/// Pages of Envoy's admin interface.
const PAGES: [&str; 6] = [
    "/certs",
    "/clusters",
    "/config_dump?include_eds",
    "/listeners",
    "/server_info",
    "/stats/prometheus",
];

/// The most metrics that the config-service may have, whatever requests it got.
const METRICS: usize = 1000;

/// Searches everything that can be read.
pub(super) async fn show_nothing(world: &mut World) -> Outcome {
    for envoy in [&world.stack.envoy, &world.mortal] {
        for page in PAGES {
            let text = envoy.admin_page(page).await;
            if text.is_empty() {
                return Err(format!("{page} is empty"));
            }
            check_silent(&text, page)?;
        }
        let dump = envoy.admin_page("/config_dump?include_eds").await;
        if !dump.contains("sealed:v1:e2e:") {
            return Err("the dump has no sealed credentials".to_owned());
        }
    }
    let metrics = world.ask(Method::GET, "/metrics", &Value::Null).await?.text;
    check_silent(&metrics, "/metrics")?;
    let series = metrics
        .lines()
        .filter(|line| !line.starts_with('#'))
        .count();
    if series == 0 || series > METRICS {
        return Err(format!("{series} metrics"));
    }
    let mut read = 0;
    for file in files(world) {
        read += check_file(&file)?;
    }
    if read == 0 {
        return Err("there are no logs".to_owned());
    }
    Ok(())
}

/// Logs, and the database with the files beside it.
fn files(world: &World) -> Vec<PathBuf> {
    let folders = [world.stack.scratch.path(), world.scratch.path()];
    let files = folders.map(|folder| fs::read_dir(folder).expect("a folder"));
    let files = files
        .into_iter()
        .flatten()
        .map(|file| file.expect("a file").path());
    let is_output = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.contains(".log") || name.contains(".db")
    };
    files.filter(is_output).collect()
}
