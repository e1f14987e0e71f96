//! Calls that the service makes itself, and what they must not reach.

pub(crate) mod address;
