#!/usr/bin/env bash
# Compiles the Kubernetes that the operator is tested against, at the versions which
# hack/testenv/go.mod and go.sum pin: 7 to 12 minutes on two cores, once for this machine. Does nothing
# when all of it is kept already.
#
#   hack/testenv.sh           compile what is missing
#   hack/testenv.sh missing   name what is missing
#
# Programs in $KUBEBUILDER_ASSETS are taken as they are; only what that directory lacks is compiled.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT/hack/testenv"

# What the control plane needs comes first: its tests can start while the rest is compiled.
PROGRAMS="etcd kube-apiserver kube-controller-manager kubectl pause kube-scheduler kubelet kube-proxy kustomize"

# Definitions of the operator's neighbours: DIRECTORY MODULE FILES.
NEIGHBOURS="
route github.com/openshift/api route/v1/zz_generated.crd-manifests/*.yaml
monitoring github.com/prometheus-operator/prometheus-operator example/prometheus-operator-crd/*_{servicemonitors,prometheusrules}.yaml
cert-manager github.com/cert-manager/cert-manager deploy/crds/*.yaml
gateway sigs.k8s.io/gateway-api config/crd/standard/*_{gateways,httproutes,gatewayclasses,listenersets}.yaml
"

say() { echo "testenv: $*"; }

have() { [ -x "${KUBEBUILDER_ASSETS:-/nonexistent}/$1" ] || [ -x "$ZAS_TESTENV/$1" ]; }

missing() {
    local program
    for program in $PROGRAMS; do have "$program" || echo "$program"; done
    [ -d "$ZAS_TESTENV/crds" ] || echo crds
}

package_of() {
    case "$1" in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    kustomize) echo sigs.k8s.io/kustomize/kustomize/v5 ;;
    pause) echo ./pause ;;
    *) echo "k8s.io/kubernetes/cmd/$1" ;;
    esac
}

# Without these a program built from source says that it is v0.0.0, and clients believe it.
version_flags() {
    local version="$1" variable=k8s.io/component-base/version minor
    minor="${version#v1.}"
    echo "-X $variable.gitVersion=$version -X $variable.gitMajor=1 -X $variable.gitMinor=${minor%%.*} -X $variable.gitTreeState=clean"
}

compile() {
    local program="$1" started=$SECONDS
    say "compiling $program"
    CGO_ENABLED=0 GOTOOLCHAIN=local nice -n 5 go build -mod=readonly -trimpath \
        -ldflags "-s -w $(version_flags "$version")" -o "$ZAS_TESTENV/.$program.$$" "$(package_of "$program")"
    mv "$ZAS_TESTENV/.$program.$$" "$ZAS_TESTENV/$program"
    say "compiled $program in $((SECONDS - started)) s"
}

# Copies the definitions out of the modules, which go verifies by their checksums.
copy_crds() {
    local target="$ZAS_TESTENV/.crds.$$" directory module files source
    while read -r directory module files; do
        [ -n "$directory" ] || continue
        source="$(go mod download -C crds -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",\?$/\1/p')"
        mkdir -p "$target/$directory"
        # The patterns are meant to be expanded.
        eval "cp \"\$source\"/$files \"\$target/$directory/\""
    done <<<"$NEIGHBOURS"
    chmod -R u+w "$target"
    mv "$target" "$ZAS_TESTENV/crds"
}

if [ "${1:-}" = missing ]; then
    missing
    exit
fi
[ -n "$(missing)" ] || exit 0

mkdir -p "$ZAS_TESTENV"
trap 'rm -rf "$ZAS_TESTENV"/.*."$$"' EXIT
# Two set-ups at once would compile everything twice.
exec 9>"$ZAS_TESTENV/.lock"
flock 9
version="$(go list -mod=readonly -m -f '{{.Version}}' k8s.io/kubernetes)"
for name in $(missing); do
    if [ "$name" = crds ]; then copy_crds; else compile "$name"; fi
done
say "kept in $ZAS_TESTENV ($SECONDS s)"
