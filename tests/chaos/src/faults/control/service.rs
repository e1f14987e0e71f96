//! The config-service stops and starts.

use crate::load::wait_failover;
use crate::story::ENVOYS;
use crate::world::{Outcome, World};

/// It is killed, and starts again after this many answers, which are not affected.
pub async fn crash(world: &mut World, answers: u32) {
    world.stack.config.kill();
    world.story.wait_answered(answers).await;
    world.stack.config.resume().await;
}

/// It restarts without failover, and after this many answers with it.
pub async fn without_failover(world: &mut World, answers: u32) -> Outcome {
    world.story.weather.single.begin();
    restart(world, false).await;
    world.story.wait_answered(answers).await;
    restart(world, true).await;
    for envoy in 0..ENVOYS {
        wait_failover(&world.story, world.doors.port(envoy)).await?;
    }
    world.story.weather.single.end();
    Ok(())
}

async fn restart(world: &mut World, failover: bool) {
    let change = |arguments: &mut Vec<String>| {
        arguments.retain(|argument| argument != "--failover");
        if failover {
            arguments.push("--failover".to_owned());
        }
    };
    world.stack.config.restart_with(change).await;
}
