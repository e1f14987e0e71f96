//! Any text, read whole and in pieces as the output of every model that writes markup.

#![no_main]

use harness::laws::{self, MODELS_WITH_MARKUP};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some(([model, tools, cuts @ ..], text)) = input.split_first_chunk::<6>() else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    let cuts = cuts.map(usize::from);
    let model = MODELS_WITH_MARKUP[usize::from(*model) % MODELS_WITH_MARKUP.len()];
    laws::markup_reading(&text, &cuts, model, tools % 2 == 0);
});
