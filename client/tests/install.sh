#!/usr/bin/env bash
# Installs what the tests and examples of the package need, unless it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cmp -s package-lock.json node_modules/.made-of; then
    npm ci --silent
    cp package-lock.json node_modules/.made-of
fi
