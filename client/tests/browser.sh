#!/usr/bin/env bash
# Plays real clips on the example pages in Chromium, with a server of this program.
#
#     client/tests/browser.sh [firefox]
#
# Needs cargo, Node 20.19 or newer with npm, and chromium or firefox-esr. PLAYHEAD_BIN names another
# build, PLAYHEAD_OFFLINE_SECONDS=60 lets the network be away for a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
tests/install.sh
if [ -z "${PLAYHEAD_BIN:-}" ]; then
    (cd .. && cargo build --quiet --workspace --locked)
    PLAYHEAD_BIN=$(realpath -m "${CARGO_TARGET_DIR:-../target}")/debug/playhead
    export PLAYHEAD_BIN
fi
npx tsc --project tsconfig.build.json
npx tsc --project examples/tsconfig.json
PLAYHEAD_EXAMPLES=$(mktemp -d)
export PLAYHEAD_EXAMPLES PLAYHEAD_BROWSER=${1:-chrome}
trap 'rm -rf "$PLAYHEAD_EXAMPLES"' EXIT
npx vite build examples --outDir "$PLAYHEAD_EXAMPLES" --emptyOutDir --logLevel warn
node --test --test-reporter=spec tests/browser/*.test.js
