//! Any JSON, and anything that is not JSON.

#![no_main]

use harness::laws;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| laws::json_reading(json));
