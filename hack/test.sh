#!/usr/bin/env bash
# Runs tiers of tests and says of each whether it passed, failed or could not run here, and why.
#
#   hack/test.sh              every tier
#   hack/test.sh unit clients these tiers
#
# A tier that lacks something is skipped with the reason and the command that changes it. With
# REQUIRE_ALL_TIERS=1 that counts as a failure.
#
# Tiers that wait more than they compute run beside the others, once there are programs to test; what they print
# follows when they have ended. ZAS_TEST_LANES=1 runs one tier after the other.
set -uo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT" || exit 1

TIERS="format lint dependencies unit rocksdb build conformance clients identity model crash power-loss hostile fuzz instructions readme control-plane node"
# What has to be there before anything runs beside anything: nothing here is to be compiled twice at the same time.
FIRST="format lint dependencies unit rocksdb build"
# More than half of their time these wait for disks, clocks, Keycloak and Kubernetes.
WAITING="identity hostile control-plane node"
# Everything but the engine: no root, no network, no C++.
PURE=(-p zas-core -p zas-failpoints -p zas-blocking -p zas-config -p zas-blobs -p zas-metadata -p zas-s3 -p zot-artifact-store -p zas-crd -p zot-artifact-store-operator)

# What is only tested is compiled incrementally: after a change of one line the server in the release profile costs
# some ten seconds instead of more than a minute. What is measured or shipped is not (hack/bench.sh, hack/images.sh).
export CARGO_INCREMENTAL="${CARGO_INCREMENTAL:-1}"

# One line for each tier that has ended, from every lane: passed, failed, skipped or part-skipped, and the tier.
RESULTS="$(mktemp)"
TIMES="$(mktemp)"
waiting_lane=
finish() {
    # The lane has a process group of its own, which an interrupt from the terminal does not reach.
    [ -z "$waiting_lane" ] || kill -- "-$waiting_lane" 2>/dev/null
    rm -f "$RESULTS" "$RESULTS".output "$TIMES" "$TIMES".*
}
trap finish EXIT
trap 'exit 130' INT TERM

result() { echo "$*" >>"$RESULTS"; }

# --- what a tier needs: prints why it cannot run here, nothing when it can

lacking_programs() {
    local program missing=()
    for program in "$@"; do command -v "$program" >/dev/null || missing+=("$program"); done
    [ "${#missing[@]}" -eq 0 ] || echo "missing: ${missing[*]}; hack/setup.sh test installs that"
}

lacking_s3_clients() {
    [ -x "$ZAS_PYTHON/bin/aws" ] || echo "the S3 clients for Python are missing; hack/setup.sh test installs them"
}

lacking_keycloak() {
    [ -x "$ZAS_KEYCLOAK/bin/kc.sh" ] || echo "Keycloak is missing; hack/setup.sh test installs it"
}

lacking_cargo_component() {
    cargo "$1" --version >/dev/null 2>&1 || echo "cargo $1 is missing; hack/setup.sh test installs it"
}

lacking_rocksdb() {
    [ -n "${ROCKSDB_LIB_DIR:-}" ] || libclang_is_installed ||
        echo "libclang is missing; hack/setup.sh build installs it"
}

lacking_server() {
    [ -x bin/zot-artifact-store ] || echo "there is no server in bin/; make build makes it"
}

lacking_operator() {
    [ -x bin/zot-artifact-store-operator ] || [ -n "${ZAS_OPERATOR_BINARY:-}" ] ||
        echo "there is no operator in bin/; make build makes it"
}

lacking_kubernetes() {
    local missing
    missing="$(hack/testenv.sh missing | paste -s -d ' ')"
    [ -z "$missing" ] || echo "missing of Kubernetes: $missing; hack/testenv.sh compiles that"
}

lacking_root() {
    [ "$(id -u)" -eq 0 ] || echo "a node needs namespaces and mounts; run it as root"
}

lacking_mounts() {
    [ "$(id -u)" -eq 0 ] || echo "disks that fill or break are mounted for the test; run it as root"
    lacking_programs mkfs.ext4 e2fsck mount umount
    [ -e /dev/loop-control ] || echo "there are no loop devices here"
}

lacking_pod_network() {
    [ -x /usr/lib/cni/bridge ] || echo "missing: /usr/lib/cni/bridge; hack/setup.sh test installs it"
}

lacking() {
    case "$1" in
    format) lacking_cargo_component fmt ;;
    lint)
        lacking_cargo_component clippy
        lacking_rocksdb
        ;;
    dependencies) lacking_programs cargo-deny ;;
    rocksdb | build) lacking_rocksdb ;;
    conformance) lacking_server ;;
    crash)
        lacking_server
        lacking_rocksdb
        ;;
    power-loss)
        lacking_server
        lacking_programs cc strace
        ;;
    hostile)
        lacking_server
        lacking_mounts
        ;;
    instructions) lacking_programs valgrind ;;
    clients)
        lacking_server
        lacking_programs skopeo podman crane regctl oras helm curl rclone s3cmd restic
        lacking_s3_clients
        ;;
    identity)
        lacking_server
        lacking_programs java podman oras
        lacking_keycloak
        ;;
    readme)
        lacking_server
        lacking_programs skopeo podman oras curl
        lacking_s3_clients
        ;;
    control-plane)
        lacking_server
        lacking_operator
        lacking_kubernetes
        lacking_programs curl
        ;;
    node)
        lacking_root
        lacking_server
        lacking_operator
        lacking_kubernetes
        lacking_programs containerd ctr runc ip iptables conntrack unshare nsenter debootstrap buildah skopeo curl
        lacking_pod_network
        ;;
    esac
}

# --- the tiers

advisories_reachable() {
    # A download that failed leaves an empty folder.
    compgen -G "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs/*/.git/refs/*" >/dev/null ||
        GIT_TERMINAL_PROMPT=0 timeout 20 git ls-remote --quiet https://github.com/rustsec/advisory-db HEAD >/dev/null 2>&1
}

check_dependencies() {
    local checks=(bans licenses sources)
    if advisories_reachable; then
        checks+=(advisories)
    else
        echo "the advisory database cannot be reached from here: licences, bans and sources are checked, advisories are not"
    fi
    cargo deny --all-features check --hide-inclusion-graph "${checks[@]}"
}

# A second server, which obeys FAILPOINTS; apart from the one in bin/, which does not know them.
build_failpoint_server() {
    export ZAS_FAILPOINT_BINARY="$CARGO_TARGET_DIR/failpoints/zot-artifact-store"
    cargo build -p zot-artifact-store --features failpoints &&
        install -D "$CARGO_TARGET_DIR/debug/zot-artifact-store" "$ZAS_FAILPOINT_BINARY"
}

# The previous release is built out of the history, which a shallow clone lacks: only then its tests are left out.
test_control_plane() {
    local reason left_out=()
    reason="$(hack/previous.sh missing)"
    if [ -n "$reason" ]; then
        echo "==> control-plane: without the previous release: $reason"
        # Not a tier: it does not count as one.
        result part-skipped "control-plane, the tests with the previous release ($reason)"
        left_out=(--skip previous::)
    else
        hack/previous.sh || return
    fi
    # In the profile of the unit tests, whose dependencies are compiled already.
    cargo test -p zas-cluster-tests --lib --test control_plane -- --skip node_tests ${left_out[@]+"${left_out[@]}"}
}

run_tier() {
    case "$1" in
    format) cargo fmt --all --check ;;
    lint) cargo clippy --workspace --all-targets -- -D warnings ;;
    dependencies) check_dependencies ;;
    unit) cargo test --no-default-features "${PURE[@]}" ;;
    rocksdb) cargo test -p zas-metadata --features contract,rocksdb ;;
    build) hack/build.sh ;;
    # In the profile of the server, whose dependencies are compiled already.
    conformance) cargo test --release -p zas-tests --lib --test conformance ;;
    control-plane) test_control_plane ;;
    node)
        cargo test -p zas-cluster-tests --lib node_tests && cargo test -p zas-cluster-tests --test node
        ;;
    clients | identity | readme) cargo test --release -p zas-tests --test "$1" ;;
    hostile) cargo test --release -p zas-tests --test hostile ;;
    model) cargo test -p zas-protocol-model ;;
    power-loss) cargo test --release -p zas-power-loss ;;
    fuzz) cargo test -p zas-fuzz ;;
    # Counts are compared, never times: a busy machine does not matter.
    # They are counted in a program that was compiled as the released one is.
    instructions)
        CARGO_INCREMENTAL=0 cargo test --release -p zas-instructions &&
            CARGO_INCREMENTAL=0 cargo run --release -p zas-instructions
        ;;
    crash) build_failpoint_server && cargo test --release -p zas-tests --test crash ;;
    *)
        echo "there is no tier $1; the tiers are: $TIERS" >&2
        return 2
        ;;
    esac
}

duration() { printf '%dm %02ds' $(($1 / 60)) $(($1 % 60)); }

# Sets `processor` to the seconds of processor time that all ended commands have taken. `times` tells only of the
# children of its own shell, which a pipe or a substitution would replace.
read_processor_time() {
    local file="$TIMES.$BASHPID"
    times >"$file"
    processor="$(awk 'NR == 2 { split($1 "m" $2, t, /[ms]+/); printf "%d", 60 * (t[1] + t[3]) + t[2] + t[4] }' "$file")"
}

tier() {
    local name="$1" reason started=$SECONDS processor before took
    read_processor_time
    before=$processor
    reason="$(lacking "$name" | paste -s -d '|' | sed 's/|/, and /g')"
    if [ -n "$reason" ]; then
        echo "==> $name: skipped: $reason"
        result skipped "$name ($reason)"
        return
    fi
    echo "==> $name"
    if run_tier "$name" </dev/null; then
        result passed "$name"
        took="passed in"
    else
        result failed "$name"
        took="FAILED after"
    fi
    took+=" $(duration $((SECONDS - started)))"
    read_processor_time
    # What is far from as many processors as there are waits, and could share them with another tier.
    echo "==> $name: $took, $(duration $((processor - before))) of processor time"
}

# The names that are in both lists, in the order of the first.
both() {
    local name
    for name in $1; do case " $2 " in *" $name "*) echo "$name" ;; esac done
}

# The names of the first list that are not in the second.
without() {
    local name
    for name in $1; do case " $2 " in *" $name "*) ;; *) echo "$name" ;; esac done
}

run_in_turn() {
    local name
    for name in "$@"; do tier "$name"; done
}

# Starts the tiers in a process group of their own; their output is kept until they have ended.
start_waiting_lane() {
    echo "==> beside the others: $*"
    set -m
    run_in_turn "$@" >"$RESULTS.output" 2>&1 </dev/null &
    waiting_lane=$!
    set +m
}

end_waiting_lane() {
    wait "$waiting_lane"
    waiting_lane=
    cat "$RESULTS.output"
}

# shellcheck disable=SC2046,SC2086 # names of tiers are words
run() {
    local wanted="$*" first waiting others
    first="$(both "$wanted" "$FIRST")"
    waiting="$(both "$wanted" "$WAITING")"
    others="$(without "$(without "$wanted" "$FIRST")" "$WAITING")"
    if [ "${ZAS_TEST_LANES:-2}" = 1 ] || [ -z "$waiting" ] || [ -z "$others" ]; then
        run_in_turn $wanted
        return
    fi
    run_in_turn $first
    start_waiting_lane $waiting
    run_in_turn $others
    end_waiting_lane
}

entries() { sed -n "s/^$1 //p" "$RESULTS"; }
count() { grep -c "^$1 " "$RESULTS"; }

read -ra everything <<<"$TIERS"
run "${@:-${everything[@]}}"

echo
for kind in skipped part-skipped failed; do entries "$kind" | sed "s/^/  ${kind#part-}: /"; done
echo "tests: $(count passed) tiers passed, $(count failed) failed, $(count skipped) skipped in $(duration $SECONDS)"
[ "$(count failed)" -eq 0 ] || exit 1
[ "$(count skipped)" -eq 0 ] || [ -z "${REQUIRE_ALL_TIERS:-}" ] || exit 1
