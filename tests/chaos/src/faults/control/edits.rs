//! Edits of channels while chats run.

use bedrock_simulator::Key;
use reqwest::Method;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::secrets::{check, secret};
use crate::story::Name;
use crate::world::{Outcome, World, credentials, key, mistyped};

/// An edit.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// A channel is created, and deleted after this many answers.
    Guest(u32),
    /// A channel is disabled for this many answers.
    Disabled(Name, u32),
    /// Channels swap places.
    Priorities([u32; 2]),
    /// A channel gets another access key.
    Rotated,
    /// A channel has wrong credentials for this many answers.
    Mistyped(Name, u32),
    /// A channel gets another endpoint.
    Moved(Name),
    /// This many edits in a row, without waiting in between.
    Burst(u32),
    /// Invalid edits.
    Refused,
}

/// A channel that may be edited in any way.
pub fn any(dice: &mut Dice) -> Name {
    dice.one_of(&[Name::A, Name::B])
}

/// Makes an edit.
pub async fn apply(edit: &Edit, world: &mut World) -> Outcome {
    match edit {
        Edit::Guest(answers) => guest(world, *answers).await,
        Edit::Disabled(name, answers) => {
            world.patch(*name, &json!({"enabled": false})).await?;
            world.converge().await?;
            world.story.wait_answered(*answers).await;
            world.patch(*name, &json!({"enabled": true})).await
        }
        Edit::Priorities([a, b]) => {
            world.patch(Name::A, &json!({"priority": a})).await?;
            world.patch(Name::B, &json!({"priority": b})).await
        }
        Edit::Rotated => rotate(world).await,
        Edit::Mistyped(name, answers) => {
            world
                .patch(*name, &json!({"credentials": mistyped()}))
                .await?;
            world.story.wait_answered(*answers).await;
            world
                .patch(*name, &json!({"credentials": credentials(*name)}))
                .await
        }
        Edit::Moved(name) => {
            let endpoint = world.regions.of(*name).relocate().await;
            // Secrets do not move to another endpoint by themselves.
            let change = json!({"endpoint": endpoint, "credentials": credentials(*name)});
            world.patch(*name, &change).await
        }
        Edit::Burst(edits) => {
            for _ in 0..*edits {
                touch(world).await?;
            }
            Ok(())
        }
        Edit::Refused => refused(world).await,
    }
}

/// An edit that changes the pools of all requests, but not what any of them gets.
pub async fn touch(world: &mut World) -> Outcome {
    world.serial += 1;
    let weight = 1 + world.serial % 100;
    let priority = world.serial % 3;
    world.patch(Name::C, &json!({"weight": weight})).await?;
    world.patch(Name::B, &json!({"priority": priority})).await
}

async fn guest(world: &mut World, answers: u32) -> Outcome {
    let body = world.regions.channel(Name::D);
    world.create(Name::D, &body).await?;
    world.converge().await?;
    world.story.wait_answered(answers).await;
    let region = world.regions.of(Name::D);
    let path = format!("/api/channels/{}", region.channel().unwrap_or_default());
    region.set_channel(None);
    world
        .call(Method::DELETE, &path, &Value::Null, 204)
        .await
        .map(drop)
}

async fn rotate(world: &mut World) -> Outcome {
    world.serial += 1;
    let (id, name) = (
        format!("AKIDROTATED{}", world.serial),
        format!("a-{}", world.serial),
    );
    world
        .regions
        .of(Name::A)
        .admit(Key::new(&id, secret(&name)));
    world
        .patch(Name::A, &json!({"credentials": key(&id, &name)}))
        .await
}

async fn refused(world: &mut World) -> Outcome {
    let id = world.regions.of(Name::A).channel().unwrap_or_default();
    let path = format!("/api/channels/{id}");
    let secret = secret("a");
    for change in [
        json!({"region": "mars"}).to_string(),
        json!({"credentials": {"type": secret, "secret_access_key": secret}}).to_string(),
        json!({"secret_access_key": secret}).to_string(),
        format!("{{\"credentials\": {{\"secret_access_key\": \"{secret}"),
        // Secrets stay where they are.
        json!({"endpoint": "http://127.0.0.1:1"}).to_string(),
    ] {
        let config = &world.stack.config;
        let reply = config.call_text(Method::PATCH, &path, &change).await;
        check(&reply.text, "a refusal")?;
        if ![400, 422].contains(&reply.status) {
            return Err(format!("{change} got {reply:?}"));
        }
    }
    Ok(())
}
