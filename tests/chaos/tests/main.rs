//! The chaos suite and the soak; see `src/lib.rs`.

mod chaos;
mod soak;
