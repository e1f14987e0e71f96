//! Every Envoy runs the latest revision, has no stream left, and never crashed.

use e2e::Envoy;
use serde_json::json;

use crate::load::{MODEL, wait_failover, wait_model};
use crate::story::{ENVOYS, Name};
use crate::wait::until;
use crate::world::{Outcome, World};

/// A name for the model that only the latest revision has.
const LAST: &str = "last-revision";

/// Envoy's gauges that count what is open.
const OPEN: [&str; 2] = ["downstream_rq_active", "upstream_rq_active"];

/// Checks that one more edit reaches every Envoy, and that each of their workers serves.
pub(super) async fn runs_the_last_revision(world: &mut World) -> Outcome {
    world.converge().await?;
    // Clients can distinguish this one from all earlier ones.
    let change = json!({"priority": 7, "weight": 7, "model_mapping": {LAST: MODEL}});
    world.patch(Name::C, &change).await?;
    world.converge().await?;
    for envoy in 0..ENVOYS {
        wait_failover(&world.story, world.doors.port(envoy)).await?;
        wait_model(&world.story, world.doors.port(envoy), LAST).await?;
    }
    Ok(())
}

/// Checks that nothing is open when there are no requests.
pub(super) async fn has_no_open_streams(world: &mut World) -> Outcome {
    for envoy in [&world.stack.envoy, &world.mortal] {
        let mut open = Vec::new();
        let closed = until("no stream is open", async || {
            open = open_streams(envoy).await;
            open.is_empty().then_some(())
        });
        closed
            .await
            .map_err(|what| format!("{what}, but {open:?}"))?;
    }
    Ok(())
}

async fn open_streams(envoy: &Envoy) -> Vec<String> {
    let stats = envoy.admin_page("/stats?filter=rq_active$").await;
    open_in(&stats)
}

fn open_in(stats: &str) -> Vec<String> {
    let is_open = |line: &&str| {
        let gauge = OPEN.iter().any(|name| line.contains(name));
        // The admin interface counts this request itself.
        gauge
            && !line.starts_with("http.admin.")
            && !line.contains("config-service")
            && !line.ends_with(": 0")
    };
    stats.lines().filter(is_open).map(str::to_owned).collect()
}

/// Checks that no VM of the filter crashed, and that no process ended except those that
/// we killed.
pub(super) async fn never_crashed(world: &mut World) -> Outcome {
    for envoy in [&world.stack.envoy, &world.mortal] {
        let stats = envoy.admin_page("/stats?filter=vm_reload").await;
        if let Some(line) = stats.lines().find(|line| !line.ends_with(": 0")) {
            return Err(format!("a VM crashed: {line}"));
        }
        let log = envoy.log();
        let trace = log
            .lines()
            .find(|line| line.contains("in-VM backtrace") || line.contains("panicked at"));
        if let Some(line) = trace {
            return Err(format!("a VM crashed: {line}"));
        }
    }
    let log = world.stack.config.log();
    match log.lines().find(|line| line.contains("panicked at")) {
        Some(line) => Err(format!("the config-service crashed: {line}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_that_stay_open_are_noticed() {
        let calm = "cluster.bedrock|x.upstream_rq_active: 0\n\
                    cluster.config-service-xds.upstream_rq_active: 1\n\
                    http.admin.downstream_rq_active: 1\n\
                    http.openai.downstream_rq_active: 0\n";
        assert_eq!(open_in(calm), [""; 0]);
        for gauge in [
            "cluster.bedrock|x.upstream_rq_active: 1",
            "http.openai.downstream_rq_active: 10",
        ] {
            assert_eq!(open_in(&format!("{calm}{gauge}\n")), [gauge]);
        }
    }
}
