//! Trouble between the Envoys and the config-service.

use std::time::Duration;

use e2e::{CDS, ECDS};

use super::edits;
use crate::world::{Outcome, World};

/// The streams break.
pub fn cut(world: &World) {
    world.stack.proxy.as_ref().expect("a proxy").cut();
}

/// Edits whose clusters and filters arrive this many milliseconds late.
pub async fn slow(world: &mut World, clusters: u32, filters: u32) -> Outcome {
    delay(world, clusters, filters);
    let edited = async {
        edits::touch(world).await?;
        edits::touch(world).await?;
        world.converge().await
    };
    let edited = edited.await;
    delay(world, 0, 0);
    edited
}

fn delay(world: &World, clusters: u32, filters: u32) {
    let proxy = world.stack.proxy.as_ref().expect("a proxy");
    proxy.delay(CDS, Duration::from_millis(clusters.into()));
    proxy.delay(ECDS, Duration::from_millis(filters.into()));
}
