#!/usr/bin/env bash
# Checks the package: its types, its unit tests with their coverage, and that what is packed can be
# installed, compiled against and built. Needs Node 20.19 or newer with npm.
set -euo pipefail
cd "$(dirname "$0")/.."
tests/install.sh

schema=$(mktemp)
npx openapi-typescript ../openapi.json --output "$schema" 2>/dev/null >&2
cmp "$schema" api/generated/schema.d.ts || { echo "run \`npm run schema\` in client/" >&2; exit 1; }
npx tsc --project tsconfig.json
npx tsc --project tests/tsconfig.json

report=$(mktemp)
trap 'rm -f "$report" "$schema"' EXIT
node --disable-warning=ExperimentalWarning --test --experimental-test-coverage \
    --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=lcov --test-reporter-destination="$report" tests/*.test.js
node tests/coverage.js "$report"

node tests/packed/check.js
