//! The refusals that operations declare: what each means, with an example.

use std::collections::BTreeMap;

use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToResponse};

use super::Problem;
use crate::access::{Principal, Role};
use crate::fault::Fault;

/// Defines types that operations name as their responses.
macro_rules! refusals {
    ($($(#[doc = $meaning:literal])+ $name:ident => $example:expr;)+) => {
        $(
            $(#[doc = $meaning])+
            pub(in crate::api) enum $name {}

            impl<'r> ToResponse<'r> for $name {
                fn response() -> (&'r str, RefOr<Response>) {
                    let meaning = concat!($($meaning),+).trim();
                    (stringify!($name), response(meaning, &$example))
                }
            }
        )+
    };
}

refusals! {
    /// The body, a parameter or a header cannot be read
    BadRequest => Problem::bad_request("the parameter limit is 0; it must be 1 to 500");
    /// No token, or a wrong one
    Unauthorized => Problem::unauthorized();
    /// The token's role is not sufficient
    Forbidden => Problem::forbidden(&viewer(), Role::Editor);
    /// What the path names does not exist
    NotFound => Problem::not_found("there is no channel with the id `0123`");
    /// The name is taken, or the state of the channels does not allow it
    Conflict => Problem::name_taken("channel", "team-a");
    /// The channel was edited since it was read
    Outdated => Problem::outdated("channel", Some(8));
    /// The body is too long
    TooLarge => Problem::too_large(1024 * 1024);
    /// The body violates rules; every fault is listed
    Invalid => Problem::invalid_channel(vec![Fault::new("/region", "required", "is required")]);
    /// Something that the service needs does not work right now
    Unavailable => Problem::unavailable("the database does not answer");
}

/// Whatever an edit can be refused for, but that there is no such channel.
pub(in crate::api) enum EditRefused {}

impl IntoResponses for EditRefused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let refusals = [
            ("400", BadRequest::response()),
            ("403", Forbidden::response()),
            ("409", Conflict::response()),
            ("412", Outdated::response()),
            ("413", TooLarge::response()),
            ("422", Invalid::response()),
        ];
        let refusals = refusals
            .into_iter()
            .map(|(status, (name, _))| (status.to_owned(), Ref::from_response_name(name).into()));
        refusals.collect()
    }
}

fn viewer() -> Principal {
    Principal {
        name: "dashboard".to_owned(),
        role: Role::Viewer,
    }
}

fn response(meaning: &str, example: &Problem) -> RefOr<Response> {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .example(serde_json::to_value(example).ok())
        .build();
    let response = ResponseBuilder::new()
        .description(meaning)
        .content("application/problem+json", content);
    response.build().into()
}

/// Adds the refusal of callers without a token to every operation that needs one.
pub(super) fn add_unauthorized(document: &mut OpenApi) {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        if operation.security.is_none() {
            let refused = Ref::from_response_name("Unauthorized");
            let responses = &mut operation.responses.responses;
            responses.insert("401".to_owned(), refused.into());
        }
    }
}

/// The operations of a path, for the methods that this service uses.
fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut path.get,
        &mut path.put,
        &mut path.post,
        &mut path.patch,
        &mut path.delete,
    ]
    .into_iter()
    .flatten()
}
