//! An Envoy dies, and another one replaces it.

use super::edits;
use crate::load::wait_failover;
use crate::wait::{ready, until};
use crate::world::{Outcome, World};

/// Number of the Envoy that dies.
const MORTAL: usize = 1;

/// It is killed, and somebody makes edits while its successor compiles the module, each after this many
/// answers.
pub async fn crash(world: &mut World, pauses: &[u32]) -> Outcome {
    kill(world);
    let fetches = fetches(world);
    world.mortal.restart_unready();
    until("the module is fetched", async || {
        (self::fetches(world) > fetches).then_some(())
    })
    .await?;
    for answers in pauses {
        world.story.wait_answered(*answers).await;
        edits::touch(world).await?;
    }
    reopen(world).await
}

/// It is killed, and its successor waits for a config-service that is down for this many answers.
pub async fn before_the_service(world: &mut World, answers: u32) -> Outcome {
    world.stack.config.kill();
    kill(world);
    world.mortal.restart_unready();
    world.story.wait_answered(answers).await;
    world.stack.config.resume().await;
    reopen(world).await
}

fn kill(world: &mut World) {
    world.story.weather.dead[MORTAL].begin();
    world.doors.close(MORTAL);
    world.mortal.kill();
}

async fn reopen(world: &mut World) -> Outcome {
    ready(&world.mortal).await?;
    wait_failover(&world.story, world.doors.port(MORTAL)).await?;
    world.story.weather.dead[MORTAL].end();
    world.doors.open(MORTAL);
    Ok(())
}

/// How often an Envoy has fetched a module.
fn fetches(world: &World) -> usize {
    world.stack.config.log().matches("/filter/").count()
}
