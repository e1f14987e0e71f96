//! What happens to the control plane and to the Envoys.

mod credentials;
mod edits;
mod envoys;
mod module;
mod service;
mod xds;

use crate::dice::{Dice, Kind, Step};
use crate::settings::Tempo;
use crate::world::{Outcome, World};

pub use edits::Edit;

/// Something that happens to the control plane. It ends with everything up again, and every Envoy on the
/// latest revision. What lasts for a while does so until a number of requests have ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Somebody edits.
    Edit(Edit),
    /// The config-service is killed, and starts again.
    ServiceCrash(u32),
    /// The module is replaced by another one that does the same.
    Upgrade,
    /// The original module comes back.
    Rollback,
    /// Failover is turned off, and on again.
    WithoutFailover(u32),
    /// An Envoy is killed, and a new one starts while edits are made: each number is the pause before one.
    EnvoyCrash(Vec<u32>),
    /// The same while the config-service is down.
    EnvoyFirst(u32),
    /// The xDS streams break.
    CutXds,
    /// Clusters and filters arrive late during an edit, by this many milliseconds.
    SlowXds(u32, u32),
    /// STS fails.
    WithoutSts(u32),
}

/// Every kind of it.
pub const KINDS: &[Kind<Change>] = &[
    |dice| Change::Edit(Edit::Guest(dice.number(50..=200))),
    |dice| Change::Edit(Edit::Disabled(edits::any(dice), dice.number(20..=100))),
    |dice| Change::Edit(Edit::Priorities([0; 2].map(|_| dice.number(0..=3)))),
    |_| Change::Edit(Edit::Rotated),
    |dice| Change::Edit(Edit::Mistyped(edits::any(dice), dice.number(20..=60))),
    |dice| Change::Edit(Edit::Moved(edits::any(dice))),
    |dice| Change::Edit(Edit::Burst(dice.number(2..=8))),
    |_| Change::Edit(Edit::Refused),
    |dice| Change::ServiceCrash(dice.number(20..=300)),
    |_| Change::Upgrade,
    |_| Change::Rollback,
    |dice| Change::WithoutFailover(dice.number(50..=200)),
    |dice| Change::EnvoyCrash(pauses(dice)),
    |dice| Change::EnvoyFirst(dice.number(20..=100)),
    |_| Change::CutXds,
    |dice| Change::SlowXds(dice.number(0..=1500), dice.number(0..=1500)),
    |dice| Change::WithoutSts(dice.number(50..=300)),
];

fn pauses(dice: &mut Dice) -> Vec<u32> {
    let edits = dice.number(0..=3);
    (0..edits).map(|_| dice.number(0..=150)).collect()
}

/// Makes one change after another until the run is over, and calls `changed` after each.
pub async fn walk(
    plan: impl Iterator<Item = Step<Change>>,
    world: &mut World,
    tempo: Tempo,
    mut changed: impl FnMut(&World),
) {
    for step in plan {
        if !super::pause(&world.story, tempo, step.pause).await {
            return;
        }
        world.story.note(&step.action);
        let outcome = apply(&step.action, world).await;
        if let Err(what) = outcome {
            world.story.broken(format!("{:?}: {what}", step.action));
        }
        changed(world);
    }
}

async fn apply(change: &Change, world: &mut World) -> Outcome {
    match change {
        Change::Edit(edit) => edits::apply(edit, world).await?,
        Change::ServiceCrash(answers) => service::crash(world, *answers).await,
        Change::Upgrade => module::upgrade(world).await,
        Change::Rollback => module::roll_back(world).await,
        Change::WithoutFailover(answers) => service::without_failover(world, *answers).await?,
        Change::EnvoyCrash(pauses) => envoys::crash(world, pauses).await?,
        Change::EnvoyFirst(answers) => envoys::before_the_service(world, *answers).await?,
        Change::CutXds => xds::cut(world),
        Change::SlowXds(clusters, filters) => xds::slow(world, *clusters, *filters).await?,
        Change::WithoutSts(answers) => credentials::without_sts(world, *answers).await,
    }
    world.converge().await
}
