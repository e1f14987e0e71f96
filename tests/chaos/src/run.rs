//! A run from its start to its verdict.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::faults::{clients, control, upstream};
use crate::invariants;
use crate::load::Load;
use crate::plan::Plan;
use crate::settings::{Settings, Tempo};
use crate::story::Story;
use crate::world::World;

/// How many steps to show before a fault.
const SHOWN_STEPS: usize = 40;

/// How often to measure memory, after a change.
const SAMPLES: Duration = Duration::from_secs(30);

/// Runs everything that the settings ask for; panics if something happened that must not.
pub async fn run(settings: &Settings) {
    say(&format!("{settings:?}"));
    let mut world = World::start().await;
    let story = Arc::clone(&world.story);
    let samples = storm(&mut world, settings).await;
    if story.faults().is_empty() {
        invariants::check(&mut world).await;
    }
    let summary = summary(settings, &story, samples);
    say(&format!("{summary:#}"));
    if let Some(file) = &settings.summary {
        std::fs::write(file, format!("{summary:#}\n")).expect("the summary is written");
    }
    let (faults, steps) = (story.faults(), story.steps());
    let last = &steps[steps.len().saturating_sub(SHOWN_STEPS)..];
    assert!(
        faults.is_empty(),
        "seed {}: {}\nthe last steps:\n{}",
        settings.seed,
        faults.join("\n"),
        last.join("\n")
    );
}

/// Runs load and faults for as long as the settings say; returns the memory used meanwhile.
async fn storm(world: &mut World, settings: &Settings) -> Vec<Value> {
    let (plan, tempo, story) = (
        Plan(settings.seed),
        settings.tempo,
        Arc::clone(&world.story),
    );
    let load = Load::start(&story, &world.doors, tempo);
    let regions = (Arc::clone(&story), Arc::clone(&world.regions));
    let upstream = tokio::spawn(upstream::walk(plan.upstream(), regions, tempo));
    let street = (Arc::clone(&story), Arc::clone(&world.doors));
    let clients = tokio::spawn(clients::walk(plan.clients(), street, tempo));
    let (length, clock) = (settings.length, Arc::clone(&story));
    let clock = tokio::spawn(async move {
        sleep(length).await;
        clock.end();
    });
    let (mut samples, mut next) = (Vec::new(), Duration::ZERO);
    let sample = |world: &World| {
        let elapsed = story.elapsed();
        if elapsed >= next {
            next = elapsed + SAMPLES;
            samples.push(memory(world));
        }
    };
    control::walk(plan.control(), world, tempo, sample).await;
    clock.abort();
    upstream.await.expect("the regions");
    clients.await.expect("the clients");
    world.doors.wake();
    load.end().await;
    samples
}

fn memory(world: &World) -> Value {
    let (envoy, service) = invariants::sample(world);
    json!({
        "second": world.story.elapsed().as_secs(),
        "envoy_bytes": envoy,
        "config_service_bytes": service,
        "answers": world.story.answers(),
    })
}

fn summary(settings: &Settings, story: &Story, samples: Vec<Value>) -> Value {
    let mut steps: BTreeMap<String, u32> = BTreeMap::new();
    for step in story.steps() {
        let name = step.split(" s ").nth(1).unwrap_or_default();
        let name = name.split(['(', ' ', '{']).next().unwrap_or_default();
        *steps.entry(name.to_owned()).or_default() += 1;
    }
    json!({
        "seed": settings.seed,
        "seconds": settings.length.as_secs(),
        "tempo": match settings.tempo { Tempo::Storm => "storm", Tempo::Gentle => "gentle" },
        "requests": story.tally.all(),
        "steps": steps,
        "memory": samples,
        "memory_at_the_end": story.sizes(),
        "faults": story.faults(),
    })
}

/// Prints to whoever started the run, even where test output is captured.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
