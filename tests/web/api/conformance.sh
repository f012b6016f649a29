#!/bin/sh
# Runs the API's tests once more, recording every exchange, and holds the record against openapi.yaml.
#   tests/web/api/conformance.sh BUILD_DIRECTORY
set -eu
build=$(cd "$1" && pwd)
cd "$(dirname "$0")"
record=$(mktemp)
trap 'rm -f "$record"' EXIT
[ -d node_modules ] || npm ci --no-audit --no-fund --silent
ZELLIGE_RECORD_EXCHANGES="$record" "$build/bin/api_tests" --gtest_brief=1
node check_exchanges.mjs "$record"
