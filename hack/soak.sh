#!/usr/bin/env bash
# The proofs of `make test` in their long forms, one after the other:
#
#   ROUNDS=1000                kills of the server under load
#   COLLECTION_SECONDS=600     clients that race with the collector
#   STATES=5000                states of the disk after power loss
#   FUZZ_SECONDS=3600          coverage-guided fuzzing of each target, as many at a time as there are processors
set -uo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT" || exit 1

export ZAS_CRASH_ROUNDS="${ROUNDS:-1000}"
export ZAS_COLLECTION_SECONDS="${COLLECTION_SECONDS:-600}"
export ZAS_POWER_LOSS_STATES="${STATES:-5000}"

failed=0
hack/test.sh build crash power-loss hostile || failed=1
hack/fuzz.sh --at-a-time "$(nproc)" --seconds "${FUZZ_SECONDS:-3600}" || failed=1
exit "$failed"
