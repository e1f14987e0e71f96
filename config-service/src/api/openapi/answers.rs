//! Answers that several operations have.

#![expect(
    dead_code,
    reason = "the document alone reads them; handlers answer themselves"
)]

use utoipa::IntoResponses;

use crate::caller::CallerView;
use crate::channel::ChannelView;

/// The channel
#[derive(IntoResponses)]
#[response(
    status = 200,
    headers(("etag" = String, description = "Entity tag, for If-Match")),
)]
pub(in crate::api) struct ShownChannel(ChannelView);

/// The channel, which is new; location has its address
#[derive(IntoResponses)]
#[response(
    status = 201,
    headers(
        ("etag" = String, description = "Entity tag, for If-Match"),
        ("location" = String, description = "Address of the channel"),
    ),
)]
pub(in crate::api) struct CreatedChannel(ChannelView);

/// The caller
#[derive(IntoResponses)]
#[response(
    status = 200,
    headers(("etag" = String, description = "Entity tag, for If-Match")),
)]
pub(in crate::api) struct ShownCaller(CallerView);

/// The caller, which is new; location has its address
#[derive(IntoResponses)]
#[response(
    status = 201,
    headers(
        ("etag" = String, description = "Entity tag, for If-Match"),
        ("location" = String, description = "Address of the caller"),
    ),
)]
pub(in crate::api) struct CreatedCaller(CallerView);
