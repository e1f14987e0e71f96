//! What the repository ships besides code, and the processes that xtask starts.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod bootstraps;
mod compose;
mod documentation;
mod entrypoint;
mod process;
mod support;
