#!/bin/sh
# Runs the API's tests once more, recording every exchange, and holds the record against openapi.yaml.
#   tests/web/api/conformance.sh BUILD_DIRECTORY
# The validator is installed from npm beside this script, once.
set -eu
build=$(cd "$1" && pwd)
cd "$(dirname "$0")"
record=$(mktemp)
trap 'rm -f "$record"' EXIT
# npm writes this file last: a directory without it was left by an installation that broke off.
[ -f node_modules/.package-lock.json ] || npm ci --no-audit --no-fund --silent
ZELLIGE_RECORD_EXCHANGES="$record" "$build/bin/api_tests" --gtest_brief=1
node check_exchanges.mjs "$record"
