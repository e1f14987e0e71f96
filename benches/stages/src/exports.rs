//! Exports the stages to the program that drives the Wasm module: their number, their names, and a
//! function that runs one of them n times.

use crate::{Stage, stages};

thread_local! {
    static STAGES: Vec<Stage> = stages();
}

fn with<T>(index: usize, what: impl FnOnce(&Stage) -> T) -> Option<T> {
    STAGES.with(|stages| stages.get(index).map(what))
}

/// How many stages there are.
#[unsafe(no_mangle)]
pub extern "C" fn stage_count() -> usize {
    STAGES.with(Vec::len)
}

/// Where a stage's name is.
#[unsafe(no_mangle)]
pub extern "C" fn stage_name(index: usize) -> *const u8 {
    with(index, |stage| stage.name.as_ptr()).unwrap_or(std::ptr::null())
}

/// How long that name is, in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn stage_name_len(index: usize) -> usize {
    with(index, |stage| stage.name.len()).unwrap_or(0)
}

/// Runs a stage `times` times.
#[unsafe(no_mangle)]
pub extern "C" fn stage_run(index: usize, times: u32) {
    with(index, |stage| (0..times).for_each(|_| (stage.run)()));
}
