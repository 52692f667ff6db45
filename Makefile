# The one entry point. Every target works on a fresh Debian or Ubuntu machine with git, make and the
# languages' toolchains; hack/ holds what the targets do.

SHELL := /bin/bash
.DEFAULT_GOAL := help
WITH := source hack/environment.sh &&

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F '|' '{ printf "%-26s %s\n", $$1, $$2 }'

.PHONY: run
run: ## Build and start the server with an administrator; CONFIG=FILE for another configuration
	@hack/build.sh server
	@hack/run.sh

.PHONY: build
build: ## Build the server and the operator into bin/
	@hack/build.sh

.PHONY: test
test: ## Run every tier of tests that this machine can run
	@hack/setup.sh test </dev/null || echo "set-up is incomplete: the tiers that lack something are skipped"
	@hack/test.sh

.PHONY: test-unit
test-unit: ## Run the unit tests: no root, no network, no RocksDB
	@hack/test.sh unit

.PHONY: test-integration
test-integration: ## Run conformance, clients and README tests against a server built here
	@hack/test.sh build rocksdb conformance clients readme

.PHONY: test-proofs
test-proofs: ## Run what proves the store: the model, crashes, power loss, broken disks, fuzz targets
	@hack/test.sh build model crash power-loss hostile fuzz

.PHONY: test-control-plane
test-control-plane: ## Run the operator against a real control plane: no root needed
	@hack/test.sh control-plane

.PHONY: test-e2e
test-e2e: ## Run the operator and the server on a real node; needs root
	@hack/test.sh node

.PHONY: coverage
coverage: ## Measure line coverage of the unit and the conformance tests
	@hack/setup.sh coverage
	@$(WITH) hack/coverage.sh

.PHONY: fmt
fmt: ## Format the Rust code
	@cargo fmt --all

.PHONY: lint
lint: ## Check format, lints and dependencies
	@hack/test.sh format lint dependencies

.PHONY: generate
generate: ## Write what follows from the code: configuration, definition, roles, chart, pages
	@$(WITH) cargo run -p zas-config --bin config-reference -- --write
	@$(WITH) cargo run -p zas-crd --features crdgen --bin crdgen -- --write
	@$(WITH) cargo run -p zot-artifact-store-operator --bin operator-manifests -- --write

.PHONY: images
images: ## Build the images of server and operator; hack/images.sh names the variables
	@hack/images.sh build all

.PHONY: podman-build
podman-build: ## Build the image of the server
	@hack/images.sh build server

.PHONY: podman-run
podman-run: ## Run that image on 127.0.0.1:8080, its data in a volume
	@hack/images.sh run

.PHONY: bench
bench: ## Measure the server beside distribution and write docs/PERFORMANCE.md; ARGUMENTS="--help" for less
	@hack/bench.sh $(ARGUMENTS)

.PHONY: fuzz
fuzz: ## Look for inputs that break what parses bytes; SECONDS_EACH=60
	@hack/fuzz.sh --seconds $(or $(SECONDS_EACH),60)

.PHONY: soak
soak: ## Run the proofs in their long forms, hours in all; hack/soak.sh names the variables
	@hack/setup.sh test
	@hack/soak.sh
