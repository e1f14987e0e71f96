//! What the filter costs, counted instead of timed.
//!
//! The module that Envoy loads runs in an interpreter ([`vm`]) with a simulated Envoy around it ([`host`]),
//! and whole exchanges are played through it ([`envoy`]). A count is the same on every machine and under
//! any load, so a change that makes an exchange more expensive fails a test ([`comparison`]), where a
//! measured time would need tolerance.
//!
//! [`exchanges`] defines what is played and what the correct answers are, [`measure`] counts the cost,
//! [`figures`] names what is counted, [`ledger`] keeps it in a file, [`table`] shows it in the
//! documentation.

pub mod comparison;
pub mod envoy;
pub mod exchanges;
pub mod figures;
pub mod host;
pub mod ledger;
pub mod measure;
pub mod table;
pub mod vm;
