# shellcheck shell=bash
# The environment of every build and test here: source it, do not run it.
#
#   ZAS_CACHE          what may be kept between builds; nothing depends on it being there
#   CARGO_TARGET_DIR   where cargo builds, unless the caller has set it
#   ZAS_TOOLS          the test tools of this checkout (hack/tools) and of these versions; on the PATH
#   ORIGINAL_PATH      the caller's PATH
#   ROCKSDB_LIB_DIR    set only when hack/rocksdb.sh has kept an archive for exactly this compiler,
#                      these features and these flags; without it cargo compiles RocksDB itself

ZAS_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
ZAS_CACHE="${ZAS_CACHE:-$HOME/.cache/zas}"
export ZAS_ROOT ZAS_CACHE
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$ZAS_CACHE/target}"

CARGO_DENY_VERSION=0.20.2
CARGO_TARPAULIN_VERSION=0.37.5
ROCKSDB_FEATURES=lz4-zstd

short_hash() {
    sha256sum | cut -c 1-12
}

# What an archive depends on: the crate, the compiler, the features and the flags.
rocksdb_key() {
    local crate compiler flags
    crate="$(grep -A 1 '^name = "librocksdb-sys"$' "$ZAS_ROOT/Cargo.lock" 2>/dev/null | sed -n 's/^version = "\(.*\)"$/\1/p')"
    compiler="$("${CXX:-c++}" -dumpmachine 2>/dev/null)-$("${CXX:-c++}" -dumpfullversion -dumpversion 2>/dev/null)"
    flags="$({ grep -h '^CXXFLAGS' "$ZAS_ROOT/.cargo/config.toml" || true; echo "${CXXFLAGS:-}"; } | short_hash)"
    echo "${crate:-unknown}-$compiler-$ROCKSDB_FEATURES-$flags"
}

ZAS_TOOLS="$ZAS_CACHE/tools/$(short_hash <"$ZAS_ROOT/hack/tools/go.sum")"
export ZAS_TOOLS
ORIGINAL_PATH="${ORIGINAL_PATH:-$PATH}"
export PATH="$ZAS_TOOLS:$ZAS_CACHE/tools/cargo-deny-$CARGO_DENY_VERSION/bin:$ZAS_CACHE/tools/cargo-tarpaulin-$CARGO_TARPAULIN_VERSION/bin:$ORIGINAL_PATH"

ROCKSDB_ARCHIVE="$ZAS_CACHE/rocksdb/$(rocksdb_key)/librocksdb.a"
if [ -f "$ROCKSDB_ARCHIVE" ]; then
    ROCKSDB_LIB_DIR="$(dirname "$ROCKSDB_ARCHIVE")"
    export ROCKSDB_LIB_DIR ROCKSDB_STATIC=1
fi
