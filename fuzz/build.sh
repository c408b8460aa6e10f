#!/bin/sh
# Builds the targets with the coverage that libFuzzer wants, on stable Rust. Then: target/release/pipeline corpus/pipeline
set -e
cd "$(dirname "$0")"
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1" \
    cargo build --release --target x86_64-unknown-linux-gnu "$@"
