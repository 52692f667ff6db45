#!/usr/bin/env bash
# Compiles RocksDB once and keeps the archive, so that no later build pays for it again: about ten
# minutes on two cores, then half a minute for every further profile. Does nothing when the archive
# for this compiler, these features and these flags is kept already, or the caller brings one.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT"

[ -n "${ROCKSDB_LIB_DIR:-}" ] && exit 0

work="$(mktemp -d)"
build=
stop() {
    [ -n "$build" ] && kill "$build" 2>/dev/null
    rm -rf "$work"
}
trap stop EXIT

echo "rocksdb: compiling the embedded database: about ten minutes on two cores, once for this machine"
touch "$work/started"
cargo build --release -p zas-metadata --features rocksdb --message-format json-render-diagnostics \
    >"$work/messages" 2>"$work/log" &
build=$!

# The directory is not there yet when this is the first build.
compiled_files() {
    { find "$CARGO_TARGET_DIR/release/build" -path '*/librocksdb-sys-*/out/*' -name '*.o' -newer "$work/started" 2>/dev/null || true; } | wc -l
}

# The number of source files only scales the progress line: nothing depends on it.
crate="$(cargo metadata --format-version 1 2>/dev/null |
    grep -o '"manifest_path":"[^"]*/librocksdb-sys-[^"]*"' | head -n 1 | cut -d '"' -f 4 || true)"
total="$(cat "$(dirname "$crate")/rocksdb_lib_sources.txt" 2>/dev/null | wc -w || true)"
pause=15
[ -t 1 ] && pause=2
while kill -0 "$build" 2>/dev/null; do
    count="$(compiled_files)"
    line="rocksdb: $count of about $total files compiled, $SECONDS s"
    [ "$count" -gt 0 ] || line="rocksdb: compiling what generates its bindings, $SECONDS s"
    if [ -t 1 ]; then printf '\r\e[K%s' "$line"; else echo "$line"; fi
    # Ends with the build, not up to a pause later.
    timeout "$pause" tail --pid="$build" -f /dev/null || true
done
[ -t 1 ] && echo
if ! wait "$build"; then
    cat "$work/log" >&2
    echo "rocksdb: the build failed, see above; hack/setup.sh build installs what it needs" >&2
    exit 1
fi
build=

out="$(grep '"build-script-executed"' "$work/messages" | grep 'librocksdb-sys' | sed 's/.*"out_dir":"\([^"]*\)".*/\1/')"
if [ ! -f "$out/librocksdb.a" ]; then
    echo "rocksdb: the build made no librocksdb.a in '$out'" >&2
    exit 1
fi
mkdir -p "$(dirname "$ROCKSDB_ARCHIVE")"
strip --strip-debug "$out/librocksdb.a" -o "$ROCKSDB_ARCHIVE.partial"
mv "$ROCKSDB_ARCHIVE.partial" "$ROCKSDB_ARCHIVE"
echo "rocksdb: kept $ROCKSDB_ARCHIVE ($SECONDS s)"
