//! `POST /api/import`: channels from the list of ARNs that an older gateway kept in `conf/arn.json`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::body::Body;
use super::openapi::{BadRequest, Forbidden, TooLarge};
use super::{App, Principal, Problem};
use crate::channels::{Author, EditError, Request};
use crate::fault::{self, Fault, FaultSchema};

/// One entry of the list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportedEntry)]
struct Entry {
    /// Access key id of the account.
    ak: String,
    /// Name that clients send.
    model: String,
    /// AWS region.
    region: String,
    /// What the name is mapped to.
    arn: String,
}

/// The outcome of an import.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportReport)]
pub(super) struct Report {
    /// One for each access key and region.
    channels: Vec<Imported>,
}

/// A channel that the list calls for.
#[derive(Debug, Serialize, ToSchema)]
struct Imported {
    /// Its name.
    name: String,
    /// `created`, `exists` or `refused`.
    outcome: &'static str,
    /// The new channel's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    id: Option<String>,
    /// Models that the list maps.
    models: usize,
    /// Entries that map a model again; the last one counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    repeated: Vec<String>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<FaultSchema>, required = false)]
    errors: Vec<Fault>,
    /// How many reasons there are, including those not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = usize, required = false)]
    error_count: Option<usize>,
    /// What is left to do.
    next: &'static str,
}

/// The entries of one channel.
#[derive(Default)]
struct Group {
    arns: BTreeMap<String, String>,
    repeated: Vec<String>,
}

#[utoipa::path(
    post,
    path = "/import",
    operation_id = "importChannels",
    tag = "channels",
    summary = "Create channels from an older gateway's list of ARNs",
    request_body(content = Vec<Entry>, example = json!([{
        "ak": "AKIDEXAMPLE",
        "model": "claude-sonnet-4-5",
        "region": "us-east-1",
        "arn": "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456",
    }])),
    responses(
        (status = 200, description = "The outcome for each channel", body = Report),
        (status = 400, response = BadRequest),
        (status = 403, response = Forbidden),
        (status = 413, response = TooLarge),
    ),
)]
pub(super) async fn import(
    State(app): App,
    Extension(principal): Extension<Principal>,
    body: Body,
) -> Result<Json<Report>, Problem> {
    principal.may_edit()?;
    let entries: Vec<Entry> = body.json()?;
    let mut groups = BTreeMap::<(String, String), Group>::new();
    for entry in entries {
        let group = groups.entry((entry.ak, entry.region)).or_default();
        if group.arns.insert(entry.model.clone(), entry.arn).is_some() {
            group.repeated.push(entry.model);
        }
    }
    let mut channels = Vec::new();
    for ((key, region), group) in groups {
        let name = name_of(&key, &region);
        let body = channel(&name, &region, &group);
        let author = Author::new(principal.name.clone());
        let made = app
            .channels
            .edit(author, Request::Create, body.to_string())
            .await;
        channels.push(Imported::new(name, group, made.map(|stored| stored.id))?);
    }
    Ok(Json(Report { channels }))
}

/// A channel that serves nothing yet: the list has no secrets.
fn channel(name: &str, region: &str, group: &Group) -> Value {
    json!({
        "name": name,
        "region": region,
        "enabled": false,
        "credentials": {"type": "default_chain"},
        "inference_profile_arn_map": group.arns,
    })
}

/// A name that follows the rules for channels.
fn name_of(key: &str, region: &str) -> String {
    let text = format!("{key}-{region}");
    let allowed = text.chars().map(|c| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
            c
        } else {
            '-'
        }
    });
    let name: String = allowed
        .skip_while(|c| !c.is_ascii_alphanumeric())
        .take(64)
        .collect();
    if name.is_empty() {
        "imported".to_owned()
    } else {
        name
    }
}

impl Imported {
    fn new(name: String, group: Group, made: Result<String, EditError>) -> Result<Self, Problem> {
        let (outcome, id, mut errors, next) = match made {
            Ok(id) => (
                "created",
                Some(id),
                Vec::new(),
                "set its credentials, test it, and enable it",
            ),
            Err(EditError::NameTaken(_)) => (
                "exists",
                None,
                Vec::new(),
                "compare it with the list yourself",
            ),
            Err(EditError::Invalid(faults)) => (
                "refused",
                None,
                faults,
                "correct the entries and import them again",
            ),
            Err(error) => return Err(error.into()),
        };
        let error_count = fault::cap(&mut errors);
        Ok(Self {
            name,
            outcome,
            id,
            models: group.arns.len(),
            repeated: group.repeated,
            errors,
            error_count: (error_count > 0).then_some(error_count),
            next,
        })
    }
}
