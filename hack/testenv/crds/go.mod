// The modules that hold the resource definitions of the operator's neighbours. Only their YAML is used and
// nothing here is compiled, so go mod tidy would remove every line; go mod download -json fetches and
// verifies them. hack/testenv.sh copies the files that tests install.
module github.com/candlekeep/zot-artifact-store/hack/testenv/crds

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.21.2
	github.com/openshift/api v0.0.0-20251020135558-286504b695bc
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.6.3
)
