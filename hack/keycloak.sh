#!/usr/bin/env bash
# Fetches the Keycloak that tests sign in with and builds it for them, once a version: into $ZAS_KEYCLOAK.
set -euo pipefail
source "$(dirname "$0")/environment.sh"

[ -x "$ZAS_KEYCLOAK/bin/kc.sh" ] && exit
partial="$ZAS_KEYCLOAK.partial"
rm -rf "$partial"
mkdir -p "$partial"
# Without a project Maven asks for nothing but the artifact; which mirror it asks is its own configuration.
cd "$partial"
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact="org.keycloak:keycloak-quarkus-dist:$KEYCLOAK_VERSION:zip" -DoutputDirectory="$partial"
unzip -q "$partial"/*.zip
folder="$partial/keycloak-$KEYCLOAK_VERSION"
# What is built here is not built at each start.
"$folder/bin/kc.sh" build --db=dev-mem --health-enabled=true
mv "$folder" "$ZAS_KEYCLOAK"
rm -rf "$partial"
