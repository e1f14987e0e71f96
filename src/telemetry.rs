//! Metrics of requests and their fields in the access log: names, labels and values.
//!
//! An exchange says how a request ended ([`Report`]); a [`Book`] turns that into changes of Envoy's statistics, through
//! whatever defines and changes them ([`Meter`]). `docs/METRICS.md` lists all of it for operators, and a test compares
//! that page with the lists here.

mod book;
mod log;
pub mod metric;
mod outcome;
mod report;

pub use book::{Book, Meter};
pub use log::{FIELDS, tell_fields};
pub use metric::{Kind, Label, Metric};
pub use outcome::{End, Outcome, Shared, Speech};
pub use report::{Called, CountedCaller, Ending, Fault, Report};
