//! Any events, and any body, read by every family.

#![no_main]

#[path = "../../tests/support/laws.rs"]
mod laws;
#[path = "../../tests/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|events: &[u8]| laws::stream_decoding(events));
