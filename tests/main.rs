//! The pure filter from outside: exchanges, parameters, signatures, laws; and the rules of the repository.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod exchange;
mod parameters;
mod robustness;
mod signing;
mod tidy;
