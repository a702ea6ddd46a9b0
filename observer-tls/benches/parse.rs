//! Time and throughput: `cargo bench -p observer-tls --bench parse`. What takes how long depends on the machine; what
//! CI watches are the instruction counts (`instructions.rs`).
#![allow(missing_docs, reason = "a program of its own")]

mod cases;

use criterion::{Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("parse");
    for case in cases::all() {
        group.throughput(Throughput::Bytes(case.bytes as u64));
        group.bench_function(case.name, |bencher| bencher.iter(|| (case.run)()));
    }
    group.finish();
    criterion.final_summary();
}
