//! Any events, and any body, of a model that speaks the Messages format itself.

#![no_main]

use harness::laws;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|events: &[u8]| laws::messages_passthrough(events));
