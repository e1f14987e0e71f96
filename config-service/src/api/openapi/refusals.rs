//! The refusals that operations name: what each means, and what one looks like.

use utoipa::ToResponse;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder};

use super::Problem;
use crate::access::{Principal, Role};
use crate::fault::Fault;

/// Makes types whose names operations use for their responses.
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
    /// The token's role does not suffice
    Forbidden => Problem::forbidden(&viewer(), Role::Editor);
    /// There is no such thing
    NotFound => Problem::not_found("there is no channel with the id `0123`");
    /// The name is taken, or the state of the channels stands against it
    Conflict => Problem::name_taken("team-a");
    /// The channel was edited since it was read
    Outdated => Problem::outdated(Some(8));
    /// The body is too long
    TooLarge => Problem::too_large(1024 * 1024);
    /// The body breaks rules; each fault is listed
    Invalid => Problem::invalid_channel(vec![Fault::new("/region", "required", "is required")]);
    /// Something that is needed does not work right now
    Unavailable => Problem::unavailable("the database does not answer");
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

/// Adds what whoever shows no token gets, to every operation that needs one.
pub(super) fn add_unauthorized(document: &mut OpenApi) {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        if operation.security.is_none() {
            let refused = Ref::from_response_name("Unauthorized");
            let responses = &mut operation.responses.responses;
            responses.insert("401".to_owned(), refused.into());
        }
    }
}

/// The operations of a path, of the methods that this service has.
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
