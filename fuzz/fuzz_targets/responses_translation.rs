//! Any body for the Responses API, for a model that the input chooses.

#![no_main]

use std::sync::LazyLock;

use harness::laws;
use libfuzzer_sys::fuzz_target;

static MODELS: LazyLock<Vec<String>> = LazyLock::new(laws::models);

fuzz_target!(|body: &[u8]| {
    let choice = crc32fast::hash(body) as usize % MODELS.len();
    laws::responses_translation(body, &MODELS[choice]);
});
