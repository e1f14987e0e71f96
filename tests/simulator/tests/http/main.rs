//! The simulator over real HTTP.

mod answers;
mod client;
mod faults;
mod refusals;
mod requests;
mod signing;
mod streams;
mod tls;
