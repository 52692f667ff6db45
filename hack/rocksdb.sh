#!/usr/bin/env bash
# Compiles RocksDB once and keeps the archive, so that no later build pays for it again: four to five
# minutes on two cores. Does nothing when the archive for this compiler, these features and these
# flags is kept already, or the caller brings one.
#
# The sources are those of the crate librocksdb-sys, with its defines. They are joined into a few
# translation units, because most of the time of compiling them one by one goes into reading the same
# headers, and compiled at -O2, the level of RocksDB's own releases.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT"

[ -n "${ROCKSDB_LIB_DIR:-}" ] && exit 0

UNITS=16

work="$(mktemp -d)"
compilers=
stop() {
    [ -n "$compilers" ] && kill "$compilers" 2>/dev/null
    rm -rf "$work"
}
trap stop EXIT

fail() {
    cat "$work/log" >&2
    echo "rocksdb: $*, see above; hack/setup.sh build installs what it needs" >&2
    exit 1
}

# The folder of a crate's sources, at the version that Cargo.lock names.
crate_folder() {
    grep -o "\"manifest_path\":\"[^\"]*/$1-[^\"]*/Cargo.toml\"" "$work/metadata" | head -n 1 | cut -d '"' -f 4 | xargs dirname
}

# One translation unit includes its share of the sources, neighbours beside each other.
write_units() {
    local crate="$1"
    sed 's|^[[:space:]]*||; /^$/d; /^util\/build_version\.cc$/d' "$crate/rocksdb_lib_sources.txt" >"$work/sources"
    split --number="l/$UNITS" --numeric-suffixes --additional-suffix=.txt "$work/sources" "$work/unit_"
    for unit in "$work"/unit_*.txt; do
        sed "s|.*|#include \"rocksdb/&\"|" "$unit" >"${unit%.txt}.cc"
    done
    cp "$crate/build_version.cc" "$work/unit_version.cc"
}

echo "rocksdb: compiling the embedded database: four to five minutes on two cores, once for this machine"
cargo metadata --format-version 1 --locked >"$work/metadata" 2>"$work/log" || fail "the crates cannot be fetched"
crate="$(crate_folder librocksdb-sys)"
write_units "$crate"

flags=(-O2 -ffunction-sections -fdata-sections -fPIC -w -std=c++20 -include cstdint)
flags+=(-DNDEBUG=1 -DLZ4=1 -DZSTD=1 -DHAVE_ALIGNED_NEW -DHAVE_UINT128_EXTENSION -DOS_LINUX -DROCKSDB_PLATFORM_POSIX
    -DROCKSDB_LIB_IO_POSIX -DROCKSDB_SCHED_GETCPU_PRESENT -DROCKSDB_AUXV_GETAUXVAL_PRESENT -DROCKSDB_FALLOCATE_PRESENT
    -DROCKSDB_RANGESYNC_PRESENT)
flags+=("-I$crate" "-I$crate/rocksdb" "-I$crate/rocksdb/include"
    "-I$(crate_folder lz4-sys)/liblz4/lib" "-I$(crate_folder zstd-sys)/zstd/lib")
case "$(uname -m)" in
x86_64) flags+=(-msse2 -msse4.2) ;;
aarch64) flags+=(-march=armv8-a+crc+aes+crypto) ;;
esac

printf '%s\n' "$work"/unit_*.cc |
    xargs -P "$(nproc)" -I {} "${CXX:-c++}" "${flags[@]}" -c {} -o {}.o >"$work/log" 2>&1 &
compilers=$!

total="$(find "$work" -name 'unit_*.cc' | wc -l)"
pause=15
[ -t 1 ] && pause=2
while kill -0 "$compilers" 2>/dev/null; do
    line="rocksdb: $(find "$work" -name '*.o' | wc -l) of $total units compiled, $SECONDS s"
    if [ -t 1 ]; then printf '\r\e[K%s' "$line"; else echo "$line"; fi
    # Ends with the compilers, not up to a pause later.
    timeout "$pause" tail --pid="$compilers" -f /dev/null || true
done
[ -t 1 ] && echo
wait "$compilers" || fail "the compilation failed"
compilers=

mkdir -p "$(dirname "$ROCKSDB_ARCHIVE")"
rm -f "$ROCKSDB_ARCHIVE.partial"
ar crs "$ROCKSDB_ARCHIVE.partial" "$work"/unit_*.o
mv "$ROCKSDB_ARCHIVE.partial" "$ROCKSDB_ARCHIVE"
echo "rocksdb: kept $ROCKSDB_ARCHIVE ($SECONDS s)"
