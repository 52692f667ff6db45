#!/usr/bin/env bash
# Builds the images, and runs the server's.
#
#   hack/images.sh build server|operator|all
#   hack/images.sh run
#
#   REGISTRY        where the images belong (quay.io/candlekeep)
#   TAG             their tag (the version in Cargo.toml)
#   BINARY          source compiles inside, prebuilt takes the programs in bin/ (source)
#   BASE_IMAGE      what the programs run on, BUILDER_IMAGE what compiles them (UBI 9, see the Dockerfiles)
#   PODMAN_OPTIONS  more options of podman itself, RUN_OPTIONS of podman run, such as --network host
set -euo pipefail
cd "$(dirname "$0")/.."

REGISTRY="${REGISTRY:-quay.io/candlekeep}"
VERSION="$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)"
TAG="${TAG:-$VERSION}"
BINARY="${BINARY:-source}"
VOLUME=zas-data
# What podman asks for when it runs as root.
PODMAN_OPEN_FILES=1048576

fail() {
    echo "images: $*" >&2
    exit 1
}

command -v podman >/dev/null || fail "podman is missing: install it, or build with docker as the Dockerfiles say"
read -ra podman <<<"podman ${PODMAN_OPTIONS:-}"
read -ra run_options <<<"${RUN_OPTIONS:-}"

# A host with cgroup v1 has a layout that crun refuses, and containers may not get more open files than the host allows.
adapt_to_machine() {
    local limit
    if [ "$("${podman[@]}" info --format '{{.Host.CgroupsVersion}}')" = v1 ]; then
        command -v runc >/dev/null && podman+=(--runtime runc)
        podman+=(--cgroup-manager cgroupfs)
        export BUILDAH_ISOLATION="${BUILDAH_ISOLATION:-chroot}"
    fi
    limit="$(ulimit -Hn)"
    if [ "$(id -u)" -eq 0 ] && [ "$limit" != unlimited ] && [ "$limit" -lt "$PODMAN_OPEN_FILES" ]; then
        run_options+=(--ulimit "nofile=$limit:$limit" --ulimit "nproc=4096:4096")
    fi
}

image_of() { echo "$REGISTRY/$1:$TAG"; }

build() {
    local name="$1" file="$2" arguments=(--build-arg "BINARY=$BINARY" --build-arg "VERSION=$VERSION")
    if [ "$BINARY" = prebuilt ] && [ ! -x "bin/$name" ]; then
        fail "there is no bin/$name: make build makes it; without BINARY=prebuilt the image compiles it"
    fi
    arguments+=(--build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)")
    [ -z "${BASE_IMAGE:-}" ] || arguments+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
    [ -z "${BUILDER_IMAGE:-}" ] || arguments+=(--build-arg "BUILDER_IMAGE=$BUILDER_IMAGE")
    "${podman[@]}" build -f "$file" "${arguments[@]}" -t "$(image_of "$name")" .
    echo "images: $(image_of "$name")"
}

# The same container as compose.yaml has: nothing is writable but the volume.
container() {
    "${podman[@]}" run --rm --read-only --cap-drop ALL --security-opt no-new-privileges \
        --volume "$VOLUME:/data" ${run_options[@]+"${run_options[@]}"} "$@"
}

run() {
    local image
    image="$(image_of zot-artifact-store)"
    "${podman[@]}" image exists "$image" || fail "there is no image $image: make podman-build builds it"
    container "$image" user add admin --config /config/config.yaml --if-absent
    echo "images: http://127.0.0.1:8080, user admin; data in the volume $VOLUME; Ctrl-C stops"
    container --interactive --name zot-artifact-store --publish 127.0.0.1:8080:8080 --publish 127.0.0.1:9090:9090 "$image"
}

adapt_to_machine
case "${1:-} ${2:-}" in
"build server") build zot-artifact-store Dockerfile.server ;;
"build operator") build zot-artifact-store-operator Dockerfile.operator ;;
"build all")
    build zot-artifact-store Dockerfile.server
    build zot-artifact-store-operator Dockerfile.operator
    ;;
"run ") run ;;
*) fail "usage: hack/images.sh build server|operator|all, or hack/images.sh run" ;;
esac
