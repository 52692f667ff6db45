#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks: run it as often as you like.
#
#   hack/setup.sh build   compiler and libclang, and RocksDB compiled once
#   hack/setup.sh test    that, the clients and checkers the tests run, and a Kubernetes
#
# Debian packages are installed as root or by sudo; without either the missing ones are named and
# the script fails. Whatever is compiled goes to $ZAS_CACHE (default ~/.cache/zas), by version.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT"

# The oldest Go that hack/tools/go.mod accepts.
GO_MINIMUM=1.26

# What keeps the set-up from being complete; named together at the end.
problems=()

say() { echo "setup: $*"; }
problem() { problems+=("$*"); }

# Installs the Debian packages of the programs that are missing; arguments are PROGRAM:PACKAGE.
debian_packages() {
    local missing=() wanted as_root=()
    for wanted in "$@"; do
        case "$wanted" in
        libclang:*) libclang_is_installed || missing+=("${wanted#*:}") ;;
        *) command -v "${wanted%%:*}" >/dev/null || missing+=("${wanted#*:}") ;;
        esac
    done
    [ "${#missing[@]}" -eq 0 ] && return
    if ! command -v apt-get >/dev/null; then
        problem "this is no Debian or Ubuntu: install the equivalents of: ${missing[*]}"
        return
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            problem "not root, and no sudo without a password: run as root: apt-get install ${missing[*]}"
            return
        fi
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

# Whether version $2 is at least version $1.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

rust() {
    if ! command -v cargo >/dev/null; then
        problem "cargo is missing: install the Rust toolchain by rustup"
        return
    fi
    local wanted have
    wanted="$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)"
    have="$(rustc --version | cut -d ' ' -f 2)"
    at_least "$wanted" "$have" || problem "rust $have is older than $wanted: run: rustup update stable"
}

rust_components() {
    local component
    for component in fmt clippy; do
        cargo "$component" --version >/dev/null 2>&1 && continue
        say "installing cargo $component"
        rustup component add "${component/fmt/rustfmt}" || problem "cargo $component is missing: install it beside your Rust toolchain"
    done
}

# Whether the Go toolchain is there and new enough; notes the problem when it is not.
go_is_usable() {
    local have
    if ! command -v go >/dev/null; then
        problem "go is missing: install Go $GO_MINIMUM or newer"
        return 1
    fi
    have="$(go env GOVERSION)"
    if ! at_least "$GO_MINIMUM" "${have#go}"; then
        problem "$have is older than $GO_MINIMUM: install a newer Go"
        return 1
    fi
}

# The registry clients, at the versions that hack/tools/go.mod and go.sum pin.
registry_clients() {
    local client missing=()
    for client in crane regctl oras helm; do [ -x "$ZAS_TOOLS/$client" ] || missing+=("$client"); done
    [ "${#missing[@]}" -eq 0 ] && return
    go_is_usable || return 0
    say "compiling ${missing[*]}: about two minutes, once"
    rm -rf "$ZAS_TOOLS" "$ZAS_TOOLS.partial"
    mkdir -p "$ZAS_TOOLS.partial"
    go build -C hack/tools -mod=readonly -o "$ZAS_TOOLS.partial/" tool || problem "the registry clients cannot be compiled, see above"
    mv "$ZAS_TOOLS.partial" "$ZAS_TOOLS"
}

# The S3 clients, at the versions that hack/python pins.
s3_clients() {
    [ -x "$ZAS_PYTHON/bin/aws" ] && return
    say "installing the S3 clients for Python"
    rm -rf "$ZAS_PYTHON"
    if ! python3 -m venv "$ZAS_PYTHON" ||
        ! "$ZAS_PYTHON/bin/pip" install --quiet --disable-pip-version-check -r hack/python/requirements.txt; then
        rm -rf "$ZAS_PYTHON"
        problem "the S3 clients cannot be installed, see above"
    fi
}

# Kubernetes, at the versions that hack/testenv pins.
kubernetes() {
    [ -n "$(hack/testenv.sh missing)" ] || return 0
    go_is_usable || return 0
    say "compiling Kubernetes: 7 to 12 minutes on two cores, once"
    hack/testenv.sh || problem "Kubernetes cannot be compiled, see above"
}

# Keycloak, at the version of hack/environment.sh.
keycloak() {
    [ -x "$ZAS_KEYCLOAK/bin/kc.sh" ] && return
    say "fetching and building Keycloak $KEYCLOAK_VERSION: about a minute, once"
    hack/keycloak.sh || problem "Keycloak cannot be built, see above"
}

# A checker that is distributed as source. Its speed does not matter here: without the
# optimisation of a release it compiles in a fraction of the time.
cargo_tool() {
    local name="$1" version="$2" root="$ZAS_CACHE/tools/$1-$2"
    [ -x "$root/bin/$name" ] && return
    say "compiling $name $version: one to three minutes, once"
    env -u ROCKSDB_LIB_DIR -u ROCKSDB_STATIC CARGO_TARGET_DIR="$ZAS_CACHE/build/$name" \
        CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=false \
        cargo install --quiet --locked --root "$root" --version "$version" "$name" ||
        problem "$name $version cannot be compiled, see above"
    rm -rf "$ZAS_CACHE/build/$name"
}

for_building() {
    rust
    [ "${#problems[@]}" -gt 0 ] || hack/rocksdb.sh || problem "RocksDB cannot be compiled, see above"
}

for_testing() {
    for_building
    rust_components
    registry_clients
    s3_clients
    keycloak
    kubernetes
    cargo_tool cargo-deny "$CARGO_DENY_VERSION"
}

to_build=(cc:build-essential c++:build-essential libclang:libclang-dev)
to_test=(skopeo:skopeo podman:podman rclone:rclone s3cmd:s3cmd restic:restic curl:curl strace:strace valgrind:valgrind
    mkfs.ext4:e2fsprogs e2fsck:e2fsprogs)
# What a node of Kubernetes and its images need. The plug-ins for networks are no programs on the PATH.
to_test+=(containerd:containerd runc:runc /usr/lib/cni/bridge:containernetworking-plugins ip:iproute2 iptables:iptables
    conntrack:conntrack debootstrap:debootstrap buildah:buildah)
# Keycloak comes as a zip file out of Maven's repository, and runs on Java 17 or newer.
to_test+=(mvn:maven java:default-jre-headless unzip:unzip)
case "${1:-}" in
build)
    debian_packages "${to_build[@]}"
    for_building
    ;;
test)
    debian_packages "${to_build[@]}" "${to_test[@]}"
    for_testing
    ;;
coverage)
    debian_packages "${to_build[@]}" "${to_test[@]}"
    for_testing
    cargo_tool cargo-tarpaulin "$CARGO_TARPAULIN_VERSION"
    ;;
*) problem "usage: hack/setup.sh build|test|coverage" ;;
esac

[ "${#problems[@]}" -eq 0 ] && exit
printf 'setup: %s\n' "${problems[@]}" >&2
exit 1
