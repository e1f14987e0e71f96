//! The filter's individual stages: the same code is timed natively and in V8.
//!
//! `cargo bench --package stages` times them with criterion; `cargo xtask bench --stages` compares
//! native code with Wasm. [`dialects`] has each dialect's work, [`long`] what long requests cost,
//! [`shared`] what all requests need.

#![warn(missing_docs)]

pub mod dialects;
mod exports;
mod golden;
pub mod long;
pub mod shared;

/// A piece of work to time.
pub struct Stage {
    /// Its name, such as `encode/anthropic`.
    pub name: String,
    /// Runs it once.
    pub run: Box<dyn Fn()>,
}

impl Stage {
    fn new(name: impl Into<String>, run: impl Fn() + 'static) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
        }
    }
}

/// All stages.
#[must_use]
pub fn stages() -> Vec<Stage> {
    let mut stages = shared::stages();
    stages.extend(dialects::stages());
    stages.extend(long::stages());
    stages
}
