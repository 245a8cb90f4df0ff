#!/usr/bin/env bash
# Checks the types of the web player and of its tests, and runs the unit tests of its pure modules.
# Needs Node 20.19 or newer with npm.
set -euo pipefail
cd "$(dirname "$0")"
tools=$(./install.sh)

tsc() { node "$tools/node_modules/typescript/bin/tsc" "$@"; }
tsc --project tsconfig.json
tsc --project tsconfig.tests.json --typeRoots "$tools/node_modules/@types"

# `web/` is served as it is, so it has no package.json that calls its files modules.
node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON --test --test-reporter=spec ./*.test.js
