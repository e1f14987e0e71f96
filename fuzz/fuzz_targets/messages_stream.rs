//! Any events, and any body, read by every family and written in the Messages format.

#![no_main]

use harness::laws;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|events: &[u8]| laws::messages_stream(events));
