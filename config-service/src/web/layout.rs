//! What all pages share: head, navigation, notices.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use bedrock_filter::config::ProtocolName;
use maud::{DOCTYPE, Markup, html};

use super::assets;
use super::session::Session;
use crate::access::Role;
use crate::api::Problem;
use crate::callers::CallerError;
use crate::channels::{ChoiceError, DiscoverError, EditError};
use crate::export::ExportError;
use crate::fault::{Fault, LISTED};
use crate::probe::ProbeError;
use crate::store::StoreError;

/// The entries of the navigation, with the role that each needs.
const PLACES: [(&str, &str, Role); 9] = [
    ("/channels", "Channels", Role::Viewer),
    ("/credentials", "Credentials", Role::Viewer),
    ("/callers", "Callers", Role::Viewer),
    ("/model-choices", "Choices", Role::Viewer),
    ("/explain", "Explain", Role::Viewer),
    ("/history", "History", Role::Viewer),
    ("/usage", "Usage", Role::Viewer),
    ("/tokens", "Tokens", Role::Admin),
    ("/api-reference", "API", Role::Viewer),
];

/// A page.
pub(super) struct Page<'a> {
    /// Its title.
    pub(super) title: &'a str,
    /// The navigation entry that it belongs to.
    pub(super) place: &'a str,
    /// Who is logged in; nobody yet at the login.
    pub(super) session: Option<&'a Session>,
}

impl Page<'_> {
    /// The complete document around the page's content.
    pub(super) fn render(&self, main: &Markup) -> Html<String> {
        let document = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Bedrock channels" }
                    link rel="stylesheet" href=(assets::STYLE);
                    link rel="icon" href=(assets::ICON);
                    script src=(assets::SCRIPT) defer {}
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    @if let Some(session) = self.session { (self.header(session)) }
                    main #main { (main) }
                }
            }
        };
        Html(document.into_string())
    }

    fn header(&self, session: &Session) -> Markup {
        let places = PLACES
            .iter()
            .filter(|(_, _, role)| session.principal.role >= *role);
        html! {
            header.top {
                a.brand href="/channels" { "Bedrock channels" }
                nav aria-label="Main" {
                    @for (address, name, _) in places {
                        a href=(address) aria-current=[(self.place == *address).then_some("page")] {
                            (name)
                        }
                    }
                }
                form.who method="post" action="/logout" {
                    (csrf(session))
                    span { (session.principal.name) " · " (session.principal.role.as_str()) }
                    button.quiet type="submit" { "Log out" }
                }
            }
        }
    }
}

/// The hidden field of every form.
pub(super) fn csrf(session: &Session) -> Markup {
    html! { input type="hidden" name="csrf" value=(session.csrf); }
}

/// What clients speak, the most common first.
const PROTOCOLS: [(ProtocolName, &str); 3] = [
    (ProtocolName::OpenaiChat, "OpenAI chat completions"),
    (ProtocolName::OpenaiResponses, "OpenAI responses"),
    (ProtocolName::AnthropicMessages, "Anthropic Messages"),
];

/// The field in which one chooses what a client speaks.
pub(super) fn protocol_field(label: &str, chosen: ProtocolName) -> Markup {
    html! {
        div.field {
            label for="protocol" { (label) }
            select #protocol name="protocol" {
                @for (name, words) in PROTOCOLS {
                    option value=(name.as_str()) selected[name == chosen] { (words) }
                }
            }
        }
    }
}

/// A page instead of the requested one.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The user must log in, and then continues to this URL.
    LogIn(Option<String>),
    /// Something is wrong.
    Message(StatusCode, String),
}

impl Refusal {
    pub(super) fn log_in(next: Option<String>) -> Self {
        Self::LogIn(next)
    }

    pub(super) fn forbidden(message: &str) -> Self {
        Self::Message(StatusCode::FORBIDDEN, message.to_owned())
    }

    /// A problem with its faults.
    fn listing(problem: &Problem, faults: &[Fault]) -> Self {
        let faults = faults.iter().take(LISTED);
        let message = faults.fold(problem.detail().to_owned(), |text, fault| {
            format!("{text}; {} {}", fault.pointer, fault.message)
        });
        Self::Message(problem.status(), message)
    }

    pub(super) fn bad_request(message: &str) -> Self {
        Self::Message(StatusCode::BAD_REQUEST, message.to_owned())
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Message(problem.status(), problem.detail().to_owned())
    }
}

impl From<EditError> for Refusal {
    fn from(error: EditError) -> Self {
        let faults = error.faults().unwrap_or_default();
        Self::listing(&error.into(), &faults)
    }
}

impl From<CallerError> for Refusal {
    fn from(error: CallerError) -> Self {
        let faults = error.faults().unwrap_or_default();
        Self::listing(&error.into(), &faults)
    }
}

impl From<ChoiceError> for Refusal {
    fn from(error: ChoiceError) -> Self {
        let faults = error.faults().unwrap_or_default();
        Self::listing(&error.into(), &faults)
    }
}

impl From<ExportError> for Refusal {
    fn from(error: ExportError) -> Self {
        Problem::from(error).into()
    }
}

impl From<DiscoverError> for Refusal {
    fn from(error: DiscoverError) -> Self {
        Problem::from(error).into()
    }
}

impl From<ProbeError> for Refusal {
    fn from(error: ProbeError) -> Self {
        Problem::from(error).into()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::LogIn(None) => Redirect::to("/login").into_response(),
            Self::LogIn(Some(next)) => {
                let query: String = form_urlencoded(&next);
                Redirect::to(&format!("/login?next={query}")).into_response()
            }
            Self::Message(status, message) => {
                let page = Page {
                    title: "Not possible",
                    place: "",
                    session: None,
                };
                let main = html! {
                    section.card.narrow {
                        h1 { (status.canonical_reason().unwrap_or("Not possible")) }
                        p role="alert" { (message) }
                        p { a href="/channels" { "To the channels" } }
                    }
                };
                (status, page.render(&main)).into_response()
            }
        }
    }
}

/// A text, encoded as the value of a query parameter.
pub(super) fn form_urlencoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A time as shown to people: to the second, in UTC.
pub(super) fn time(rfc3339: &str) -> Markup {
    let shown = rfc3339.get(..19).unwrap_or(rfc3339).replace('T', " ");
    html! { time datetime=(rfc3339) { (shown) " UTC" } }
}
