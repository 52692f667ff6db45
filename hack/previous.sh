#!/usr/bin/env bash
# Builds the server of the previous release out of this repository's history, once for this machine, so that tests can
# run it beside the one that is built here. hack/previous-release names its version and its commit.
#
#   hack/previous.sh            build it unless it is kept already
#   hack/previous.sh missing    say why it can be neither found nor built here; nothing when it can
#   hack/previous.sh path       where it is kept
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT"

read -r version commit <hack/previous-release
kept="$ZAS_CACHE/previous/$commit"
program="$kept/zot-artifact-store"

missing() {
    [ ! -x "$program" ] || return 0
    git cat-file -e "$commit^{tree}" 2>/dev/null ||
        echo "the history does not reach back to $version (${commit:0:12}); git fetch --unshallow changes that"
}

# An archive of RocksDB serves both when both lock the same version of its crate: that saves compiling it once more.
rocksdb_of_the_release() {
    if [ "$(git show "$commit:Cargo.lock" | locked_rocksdb)" = "$(locked_rocksdb <Cargo.lock)" ] && [ -f "$ROCKSDB_ARCHIVE" ]; then
        echo "ROCKSDB_LIB_DIR=$(dirname "$ROCKSDB_ARCHIVE") ROCKSDB_STATIC=1"
    else
        echo "--unset=ROCKSDB_LIB_DIR --unset=ROCKSDB_STATIC"
    fi
}

# The release builds itself, by its own script and in a target directory of its own: cargo takes crates of the same name
# and version for the same ones, wherever they are, and would hand out what this checkout has built.
build() {
    local source="$kept/source" rocksdb
    rm -rf "$source"
    mkdir -p "$source"
    git archive "$commit" | tar -x -C "$source"
    read -ra rocksdb <<<"$(rocksdb_of_the_release)"
    env "${rocksdb[@]}" PATH="$ORIGINAL_PATH" CARGO_TARGET_DIR="$kept/target" "$source/hack/build.sh" server
    mv "$source/bin/zot-artifact-store" "$program"
    rm -rf "$source" "$kept/target"
}

case "${1:-}" in
missing) missing ;;
path) echo "$program" ;;
"")
    reason="$(missing)"
    if [ -n "$reason" ]; then
        echo "previous: $reason" >&2
        exit 1
    fi
    if [ ! -x "$program" ]; then
        echo "previous: building the server of $version"
        build
    fi
    echo "previous: $program"
    ;;
*)
    echo "previous: there is no $1; usage: hack/previous.sh [missing | path]" >&2
    exit 2
    ;;
esac
