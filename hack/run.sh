#!/usr/bin/env bash
# Starts the server with an administrator to sign in as, and says how to use it. CONFIG names another
# configuration file; ZAS_* variables override single settings, as in docs/CONFIGURATION.md.
set -euo pipefail
source "$(dirname "$0")/environment.sh"
cd "$ZAS_ROOT"

config="${CONFIG:-config/config.yaml}"
added="$(bin/zot-artifact-store user add admin --config "$config" --if-absent)"
password="'the password'"
case "$added" in
*" with password "*) password="${added##* }" ;;
esac

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
bin/zot-artifact-store --config "$config" --print-addresses "$work/addresses" &
server=$!
trap 'kill -TERM "$server" 2>/dev/null || true' INT TERM

while [ ! -s "$work/addresses" ]; do
    kill -0 "$server" 2>/dev/null || { wait "$server"; exit; }
    sleep 0.1
done
registry="$(sed -n 's/.*"public": *"\([^"]*\)".*/\1/p' "$work/addresses")"
operations="$(sed -n 's/.*"operations": *"\([^"]*\)".*/\1/p' "$work/addresses")"

oras="$(PATH="$ORIGINAL_PATH" command -v oras || command -v oras || true)"
cat <<END

The registry is ready:

  URL        http://$registry
  user       admin
  password   $([ "$password" = "'the password'" ] && echo "as printed when the user was made; bin/zot-artifact-store user add admin --config $config makes a new one" || echo "$password")
  metrics    http://$operations/metrics

END
if [ -n "$oras" ]; then
    cat <<END
Push a file and pull it again (paste into another terminal):

  $oras push --plain-http -u admin -p $password $registry/demo/readme:1 README.md
  $oras pull --plain-http -u admin -p $password -o pulled $registry/demo/readme:1

END
else
    # Every machine has curl: a blob instead of an artifact.
    blob="http://$registry/v2/demo/readme/blobs"
    digest="sha256:$(sha256sum README.md | cut -c 1-64)"
    cat <<END
Push a file and pull it again (paste into another terminal; README.md shows skopeo, podman and oras):

  curl -f -u admin:$password -H 'Content-Type: application/octet-stream' --data-binary @README.md '$blob/uploads/?digest=$digest'
  curl -f -u admin:$password -o pulled.md $blob/$digest

END
fi
echo "Stop it with Ctrl-C."

# A trapped signal ends the first wait before the server has drained.
wait "$server" || wait "$server"
