//! What a channel's account has.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Html, Redirect};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::layout::{Page, Refusal, csrf, time};
use super::session::Session;
use crate::api::AppState;
use crate::channel::{Discovery, FoundProfiles, StoredChannel};
use crate::channels::{Author, Report, Request};
use crate::discovery::Offer;

/// The most models or profiles that a list shows: browsers get slow with more.
const SHOWN: usize = 1000;

#[derive(Deserialize)]
pub(super) struct Asked {
    csrf: Option<String>,
}

/// A profile that is to get a name.
#[derive(Deserialize)]
pub(super) struct Mapped {
    csrf: Option<String>,
    name: String,
    arn: String,
}

pub(super) async fn page(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Html<String>, Refusal> {
    let stored = app.channels.get(&id).await?;
    Ok(show(&session, &stored, &Ok(Report::of(&stored))))
}

pub(super) async fn ask(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Form(asked): Form<Asked>,
) -> Result<Html<String>, Refusal> {
    session.check_edit(asked.csrf.as_deref())?;
    let report = app.channels.discover(&id).await.map_err(Into::into);
    let stored = app.channels.get(&id).await?;
    Ok(show(&session, &stored, &report))
}

/// Puts a profile into the channel's map.
pub(super) async fn map(
    State(app): State<AppState>,
    session: Session,
    Path(id): Path<String>,
    Form(mapped): Form<Mapped>,
) -> Result<Redirect, Refusal> {
    session.check_edit(mapped.csrf.as_deref())?;
    let stored = app.channels.get(&id).await?;
    let mut arns = stored.channel.inference_profile_arn_map.clone();
    let name = mapped.name.trim().to_owned();
    if arns.contains_key(&name) {
        let message = "The channel maps this name already; choose another one.";
        return Err(Refusal::bad_request(message));
    }
    arns.insert(name.clone(), mapped.arn);
    let mut body = json!({"inference_profile_arn_map": arns});
    let models = &stored.channel.models;
    if !models.is_empty()
        && !models.contains(&name)
        && let Some(body) = body.as_object_mut()
    {
        // A channel with a list serves what is in it.
        let models: Vec<_> = models.iter().chain([&name]).collect();
        body.insert("models".to_owned(), json!(models));
    }
    let author = Author::new(session.principal.name).expecting(stored.revision);
    app.channels
        .edit(author, Request::Patch(id.clone()), body.to_string())
        .await?;
    Ok(Redirect::to(&format!("/channels/{id}/discovery")))
}

fn show(
    session: &Session,
    stored: &StoredChannel,
    report: &Result<Report, Refusal>,
) -> Html<String> {
    let page = Page {
        title: "Account",
        place: "/channels",
        session: Some(session),
    };
    page.render(&html! {
        div.heading {
            h1 { "Account of " (stored.channel.name) }
            nav.tabs aria-label="Channel" { a href={ "/channels/" (stored.id) } { "Edit" } }
        }
        p.muted { "What the account has in " code { (stored.channel.region) } ", according to Bedrock's control plane. No model is called, and AWS charges nothing." }
        @if session.principal.may_edit().is_ok() {
            form method="post" action={ "/channels/" (stored.id) "/discovery" } data-busy="Asking AWS …" {
                (csrf(session))
                div.actions { button.primary type="submit" { "Ask now" } }
            }
        }
        @match report {
            Ok(report) => { section #discovery aria-live="polite" { (told(session, stored, report)) } }
            Err(Refusal::Message(_, reason)) => { p.notice.error role="alert" { (reason) } }
            Err(Refusal::LogIn(_)) => {}
        }
    })
}

fn told(session: &Session, stored: &StoredChannel, report: &Report) -> Markup {
    let Some(found) = report.discovery() else {
        return html! { section.card.empty { p { "The account has never been asked." } } };
    };
    html! {
        @if report.is_outdated() {
            p.notice.error { "This is about " code { (found.origin) } ", not about what the channel calls now. Ask again." }
        }
        @for problem in &found.problems {
            div.notice.error {
                strong { (problem.operation) " " (problem.code) } ": " (problem.message)
                @if let Some(remedy) = &problem.remedy { p.remedy { (remedy) } }
            }
        }
        (summary(report, found))
        @if !report.warnings().is_empty() {
            section.card #warnings {
                h2 { "Warnings" }
                ul { @for own in report.warnings() { li { code { (own.pointer) } " " (own.message) } } }
            }
        }
        @if !report.offers().is_empty() {
            section.card #offers {
                h2 { "Profiles that are not mapped" }
                @for offer in report.offers() { (self::offer(session, stored, offer)) }
            }
        }
        (models(found))
        (profiles("Profiles of the account", found.application_profiles.as_ref()))
        (profiles("Profiles of AWS", found.system_profiles.as_ref()))
    }
}

fn summary(report: &Report, found: &Discovery) -> Markup {
    html! {
        section.card {
            dl.facts {
                dt { "Asked" } dd { (time(&found.asked_at)) }
                dt { "Host" } dd { code { (found.origin) } }
                @if let Some(names) = report.names() {
                    dt { "Names that are served" }
                    dd { details { summary { (names.len()) } @for name in names { code.model { (name) } " " } } }
                }
            }
        }
    }
}

fn offer(session: &Session, stored: &StoredChannel, offer: &Offer) -> Markup {
    html! {
        form.offer.stack method="post" action={ "/channels/" (stored.id) "/discovery/map" } {
            (csrf(session))
            input type="hidden" name="arn" value=(offer.arn);
            div { strong { (offer.profile) } " " @for model in &offer.models { code.model { (model) } " " } }
            small { code { (offer.arn) } }
            @if session.principal.may_edit().is_ok() {
                div.actions {
                    input type="text" name="name" value=(offer.name) required aria-label={ "Name for " (offer.profile) };
                    button type="submit" { "Map" }
                }
            }
        }
    }
}

fn models(found: &Discovery) -> Markup {
    html! {
        section.card {
            @match &found.models {
                None => { h2 { "Models" } p { "Not known." } }
                Some(list) => {
                    details {
                        summary { h2 { "Models: " (list.found.len()) } " " small.muted { (time(&list.asked_at)) } }
                        ul.plain {
                            @for own in list.found.iter().take(SHOWN) {
                                li {
                                    code { (own.id) } " " (own.name) " "
                                    @if !own.on_demand { span.badge.muted { "only through profiles" } }
                                    @if !own.text { span.badge.muted { "no text" } }
                                    @if own.legacy { span.badge.bad { "legacy" } }
                                    @if let Some(end) = &own.end_of_life { small { " until " (time(end)) } }
                                }
                            }
                            (left_out(list.found.len()))
                        }
                    }
                }
            }
        }
    }
}

fn profiles(title: &str, list: Option<&FoundProfiles>) -> Markup {
    html! {
        section.card {
            @match list {
                None => { h2 { (title) } p { "Not known." } }
                Some(list) => {
                    details {
                        summary { h2 { (title) ": " (list.found.len()) } " " small.muted { (time(&list.asked_at)) } }
                        ul.plain {
                            @for own in list.found.iter().take(SHOWN) {
                                li { code { (own.id) } " " (own.name) " " @for model in &own.models { code.model { (model) } " " } }
                            }
                            (left_out(list.found.len()))
                        }
                    }
                }
            }
        }
    }
}

/// Says that a list is longer than shown.
fn left_out(count: usize) -> Markup {
    let rest = count.saturating_sub(SHOWN);
    html! {
        @if rest > 0 { li.muted { "and " (rest) " more, which the API lists" } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::FoundProfile;

    #[test]
    fn a_list_that_is_cut_says_so() {
        let shown = |count: usize| {
            let list = FoundProfiles {
                found: vec![FoundProfile::default(); count],
                ..FoundProfiles::default()
            };
            profiles("Profiles", Some(&list)).into_string()
        };
        assert!(!shown(SHOWN).contains("more"));
        let cut = shown(SHOWN + 2);
        assert!(cut.contains("and 2 more"), "the end of the list is missing");
        assert_eq!(cut.matches("<li>").count(), SHOWN);
    }
}
