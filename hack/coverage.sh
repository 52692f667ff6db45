#!/usr/bin/env bash
# Line coverage of the server's code: by the unit tests, and by the conformance and operation tests, which run against a
# server that is built for measuring. The report is in $CARGO_TARGET_DIR/coverage; a table by part ends the output.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT"

target="$CARGO_TARGET_DIR/coverage"
server="$target/debug/server/zot-artifact-store"
mkdir -p "$(dirname "$server")"

# The flags of cargo-tarpaulin, so that both builds share what they have in common. What build scripts would write
# about themselves goes nowhere.
LLVM_PROFILE_FILE=/dev/null RUSTFLAGS="-Cdebuginfo=2 -Cstrip=none --cfg=tarpaulin -Cinstrument-coverage" \
    cargo build -p zot-artifact-store --target-dir "$target"
# A server that a broken run has left behind keeps the old file.
cp "$target/debug/zot-artifact-store" "$server.partial"
mv "$server.partial" "$server"

# A server writes its numbers when it ends, so the tests must not kill it.
ZAS_SERVER_BINARY="$server" ZAS_STOP_GENTLY=1 \
    cargo tarpaulin --engine llvm --no-default-features --skip-clean --target-dir "$target" --objects "$server" \
    --lib --bins --test memory --test conformance --implicit-test-threads --timeout 900 \
    --exclude-files 'tests/*' 'crd/*' 'operator/*' --out Stdout --out Html --out Json --output-dir "$target" \
    -p zas-core -p zas-config -p zas-blobs -p zas-metadata -p zas-s3 -p zot-artifact-store -p zas-tests \
    -- "$@"

hack/coverage_by_part.py "$target/tarpaulin-report.json"
