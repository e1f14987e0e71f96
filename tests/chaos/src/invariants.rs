//! What must hold once the storm is over.

mod dumps;
mod fleet;
mod memory;

pub use memory::sample;

use crate::world::World;

/// Runs the checks one after another, in calm conditions; violations become part of the story.
pub async fn check(world: &mut World) {
    world.regions.calm();
    world.sts.fail(None);
    for (name, outcome) in [
        ("the fleet", fleet::runs_the_last_revision(world).await),
        ("streams", fleet::has_no_open_streams(world).await),
        ("crashes", fleet::never_crashed(world).await),
        ("the dumps", dumps::show_nothing(world).await),
        ("memory", memory::is_back(world).await),
    ] {
        if let Err(what) = outcome {
            world.story.broken(format!("{name}: {what}"));
        }
    }
}
