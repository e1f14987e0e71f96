//! What the repository ships besides code, and the processes that xtask starts.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test helpers fail by panicking, like tests"
)]

mod all_in_one;
mod bootstraps;
mod charts;
mod compose;
mod documentation;
mod ecs;
mod entrypoint;
mod grafana;
mod iam;
mod observability;
mod process;
mod support;
mod upstreams;
mod workflows;
