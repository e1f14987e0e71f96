//! Other modules, which do the same.

use crate::world::World;

/// A module that has not been used before.
pub async fn upgrade(world: &mut World) {
    world.editions = world.editions.wrapping_add(1).max(1);
    serve(world, world.editions).await;
}

/// The original module.
pub async fn roll_back(world: &mut World) {
    serve(world, 0).await;
}

async fn serve(world: &mut World, edition: u8) {
    world.stack.write_edition(edition);
    world.stack.config.restart_with(|_| ()).await;
}
