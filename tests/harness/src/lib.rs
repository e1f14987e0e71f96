//! Shared by the tests of the pure filter: a driver for exchanges, and laws.

mod exchange;
pub mod laws;

pub use exchange::{Message, answer, headers, now, routes, send, send_as, send_to};
