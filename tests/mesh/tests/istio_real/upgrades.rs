//! Another module takes over while clients chat, and requests fail over with either.

use std::collections::BTreeSet;
use std::path::PathBuf;

use bedrock_simulator::Simulator;
use e2e::{Load, channel_body, eventually, run, simulator};
use mesh::{Bench, Case, Workload};
use serde_json::{Value, json};

use super::{ask, check_valid};

/// How many clients ask while the module changes.
const CLIENTS: usize = 4;

/// A copy of the module beside it: for Envoy another one.
fn next(bench: &Bench) -> PathBuf {
    let next = bench
        .artefacts
        .module
        .with_extension(format!("{}.wasm", bench.pod));
    std::fs::copy(&bench.artefacts.module, &next).expect("the module can be copied");
    next
}

/// Creates two channels that requests fail over between; returns the first.
async fn channels(bench: &Bench, bedrock: &Simulator) -> Value {
    let first = channel_body(bedrock);
    let mut second = first.clone();
    second["name"] = json!("second");
    second["priority"] = json!(1);
    for channel in [&first, &second] {
        bench.config.create(channel).await;
    }
    first
}

/// Waits until the pod's clusters for pools are those of so many modules.
async fn wait_for_pools(pod: &Workload, modules: usize) {
    eventually("the gateway has the pools of each module", async || {
        let page = pod.admin_page("/clusters").await?;
        let lines = page.lines().filter_map(|line| line.split_once("::"));
        let names = lines.map(|(name, _)| name);
        let pools = names.filter_map(|name| name.strip_prefix("bedrock|pool|")?.split('|').next());
        let generations: BTreeSet<_> = pools.collect();
        (generations.len() == modules).then_some(())
    })
    .await;
}

/// Waits until the pod's listener runs a module, as Envoy's configuration tells.
async fn wait_for(pod: &Workload, module: &str) {
    eventually("the listener runs the other module", async || {
        let dump = pod.admin_page("/config_dump?resource=ecds_filters").await?;
        let dump: Value = serde_json::from_str(&dump).ok()?;
        let filters = dump["configs"].as_array()?.iter();
        let mut own = filters.filter(|own| own["ecds_filter"]["name"] == "bedrock");
        own.next_back()?.to_string().contains(module).then_some(())
    })
    .await;
}

#[test]
#[ignore = "needs a real Istio"]
fn another_module_of_live_gateways_loses_no_chat() {
    run(async {
        let mut bench = Bench::start(&["--failover"]).await;
        let bedrock = simulator().await;
        let channel = channels(&bench, &bedrock).await;
        let next = next(&bench).display().to_string();
        let pod = bench.serve(Case::Own, &bench.live()).await;
        pod.chat_until(&ask(&channel, "Hi"), 200).await;
        let load = Load::start_at(&pod.url(), channel["models"][0].as_str().unwrap(), CLIENTS);
        load.answered(10).await;
        let query = format!("{}&other_module={next}", bench.live());
        bench.apply_manifest(Case::Own, &query).await;
        wait_for_pools(&pod, 2).await;
        load.answered(20).await;
        let path = format!("--wasm-path-in-envoy={next}");
        bench
            .config
            .restart_with(|flags| {
                flags.retain(|flag| !flag.starts_with("--wasm-path-in-envoy"));
                flags.push(path);
            })
            .await;
        wait_for(&pod, &next).await;
        load.answered(20).await;
        bench.apply_manifest(Case::Own, &bench.live()).await;
        wait_for_pools(&pod, 1).await;
        load.answered(20).await;
        load.stop().await.nothing_is_lost();
        check_valid(&bedrock);
    });
}

#[test]
#[ignore = "needs a real Istio"]
fn another_module_of_a_copy_loses_no_chat() {
    run(async {
        let bench = Bench::start(&["--failover"]).await;
        let bedrock = simulator().await;
        let channel = channels(&bench, &bedrock).await;
        let now = bench.artefacts.module.display();
        let next = next(&bench).display().to_string();
        let pod = bench.serve(Case::Own, "").await;
        pod.chat_until(&ask(&channel, "Hi"), 200).await;
        let load = Load::start_at(&pod.url(), channel["models"][0].as_str().unwrap(), CLIENTS);
        load.answered(10).await;
        // First the pools, then the listener's filter that asks for them: pools wait for filters of their own.
        bench
            .apply_manifest(Case::Own, &format!("other_module={next}"))
            .await;
        wait_for_pools(&pod, 2).await;
        load.answered(20).await;
        let query = format!("module={next}&other_module={now}");
        bench.apply_manifest(Case::Own, &query).await;
        wait_for(&pod, &next).await;
        load.answered(20).await;
        bench
            .apply_manifest(Case::Own, &format!("module={next}"))
            .await;
        wait_for_pools(&pod, 1).await;
        load.answered(20).await;
        load.stop().await.nothing_is_lost();
        check_valid(&bedrock);
    });
}
