#!/usr/bin/env bash
# Measures the server beside CNCF distribution and the limits of this machine, which must be idle.
#
#   hack/bench.sh               everything, 20 minutes and 20 GiB of disk: writes docs/PERFORMANCE.md
#   hack/bench.sh ARGUMENT...   zas-perf with exactly these arguments; --help lists them
#
# ZAS_SERVER_BINARY names another server than the one that is built here.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT"

# The other registry, at the version that hack/peers/go.mod and go.sum pin.
peers="$ZAS_CACHE/peers/$(short_hash <hack/peers/go.sum)"
if [ -z "${ZAS_PERF_DISTRIBUTION:-}" ]; then
    if [ ! -x "$peers/registry" ]; then
        echo "bench: compiling distribution: about a minute, once"
        rm -rf "$peers.partial"
        mkdir -p "$peers.partial"
        go build -C hack/peers -mod=readonly -o "$peers.partial/" tool
        rm -rf "$peers"
        mv "$peers.partial" "$peers"
    fi
    export ZAS_PERF_DISTRIBUTION="$peers/registry"
fi

if [ -z "${ZAS_SERVER_BINARY:-}" ]; then
    hack/build.sh server
    export ZAS_SERVER_BINARY="$ZAS_ROOT/bin/zot-artifact-store"
fi
cargo build --release -p zas-tests --bin zas-perf
if [ "$#" -eq 0 ]; then
    set -- --part rates,growth,memory,collection --rounds 3 \
        --document docs/PERFORMANCE.md --json "$CARGO_TARGET_DIR/performance.json"
fi
exec "$CARGO_TARGET_DIR/release/zas-perf" "$@"
