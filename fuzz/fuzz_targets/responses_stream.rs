//! Any events, and any body, read by every family and written in the Responses format.

#![no_main]

use harness::laws;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|events: &[u8]| laws::responses_stream(events));
