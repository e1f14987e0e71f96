//! The config-service over real HTTP and real gRPC, in this process or in its own.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test helpers fail by panicking, like tests"
)]
#![allow(unreachable_pub, reason = "modules of one test program")]

mod admin_limits;
mod admin_tls;
mod answers;
mod apply;
mod browser;
mod caller_commands;
mod caller_import;
mod caller_uses;
mod callers;
mod channel_health;
mod channels_api;
mod common;
mod credential_sources;
mod database_file;
mod destinations;
mod discovery;
mod documentation;
mod documented_commands;
mod durability;
mod edit_conflicts;
mod explain;
mod export;
mod first_channels;
mod history;
mod import;
mod impossible;
mod istio;
mod kill;
mod limit_rules;
mod many_envoys;
mod metrics;
mod model_choices;
mod openapi;
mod probe;
mod program;
mod random_edits;
mod rate_limits;
mod round_trip;
mod sealing;
mod secret_files;
mod secrets;
mod shared_credentials;
mod tokens;
mod usage;
mod vanished;
mod web;
mod wrong_tokens;
mod xds;
mod xds_resources;
mod xds_tls;
