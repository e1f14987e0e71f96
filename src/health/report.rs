//! The report in the answer to `GET /health`.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde::Serialize;

use super::{Ledger, Standing, Trouble};
use crate::routes::{CompiledChannel, Permitted, Routes};

/// Stands for the models of a channel that names none.
const ANY_MODEL: &str = "*";

/// What stands for the model where its name is an ARN.
const ARN: &str = "(an ARN)";

#[derive(Serialize)]
struct Report {
    healthy_endpoints: Vec<Endpoint>,
    unhealthy_endpoints: Vec<Endpoint>,
    unknown_endpoints: Vec<Endpoint>,
    healthy_count: usize,
    unhealthy_count: usize,
    unknown_count: usize,
}

/// A model on a channel.
#[derive(Serialize)]
struct Endpoint {
    model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_answered: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failed: Option<u64>,
}

/// What is wrong, in a word.
#[derive(Serialize)]
#[serde(untagged)]
enum Reason {
    Seen(Trouble),
    Known(&'static str),
}

/// The channels that serve a model, or every one with the models that it names and those that were asked of it, as JSON;
/// without what the caller may not use. `recall` gets the ledger of a channel.
#[must_use]
pub fn report(
    permitted: Permitted<'_>,
    model: Option<&str>,
    now: SystemTime,
    recall: &mut dyn FnMut(&str) -> Ledger,
) -> Vec<u8> {
    let routes = permitted.routes();
    let (mut healthy, mut unhealthy, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for channel in permitted.channels() {
        let ledger = recall(&channel.channel.name);
        for name in names(permitted, channel, model, &ledger) {
            let standing = standing(channel, &ledger, (&name, routes.revision()), now);
            let place = match standing.0.is_healthy {
                Some(true) => &mut healthy,
                Some(false) => &mut unhealthy,
                None => &mut unknown,
            };
            place.push(endpoint(routes, channel, &name, standing));
        }
    }
    let report = Report {
        healthy_count: healthy.len(),
        unhealthy_count: unhealthy.len(),
        unknown_count: unknown.len(),
        healthy_endpoints: healthy,
        unhealthy_endpoints: unhealthy,
        unknown_endpoints: unknown,
    };
    // Strings and numbers always serialise.
    serde_json::to_vec(&report).unwrap_or_default()
}

/// The answer to a liveness probe. That there is one says everything.
#[must_use]
pub fn alive() -> Vec<u8> {
    b"\"I'm alive!\"".to_vec()
}

/// The answer to a readiness probe: the gateway serves once the filter has a configuration.
///
/// Also without channels: every gateway has the same, so a client of one that is taken out of service would find none
/// instead of an error that says what is missing.
#[must_use]
pub fn ready(routes: &Routes) -> Vec<u8> {
    #[derive(Serialize)]
    struct Ready {
        status: &'static str,
        revision: u64,
    }
    let ready = Ready {
        status: "healthy",
        revision: routes.revision(),
    };
    serde_json::to_vec(&ready).unwrap_or_default()
}

/// The names of models to tell a channel's standing with.
fn names(
    permitted: Permitted<'_>,
    channel: &CompiledChannel,
    model: Option<&str>,
    ledger: &Ledger,
) -> BTreeSet<String> {
    let own = &channel.channel;
    let is_served = |name: &&str| permitted.is_served_by(&own.name, name);
    if let Some(model) = model {
        let served = Some(model).filter(is_served);
        return served.map(str::to_owned).into_iter().collect();
    }
    let mut written = own.written_names().map(String::as_str).peekable();
    let names_none = written.peek().is_none();
    // What is written is shown even if it leads nowhere, except to whom it is not for.
    let is_shown = |name: &&str| permitted.may_ask_for(name) || is_served(name);
    let seen = ledger.models().filter(is_served);
    let all = written.filter(is_shown).chain(seen);
    let mut names: BTreeSet<_> = all.map(str::to_owned).collect();
    if names.is_empty() && names_none {
        names.insert(ANY_MODEL.to_owned());
    }
    names
}

/// How a channel is doing with a model, and what is wrong with it that no call had to show.
fn standing(
    channel: &CompiledChannel,
    ledger: &Ledger,
    (model, revision): (&str, u64),
    now: SystemTime,
) -> (Standing, bool) {
    let standing = ledger.standing(model, revision, now);
    if channel.channel.credentials.are_valid(now) {
        return (standing, false);
    }
    let standing = Standing {
        is_healthy: Some(false),
        trouble: None,
        ..standing
    };
    (standing, true)
}

fn endpoint(
    routes: &Routes,
    channel: &CompiledChannel,
    name: &str,
    (standing, lacks_credentials): (Standing, bool),
) -> Endpoint {
    // Whoever hides it from answers hides it here.
    let is_shown = routes.failover().is_none_or(|own| own.answer_headers);
    let own = &channel.channel;
    let (error, reason) = match standing.trouble {
        _ if lacks_credentials => (
            Some("The channel has no valid credentials."),
            Some(Reason::Known("no_credentials")),
        ),
        Some(trouble) => (Some(trouble.told()), Some(Reason::Seen(trouble))),
        None => (None, None),
    };
    Endpoint {
        model: if name.contains("arn:") { ARN } else { name }.to_owned(),
        channel: is_shown.then(|| own.name.clone()),
        region: own.region.clone(),
        error,
        reason,
        last_answered: standing.answered,
        last_failed: standing.failed,
    }
}
