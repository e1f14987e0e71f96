//! The simulator over real HTTP.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "`json!` literals read best as arguments"
)]

mod account;
mod answers;
mod binary;
mod client;
mod controls;
mod converse;
mod counting;
mod families;
mod faults;
mod messages_refusals;
mod refusals;
mod requests;
mod scripts;
mod signing;
mod streams;
mod thinking;
mod tls;
mod tool_refusals;
