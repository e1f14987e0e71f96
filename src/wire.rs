//! Formats that bytes have on the wire, whoever sends them.

pub mod event_stream;
pub(crate) mod openai;
pub(crate) mod sse;
