//! Any events, and any body, read by every family.

#![no_main]

use harness::laws;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|events: &[u8]| laws::stream_decoding(events));
