//! Any request body, for a model that the input chooses.

#![no_main]

use std::sync::LazyLock;

use harness::laws;
use libfuzzer_sys::fuzz_target;

static MODELS: LazyLock<Vec<String>> = LazyLock::new(laws::models);

fuzz_target!(|body: &[u8]| {
    // The body is used unchanged, so that the golden requests can be seeds; its checksum is as
    // good a way as any to choose the model.
    let choice = crc32fast::hash(body) as usize % MODELS.len();
    laws::request_translation(body, &MODELS[choice]);
});
