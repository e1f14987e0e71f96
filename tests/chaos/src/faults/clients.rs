//! Clients and administrators who do what they should not.

mod admin;
mod chat;

use std::sync::Arc;

use reqwest::Client;

use crate::dice::{Dice, Kind, Step};
use crate::load::Doors;
use crate::settings::Tempo;
use crate::story::Story;

/// Something done to the steady Envoy or the admin address.
#[derive(Clone, Debug, PartialEq)]
pub enum Nuisance {
    /// This many chats at once, with this many bytes besides their words.
    BigBodies(u32, usize),
    /// A body over the limit.
    TooBig,
    /// Nonsensical bodies, methods and paths.
    Nonsense,
    /// This many clients disconnect in the middle of their request.
    HalfRequests(u32),
    /// This many clients disconnect as soon as the answer starts.
    HalfAnswers(u32),
    /// This many clients send part of their headers, and nothing more until this many requests have
    /// ended.
    HalfHeads(u32, u32),
    /// This many wrong tokens at the admin address.
    WrongTokens(u32),
    /// The same as `HalfHeads` at the admin address.
    SlowAdmins(u32, u32),
    /// This many made-up methods and paths at the admin address.
    MadeUp(u32),
    /// Somebody reads every page.
    Curious,
}

/// Every kind of it.
pub const KINDS: &[Kind<Nuisance>] = &[
    |dice| Nuisance::BigBodies(dice.number(1..=4), size(dice)),
    |dice| Nuisance::BigBodies(dice.number(1..=4), size(dice)),
    |_| Nuisance::TooBig,
    |_| Nuisance::Nonsense,
    |dice| Nuisance::HalfRequests(dice.number(1..=16)),
    |dice| Nuisance::HalfAnswers(dice.number(1..=16)),
    |dice| Nuisance::HalfHeads(dice.number(1..=64), dice.number(20..=200)),
    |dice| Nuisance::WrongTokens(dice.number(1..=15)),
    |dice| Nuisance::SlowAdmins(dice.number(1..=64), dice.number(20..=200)),
    |dice| Nuisance::MadeUp(dice.number(1..=64)),
    |_| Nuisance::Curious,
];

fn size(dice: &mut Dice) -> usize {
    dice.number(10..=2000) as usize * 1000
}

/// What a nuisance needs.
#[derive(Debug)]
pub struct Street {
    /// What happens.
    pub story: Arc<Story>,
    /// Where it happens.
    pub doors: Arc<Doors>,
    client: Client,
}

/// Does one thing after another until the run is over.
pub async fn walk(
    plan: impl Iterator<Item = Step<Nuisance>>,
    (story, doors): (Arc<Story>, Arc<Doors>),
    tempo: Tempo,
) {
    let street = Street {
        story,
        doors,
        client: crate::load::client(1),
    };
    for step in plan {
        if !super::pause(&street.story, tempo, step.pause).await {
            return;
        }
        street.story.note(&step.action);
        if let Err(what) = apply(&step.action, &street).await {
            street.story.broken(format!("{:?}: {what}", step.action));
        }
    }
}

async fn apply(nuisance: &Nuisance, street: &Street) -> Result<(), String> {
    match nuisance {
        Nuisance::BigBodies(chats, bytes) => chat::big_bodies(street, *chats, *bytes).await,
        Nuisance::TooBig => return chat::too_big(street).await,
        Nuisance::Nonsense => return chat::nonsense(street).await,
        Nuisance::HalfRequests(clients) => chat::half_requests(street, *clients).await,
        Nuisance::HalfAnswers(clients) => chat::half_answers(street, *clients).await,
        Nuisance::HalfHeads(clients, answers) => {
            chat::half_heads(
                street,
                street.doors.port(chat::STEADY),
                (*clients, *answers),
            )
            .await;
        }
        Nuisance::WrongTokens(tokens) => return admin::wrong_tokens(street, *tokens).await,
        Nuisance::SlowAdmins(clients, answers) => {
            chat::half_heads(street, street.doors.admin_port(), (*clients, *answers)).await;
        }
        Nuisance::MadeUp(requests) => admin::made_up(street, *requests).await,
        Nuisance::Curious => return admin::curious(street).await,
    }
    Ok(())
}
