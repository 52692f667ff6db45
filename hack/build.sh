#!/usr/bin/env bash
# Builds programs as they are released and puts them into bin/.
#
#   hack/build.sh             the server and the operator
#   hack/build.sh operator    only that; the same with server
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT"

program_of() {
    case "$1" in
    server) echo zot-artifact-store ;;
    operator) echo zot-artifact-store-operator ;;
    *)
        echo "build: there is no $1; usage: hack/build.sh [server] [operator]" >&2
        return 2
        ;;
    esac
}

# The cargo profile that a program is released in.
profile_of() {
    case "$1" in
    zot-artifact-store-operator) echo compact ;;
    *) echo release ;;
    esac
}

[ "$#" -gt 0 ] || set -- server operator
programs=()
for target in "$@"; do
    program="$(program_of "$target")"
    programs+=("$program")
    # Only the server has the embedded database, which is compiled once.
    if [ "$target" = server ]; then hack/setup.sh build; fi
done
# The archive may have come into being just now.
source hack/environment.sh
for program in "${programs[@]}"; do
    # Optimisation across crates and incremental compilation exclude each other.
    [ "$(profile_of "$program")" = release ] || export CARGO_INCREMENTAL=0
    cargo build --profile "$(profile_of "$program")" -p "$program"
done
mkdir -p bin
for program in "${programs[@]}"; do
    # Line tables stay in the target directory, for profiles; they are three quarters of the file.
    partial="bin/.$program.$$"
    strip --strip-debug -o "$partial" "$CARGO_TARGET_DIR/$(profile_of "$program")/$program"
    mv "$partial" "bin/$program"
    echo "build: bin/$program"
done
