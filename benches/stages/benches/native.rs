//! Criterion's view of every stage: `cargo bench --package stages [NAME]`.

use criterion::{Criterion, criterion_group, criterion_main};

fn all(criterion: &mut Criterion) {
    for stage in stages::stages() {
        criterion.bench_function(&stage.name, |bencher| bencher.iter(|| (stage.run)()));
    }
}

criterion_group!(native, all);
criterion_main!(native);
