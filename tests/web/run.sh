#!/usr/bin/env bash
# Checks the types of the web player and of its tests, and runs the unit tests of its pure modules.
# Needs Node 20.19 or newer with npm.
set -euo pipefail
cd "$(dirname "$0")"
root=$(realpath ../..)
tools=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")/web
mkdir -p "$tools"
if ! cmp -s package-lock.json "$tools/node_modules/.made-of"; then
    cp package.json package-lock.json .npmrc "$tools"
    npm ci --silent --prefix "$tools"
    cp package-lock.json "$tools/node_modules/.made-of"
fi

tsc() { node "$tools/node_modules/typescript/bin/tsc" "$@"; }
tsc --project tsconfig.json
tsc --project tsconfig.tests.json --typeRoots "$tools/node_modules/@types"

# `web/` is served as it is, so it has no package.json that calls its files modules.
node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON --test --test-reporter=spec ./*.test.js
