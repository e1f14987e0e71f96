//! Prints the native time of every stage: `name<TAB>nanoseconds`.

use std::time::Instant;

use stages::{Stage, stages};

/// Number of batches, of which the fastest counts, because the others were disturbed.
const BATCHES: usize = 15;

/// How long a batch should take, in nanoseconds.
const BATCH_NS: u128 = 10_000_000;

fn main() {
    for stage in stages() {
        println!("{}\t{:.1}", stage.name, time(&stage));
    }
}

fn time(stage: &Stage) -> f64 {
    let batch = |times: u32| {
        let start = Instant::now();
        (0..times).for_each(|_| (stage.run)());
        start.elapsed().as_nanos()
    };
    let once = batch(10) / 10;
    let times = u32::try_from(BATCH_NS / once.max(1))
        .unwrap_or(u32::MAX)
        .max(1);
    let best = (0..BATCHES).map(|_| batch(times)).min().unwrap_or(0);
    best as f64 / f64::from(times)
}
