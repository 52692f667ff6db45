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

# What secrets of access keys are derived from: made once, beside the stores, and read by nobody else.
if ! grep -q '^encryption:' "$config"; then
    export ZAS_ENCRYPTION__KEYS="${ZAS_ENCRYPTION__KEYS:-data/keys}"
    if [ ! -e "$ZAS_ENCRYPTION__KEYS" ]; then
        mkdir -p "$(dirname "$ZAS_ENCRYPTION__KEYS")"
        (umask 077 && echo "$(date +%Y-%m): $(head -c 32 /dev/urandom | base64)" >"$ZAS_ENCRYPTION__KEYS")
    fi
fi

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
# The value of a member of the JSON object on standard input.
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

if [ "$password" = "'the password'" ]; then
    key=""
else
    # On a busy machine the first answers may be slow in coming.
    key="$(curl -sSf --retry 3 --retry-all-errors -u "admin:$password" -X POST "http://$registry/_/v1/keys" || true)"
fi
if [ -n "$key" ]; then
    cat <<END
Use buckets with any S3 client, such as aws-cli:

  export AWS_ENDPOINT_URL=http://$registry AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=$(member accessKeyId <<<"$key") AWS_SECRET_ACCESS_KEY=$(member secretAccessKey <<<"$key")
  aws s3 mb s3://builds && aws s3 cp README.md s3://builds/ && aws s3 ls s3://builds

END
else
    echo "For S3, make an access key: curl -u admin:$password -X POST http://$registry/_/v1/keys"
    echo
fi
echo "Stop it with Ctrl-C."

# A trapped signal ends the first wait before the server has drained.
wait "$server" || wait "$server"
