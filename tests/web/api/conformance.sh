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
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  echo 'Installing the validator of package.json from npm, into tests/web/api/node_modules'
  npm ci --no-audit --no-fund --silent
fi
ZELLIGE_RECORD_EXCHANGES="$record" "$build/bin/api_tests" --gtest_brief=1
node check_exchanges.mjs "$record"
