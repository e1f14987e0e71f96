//! What requests used, as Envoys report it.
//!
//! The [`Ledger`] puts a cost on each record and stores batches; `server` is its gRPC service. Envoys keep what is not
//! acknowledged, and what comes twice counts once.

mod asked;
mod budgets;
mod entry;
mod figures;
mod forecast;
mod ledger;
mod maps;
mod messages;
mod percentiles;
mod retention;
mod server;
mod tally;
pub mod text;
mod traffic;

pub use asked::{Asked, Format};
pub use budgets::{BudgetUse, Month};
pub use forecast::Forecast;
pub use ledger::Ledger;
pub use maps::{MapReport, PassedBy, UnusedEntry};
pub use percentiles::Percentiles;
pub(crate) use retention::keep_pruning;
pub(crate) use server::UsageServer;
pub use tally::{Fate, Tally};
