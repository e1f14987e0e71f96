//! `/api/budgets`: what callers may use in a month.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use bedrock_filter::config::is_name;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Body;
use super::openapi::{BadRequest, Forbidden, Invalid, NotFound, TooLarge};
use super::usage::recorded;
use super::{App, AppState, Principal, Problem};
use crate::fault::{Fault, child};
use crate::prices::NanoDollars;
use crate::reader::{self, SyntaxError};
use crate::store::{Budget, BudgetEdit};
use crate::usage::BudgetUse;
use crate::zone::now;

/// What stands for everybody together in a path.
const EVERYBODY: &str = "*";

/// Edits that are listed.
const EDITS: u32 = 100;

/// Most dollars of a budget.
const MAX_DOLLARS: f64 = 1_000_000_000.0;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(list))
        .routes(routes!(set, remove))
}

/// All budgets.
#[derive(Serialize, ToSchema)]
struct Budgets {
    /// That of everybody first.
    budgets: Vec<View>,
    /// The latest edits by way of this API and the page, the last one first; those of callers' own fields are in the
    /// callers' history
    history: Vec<Edit>,
}

/// An edit of a budget.
#[derive(Serialize, ToSchema)]
#[schema(as = BudgetEdit)]
struct Edit {
    /// The caller's name; `*` for everybody together
    caller: String,
    /// Tokens a month from then on
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    tokens: Option<i64>,
    /// US dollars a month from then on
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = f64, required = false)]
    usd: Option<f64>,
    /// When it was made
    #[schema(format = DateTime)]
    at: String,
    /// Who made it
    by: String,
}

impl From<BudgetEdit> for Edit {
    fn from(own: BudgetEdit) -> Self {
        Self {
            caller: shown(&own.caller).to_owned(),
            tokens: own.tokens,
            usd: own.nano_usd.map(dollars),
            at: own.at,
            by: own.actor,
        }
    }
}

/// A caller's name as it is shown.
fn shown(caller: &str) -> &str {
    if caller.is_empty() { EVERYBODY } else { caller }
}

fn dollars(nanos: i64) -> f64 {
    NanoDollars(nanos.unsigned_abs()).dollars()
}

/// A budget, and how far it is used up.
#[derive(Serialize, ToSchema)]
#[schema(as = Budget)]
struct View {
    /// The caller's name; `*` for everybody together
    caller: String,
    /// Tokens a month
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    tokens: Option<i64>,
    /// US dollars a month
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = f64, required = false)]
    usd: Option<f64>,
    /// Tokens that were used this month
    used_tokens: i64,
    /// Billionths of a US dollar that were used this month
    used_nano_usd: i64,
    /// The larger part that is used, 1 for all
    used: f64,
    /// When it begins anew, in seconds since the epoch
    resets_at: i64,
}

impl From<&BudgetUse> for View {
    fn from(own: &BudgetUse) -> Self {
        Self {
            caller: shown(&own.budget.caller).to_owned(),
            tokens: own.budget.tokens,
            usd: own.budget.nano_usd.map(dollars),
            used_tokens: own.spent.tokens,
            used_nano_usd: own.spent.nano_usd,
            used: own.ratio(),
            resets_at: own.resets_at,
        }
    }
}

#[utoipa::path(
    get,
    path = "/budgets",
    operation_id = "listBudgets",
    tag = "usage",
    summary = "What callers may use in a month, and what they have used",
    responses(
        (status = 200, description = "The budgets", body = Budgets),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn list(State(app): App) -> Result<Json<Budgets>, Problem> {
    let uses = recorded(&app)?.budget_uses(now()).await?;
    let edits = app.channels.store().budget_edits(EDITS).await?;
    Ok(Json(Budgets {
        budgets: uses.iter().map(View::from).collect(),
        history: edits.into_iter().map(Edit::from).collect(),
    }))
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only the document reads it")]
struct CallerName {
    /// The caller's name; `*` for everybody together
    caller: String,
}

/// A budget; at least one of the two.
#[derive(Debug, Default, ToSchema)]
pub(crate) struct NewBudget {
    /// Tokens of prompts and answers in a calendar month
    #[schema(required = false)]
    pub(crate) tokens: Option<u64>,
    /// US dollars in a calendar month
    #[schema(required = false)]
    pub(crate) usd: Option<f64>,
}

impl NewBudget {
    /// Reads a body; faults of its fields are added to `faults`.
    fn parse(body: &[u8], faults: &mut Vec<Fault>) -> Result<Self, SyntaxError> {
        let mut new = Self::default();
        reader::fields(body, faults, |name, raw, faults| {
            let at = child("", name);
            match name {
                "tokens" => {
                    new.tokens = reader::nullable_number(raw, &at, faults).flatten();
                }
                "usd" => new.usd = reader::nullable_decimal(raw, &at, faults).flatten(),
                _ => faults.push(reader::unknown(name, &at, &["tokens", "usd"])),
            }
        })?;
        Ok(new)
    }
}

#[utoipa::path(
    put,
    path = "/budgets/{caller}",
    operation_id = "setBudget",
    tag = "usage",
    summary = "Set what a caller may use in a month",
    params(CallerName),
    request_body(content = NewBudget, example = json!({"usd": 500})),
    responses(
        (status = 204, description = "It applies to what is reported from now on"),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 413, response = TooLarge),
        (status = 422, response = Invalid),
    ),
)]
async fn set(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(caller): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let mut faults = Vec::new();
    let new =
        NewBudget::parse(body.as_ref(), &mut faults).map_err(|own| Problem::malformed(&own))?;
    if !faults.is_empty() {
        return Err(Problem::invalid_budget(faults));
    }
    set_budget(&app, &principal, &caller, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    delete,
    path = "/budgets/{caller}",
    operation_id = "removeBudget",
    tag = "usage",
    summary = "Remove the budget of a caller",
    params(CallerName),
    responses(
        (status = 204, description = "It has no budget any more"),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
    ),
)]
async fn remove(
    State(app): App,
    Extension(principal): Extension<Principal>,
    Path(caller): Path<String>,
) -> Result<StatusCode, Problem> {
    remove_budget(&app, &principal, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets the budget of a caller, or of everybody together by the name `*`.
///
/// # Errors
///
/// When the principal may not, or it is not a budget.
pub(crate) async fn set_budget(
    app: &AppState,
    principal: &Principal,
    caller: &str,
    new: &NewBudget,
) -> Result<(), Problem> {
    principal.may_edit()?;
    let ledger = recorded(app)?;
    let budget = read(caller, new).map_err(Problem::invalid_budget)?;
    let contents = app.channels.list().await?;
    let is_known = caller == EVERYBODY || contents.callers.named(caller).is_some();
    let store = app.channels.store();
    store.set_budget(&budget, &principal.name).await?;
    ledger.enforce_stored(store).await?;
    tracing::info!(caller, actor = principal.name, "budget set");
    if !is_known {
        tracing::warn!(caller, "a budget was set for a name that no caller has");
    }
    Ok(())
}

/// Removes the budget of a caller, likewise.
///
/// # Errors
///
/// When the principal may not edit, or no such budget exists.
pub(crate) async fn remove_budget(
    app: &AppState,
    principal: &Principal,
    caller: &str,
) -> Result<(), Problem> {
    principal.may_edit()?;
    let ledger = recorded(app)?;
    let store = app.channels.store();
    // An empty name is nobody's; in the database it stands for everybody.
    let is_removed =
        !caller.is_empty() && store.remove_budget(stored(caller), &principal.name).await?;
    if !is_removed {
        let message = format!(
            "no budget was set for `{caller}`; monthly_tokens and monthly_usd are fields of the caller itself"
        );
        return Err(Problem::not_found(message));
    }
    ledger.enforce_stored(store).await?;
    tracing::info!(caller, actor = principal.name, "budget removed");
    Ok(())
}

/// The name under which the budget of a path's caller is stored. Earlier versions took any, which can still be removed.
fn stored(caller: &str) -> &str {
    if caller == EVERYBODY { "" } else { caller }
}

/// The budget, or everything that is wrong with it.
fn read(caller: &str, new: &NewBudget) -> Result<Budget, Vec<Fault>> {
    let mut faults = Vec::new();
    if caller != EVERYBODY && !is_name(caller) {
        let message = "no caller can have the name in the path: it is 1 to 64 letters, digits, dots, underscores and \
                       hyphens, with a letter or digit first; `*` stands for everybody together";
        faults.push(Fault::new("", "invalid_name", message));
    }
    if new.usd.is_none() && new.tokens.is_none() {
        let message = "needs `tokens` or `usd`; delete the budget to have none";
        faults.push(Fault::new("", "required", message));
    }
    let tokens = new.tokens.map(i64::try_from);
    if let Some(Err(_)) = tokens {
        let message = format!("must be a whole number from 0 to {}", i64::MAX);
        faults.push(Fault::new("/tokens", "out_of_range", message));
    }
    let nano_usd = new.usd.map(nanos);
    if nano_usd == Some(None) {
        let message =
            format!("must be 0, or from a billionth of a dollar to {MAX_DOLLARS} US dollars");
        faults.push(Fault::new("/usd", "out_of_range", message));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Budget {
        caller: stored(caller).to_owned(),
        tokens: tokens.and_then(Result::ok),
        nano_usd: nano_usd.flatten(),
    })
}

/// US dollars in billionths, if there can be a budget of as many. What is more than nothing does not become nothing.
fn nanos(usd: f64) -> Option<i64> {
    let nanos = (usd * 1e9).round();
    let is_sound = (0.0..=MAX_DOLLARS).contains(&usd) && (usd <= 0.0 || nanos >= 1.0);
    is_sound.then_some(nanos as i64)
}
