#!/usr/bin/env bash
# Builds the server as it is released and puts it into bin/.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT"

hack/setup.sh build
# The archive may have come into being just now.
source hack/environment.sh
cargo build --release -p zot-artifact-store
mkdir -p bin
# Line tables stay in the target directory, for profiles; they are three quarters of the file.
partial="bin/.zot-artifact-store.$$"
strip --strip-debug -o "$partial" "$CARGO_TARGET_DIR/release/zot-artifact-store"
mv "$partial" bin/zot-artifact-store
echo "build: bin/zot-artifact-store"
