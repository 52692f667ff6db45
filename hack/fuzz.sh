#!/usr/bin/env bash
# Lets libFuzzer look for inputs that break what parses bytes from strangers (docs/FUZZING.md).
#
#   hack/fuzz.sh [--seconds N] [TARGET...]    look for N seconds (60) for each target, by default all
#   hack/fuzz.sh --at-a-time N ...            with so many targets at the same time (1)
#   hack/fuzz.sh --minimise [TARGET...]       add what reached new code to the committed corpus
#   hack/fuzz.sh --list                       the targets
#
# What reached new code is kept in $ZAS_CACHE/fuzz/TARGET and is where the next run starts. An input that breaks
# something is kept in $ZAS_CACHE/fuzz/failures; the run goes on with the next target and fails at its end.
# The stable compiler is enough: the flags below are LLVM's, as cargo-fuzz sets them, without a sanitizer.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT"

# Apart from other builds, whose every dependency would be built again.
export CARGO_TARGET_DIR="${ZAS_FUZZ_TARGET_DIR:-$ZAS_CACHE/target-fuzz}"
FINDS="$ZAS_CACHE/fuzz"
CORPUS=tests/fuzz/corpus
HOST="$(rustc -vV | sed -n 's/^host: //p')"
BINARY="$CARGO_TARGET_DIR/$HOST/release/zas-fuzz"

# What the committed corpus of one target may hold (tests/fuzz/tests/targets.rs checks it).
MOST_INPUTS=190
MOST_BYTES=$((190 * 1024))

seconds=60
at_a_time=1
action=look
targets=()
while [ $# -gt 0 ]; do
    case "$1" in
    --seconds)
        seconds="${2:?--seconds needs a number}"
        shift
        ;;
    --at-a-time)
        at_a_time="${2:?--at-a-time needs a number}"
        shift
        ;;
    --minimise) action=minimise ;;
    --list) action=list ;;
    -*)
        sed -n '2,12s/^# \{0,1\}//p' "$0"
        exit 2
        ;;
    *) targets+=("$1") ;;
    esac
    shift
done

longest_input() {
    sed -n "s/^ *target(\"$1\", [^,]*, \([0-9_]*\), .*/\1/p" tests/fuzz/src/targets/mod.rs | tr -d _
}

all_targets() {
    sed -n 's/^ *target("\([a-z_]*\)", .*/\1/p' tests/fuzz/src/targets/mod.rs
}

build() {
    local passes="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
    passes+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
    passes+=" -Cllvm-args=-sanitizer-coverage-trace-compares"
    # With a target named, the flags do not reach build scripts and macros, which have no counters to report to.
    RUSTFLAGS="$passes --cfg fuzzing -Cdebug-assertions" \
        cargo build --release --target "$HOST" -p zas-fuzz --features libfuzzer --bin zas-fuzz
}

# fuzz TARGET ARGUMENT...
fuzz() {
    local target="$1"
    shift
    ZAS_FUZZ_TARGET="$target" "$BINARY" -max_len="$(longest_input "$target")" -rss_limit_mb=512 -timeout=5 "$@"
}

look() {
    local target="$1" log="$FINDS/$1.log"
    mkdir -p "$FINDS/$target" "$FINDS/failures"
    if fuzz "$target" -max_total_time="$seconds" -print_final_stats=1 -dict="tests/fuzz/dictionaries/$target.dict" \
        -artifact_prefix="$FINDS/failures/$target-" "$FINDS/$target" "$CORPUS/$target" >"$log" 2>&1; then
        echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs," \
            "$(grep -o 'cov: [0-9]* ft: [0-9]*' "$log" | tail -n 1), nothing broke"
        return
    fi
    echo "$target: FAILED: $log" >&2
    grep -E "panicked at|ERROR: |Test unit written" -A 2 "$log" >&2 || tail -n 20 "$log" >&2
    return 1
}

# Takes over the smallest first, as long as there is room: a corpus in the repository is read by people.
minimise() {
    local target="$1" merged room input
    mkdir -p "$FINDS/$target"
    merged="$(mktemp -d)"
    cp "$CORPUS/$target"/* "$merged"
    fuzz "$target" -merge=1 "$merged" "$FINDS/$target" >"$FINDS/$target.merge.log" 2>&1 || return 1
    room=$((MOST_BYTES - $(cat "$CORPUS/$target"/* | wc -c)))
    while read -r input; do
        [ -e "$CORPUS/$target/$input" ] && continue
        room=$((room - $(stat -c %s "$merged/$input")))
        [ "$room" -gt 0 ] && [ "$(find "$CORPUS/$target" -type f | wc -l)" -lt "$MOST_INPUTS" ] || break
        cp "$merged/$input" "$CORPUS/$target/$input"
    done < <(find "$merged" -type f -printf '%s %f\n' | sort -n | cut -d ' ' -f 2)
    rm -r "$merged"
    echo "$target: $(find "$CORPUS/$target" -type f | wc -l) inputs, $(cat "$CORPUS/$target"/* | wc -c) bytes"
}

if [ "$action" = list ]; then
    all_targets
    exit
fi
[ "${#targets[@]}" -gt 0 ] || mapfile -t targets < <(all_targets)
for target in "${targets[@]}"; do
    if [ -z "$(longest_input "$target")" ]; then
        echo "there is no target $target; --list shows them" >&2
        exit 2
    fi
done
build
export -f look minimise fuzz longest_input
export BINARY FINDS CORPUS MOST_INPUTS MOST_BYTES seconds
printf '%s\n' "${targets[@]}" | xargs -P "$at_a_time" -n 1 bash -ec "$action"' "$0"' || {
    echo "inputs that broke something are in $FINDS/failures" >&2
    exit 1
}
