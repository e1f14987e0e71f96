//! What applies to all callers.

use axum::extract::State;
use axum::response::Redirect;
use bedrock_filter::config::CallerMode;
use maud::{Markup, html};
use serde_json::Value;

use super::super::fields::Values;
use super::super::form::Fields;
use super::super::inputs::{Choices, Inputs};
use super::super::layout::{Refusal, csrf};
use super::super::session::Session;
use super::super::validate::Notes;
use super::render::{PERMISSIONS, TIERS};
use crate::api::AppState;
use crate::caller::{CallerBook, POLICY_SETTINGS};
use crate::channels::Author;
use crate::fleet::FleetView;
use crate::usage::Forecast;

const MODES: Choices = &[
    ("off", "off: whoever reaches the gateway is served"),
    ("optional", "optional: keys are known, but not required"),
    ("required", "required: only with a key"),
];

const CERTIFICATE_NAMES: Choices = &[
    ("", "none"),
    ("uri_san", "uri_san: a URI, such as a SPIFFE id"),
    ("dns_san", "dns_san: a DNS name"),
    ("subject", "subject"),
];

const LIMIT_MODES: Choices = &[
    ("shared", "shared: a rate limit service, for all Envoys"),
    ("local", "local: each Envoy by itself"),
    ("off", "off: nobody, there are no limits"),
];

pub(super) async fn save(
    State(app): State<AppState>,
    session: Session,
    axum::Form(pairs): Fields,
) -> Result<Redirect, Refusal> {
    let values = Values::sent(pairs);
    session.check_edit(values.csrf())?;
    let known = values.revision().unwrap_or(0);
    let author = Author::new(session.principal.name).expecting(known);
    let body = Value::Object(values.body_of(POLICY_SETTINGS));
    app.callers.edit_policy(author, body.to_string()).await?;
    Ok(Redirect::to("/callers"))
}

pub(super) fn render(
    session: &Session,
    book: &CallerBook,
    has_master_key: bool,
    forecast: Option<&Forecast>,
) -> Markup {
    let values = Values::showing(POLICY_SETTINGS, &book.policy);
    let notes = Notes::default();
    let at = Inputs {
        values: &values,
        notes: &notes,
    };
    let may_edit = session.principal.may_edit().is_ok();
    html! {
        details.card #settings open[book.policy.mode != CallerMode::Required] {
            summary { "Keys are " strong #mode-now { (mode_in_words(book.policy.mode)) } }
            form.stack method="post" action="/callers/settings" {
                (csrf(session))
                input type="hidden" name="revision" value=(book.policy_revision);
                @if book.policy.mode != CallerMode::Required { (foreseen(forecast)) }
                fieldset disabled[!may_edit] {
                    (at.select("mode", "Mode", MODES))
                    (at.select("limit_mode", "Limits are counted by", LIMIT_MODES))
                    div.grid {
                        (at.input("default_rpm", "Requests a minute", "Of each caller without a limit of its own"))
                        (at.input("default_tpm", "Tokens a minute", "Likewise"))
                        (at.input("default_concurrent_requests", "Requests at a time", "Likewise"))
                    }
                    (defaults(at))
                    (at.area("headers", "Headers with keys", "One per line, in lower case; the first with a known key counts."))
                    (sources(at))
                }
                @if may_edit { div.actions { button.primary type="submit" { "Save for all callers" } } }
                p.muted { @if has_master_key { "There is a master key." } @else { "There is no master key." } }
            }
        }
    }
}

/// In one line whether keys are asked for, or that nobody is served.
pub(super) fn state(book: &CallerBook, has_master_key: bool) -> Markup {
    let is_locked_out = book.policy.mode == CallerMode::Required
        && !has_master_key
        && !book.policy.knows_identities()
        && !book.has_keys();
    html! {
        @if is_locked_out {
            p.notice.error role="alert" { "A key is required, and there is none: nobody is served." }
        } @else {
            p { a href="#settings" { "Keys are " (mode_in_words(book.policy.mode)) } "." }
        }
        @if has_master_key && book.policy.mode == CallerMode::Off {
            p.notice.error #unasked-master-key role="alert" {
                "There is a master key, but it protects nothing: nobody is asked for a key until the mode is \u{201c}required\u{201d}."
            }
        }
    }
}

/// Says that connected Envoys have not asked about limits that they should ask about.
pub(super) fn unasked(book: &CallerBook, fleet: &FleetView) -> Markup {
    let count = fleet.not_asking_about_limits();
    let matters = count > 0 && book.has_shared_limits();
    html! {
        @if matters {
            p.notice #unasked-limits {
                "Shared limits are set, and " (count) " of the connected Envoys "
                @if count == 1 { "has" } @else { "have" }
                " not asked this service about limits yet. If callers with limits use them already, and no other rate "
                "limit service counts, their bootstrap lacks the rate limit filter and nothing is limited there."
            }
        }
    }
}

/// What the mode `required` would have changed in the last hour.
fn foreseen(forecast: Option<&Forecast>) -> Markup {
    let Some(own) = forecast else {
        return html! {
            p.muted #forecast {
                "How much traffic \u{201c}required\u{201d} would refuse is shown here where usage is recorded."
            }
        };
    };
    let refused = own.all_refused();
    html! {
        div.notice.good[refused == 0 && own.unknown == 0].error[refused > 0] #forecast {
            p {
                @if own.requests == 0 { "Nobody asked in the last hour, so nobody would have been refused." }
                @else {
                    "Of " (own.requests) " requests in the last hour, "
                    strong { (refused) " (" (percent(refused, own.requests)) ")" }
                    " would have been refused if clients had had to say who they are."
                }
            }
            @if refused > 0 {
                ul { @for (reason, requests) in &own.refused { li { (requests) " " (why(reason)) } } }
            }
            @if own.unknown > 0 {
                p { "Of " (own.unknown) " it is not known: they came while there was no key and no identity to look for." }
            }
        }
    }
}

/// What else than a key says who calls.
fn sources(at: Inputs<'_>) -> Markup {
    html! {
        div.grid {
            (at.select("client_certificate", "Callers by client certificate", CERTIFICATE_NAMES))
            (at.input("jwt_payload", "Payload of JWTs", "The payload_in_metadata of Envoy's jwt_authn"))
            (at.input("identity_header", "Callers by header", "x-bedrock-…, set by a filter in front; empty: none"))
        }
        (at.area("jwt_claims", "Callers by JWT claims", "Names or JSON pointers, one per line; the first that a caller has \
            counts. Empty: none."))
    }
}

/// What goes for requests where the caller does not say.
fn defaults(at: Inputs<'_>) -> Markup {
    html! {
        (at.area("default_guardrail", "Guardrail", "JSON with identifier, version and, optionally, trace: of each \
            caller without one of its own, and of who sends no key."))
        (at.map("default_request_metadata", Some("Request metadata"), "Labels of all requests in Bedrock's invocation log."))
        div.grid {
            (at.select("default_service_tier", "Service tier", TIERS))
            (at.select("default_tools", "Tools", PERMISSIONS))
            (at.select("default_thinking", "Thinking", PERMISSIONS))
            (at.select("default_documents", "Documents", PERMISSIONS))
            (at.select("default_prompt_caching", "Prompt caching", PERMISSIONS))
        }
    }
}

/// A share, rounded up: a single request that would be refused is not 0 %.
fn percent(part: u64, whole: u64) -> String {
    let share = (part.saturating_mul(100)).div_ceil(whole.max(1));
    format!("{share} %")
}

/// The code of a refusal, in words.
fn why(code: &str) -> &str {
    match code {
        "missing_api_key" => "without a key",
        "invalid_api_key" => "with a key that nobody has",
        "expired_api_key" => "with a key that has expired",
        "unknown_identity" => "of clients that Envoy knows, but not as a caller",
        "caller_disabled" => "of a disabled caller",
        "caller_expired" => "of a caller that has expired",
        "model_not_found" => "for a model that the caller may not use",
        "no_keys" => "because nobody has a key or an identity yet",
        other => other,
    }
}

fn mode_in_words(mode: CallerMode) -> &'static str {
    match mode {
        CallerMode::Off => "not asked for",
        CallerMode::Optional => "optional",
        CallerMode::Required => "required",
    }
}
