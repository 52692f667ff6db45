#!/usr/bin/env bash
# Line coverage of what make test-unit runs.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT"

cargo tarpaulin --engine llvm --no-default-features --skip-clean --target-dir "$CARGO_TARGET_DIR/coverage" \
    --exclude-files 'tests/*' --out Stdout --out Html --output-dir "$CARGO_TARGET_DIR/coverage" \
    -p zas-core -p zas-config -p zas-blobs -p zas-metadata -p zot-artifact-store
