//! Any plugin configuration.

#![no_main]

use harness::laws;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| laws::plugin_configuration(json));
