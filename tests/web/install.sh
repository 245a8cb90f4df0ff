#!/usr/bin/env bash
# Installs the tools of the checks of the pages, unless they are there, and prints their folder.
# Needs Node 20.19 or newer with npm.
set -euo pipefail
cd "$(dirname "$0")"
tools=$(realpath -m "${CARGO_TARGET_DIR:-../../target}")/web
mkdir -p "$tools"
if ! cmp -s package-lock.json "$tools/node_modules/.made-of"; then
    cp package.json package-lock.json .npmrc "$tools"
    npm ci --silent --prefix "$tools" >&2
    cp package-lock.json "$tools/node_modules/.made-of"
fi
echo "$tools"
