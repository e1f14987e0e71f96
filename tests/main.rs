//! Tests of the pure filter from outside: exchanges, parameters, signatures, laws; and of the repository's
//! rules.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test helpers fail by panicking, like tests"
)]

mod exchange;
mod health;
mod messages;
mod metrics_page;
mod models;
mod parameters;
mod released;
mod responses;
mod robustness;
mod signing;
mod silence;
mod tidy;
