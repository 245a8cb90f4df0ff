#!/usr/bin/env bash
# Generates clients from the API document with common generators, compiles them strictly, and lets
# each sign in, save, list and stream at a server of this program. Without arguments all of them;
# otherwise those named.
#
#     tests/clients/run.sh [openapi-fetch] [hey-api] [orval] [openapi-python-client]
#
# Needs cargo, Node 20.19 or newer with npm, and for the last one Python 3.11 with venv.
# PLAYHEAD_BIN names another build.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
root=$(realpath ../..)
wanted=("$@")
[ ${#wanted[@]} -gt 0 ] || wanted=(openapi-fetch hey-api orval openapi-python-client)
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
work=$target/clients
mkdir -p "$work"

program=${PLAYHEAD_BIN:-}
if [ -z "$program" ]; then
    (cd "$root" && cargo build --quiet --workspace --locked)
    program=$target/debug/playhead
fi

site=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$site"' EXIT
cd "$site"
"$program" openapi >"$work/openapi.json"
BIND_ADDRESS=127.0.0.1:0 "$program" 2>log &
server=$!
until address=$(sed -n 's|.*Playhead is at *\(http://[^ ]*\).*|\1|p' log) && [ -n "$address" ]; do
    kill -0 "$server" 2>/dev/null || { cat log >&2; exit 1; }
    sleep 0.1
done
"$program" user create ann ann@example.org <<<"correct horse" >/dev/null

cd "$work"
rm -rf generated out ./*.ts
cp "$here"/{package.json,package-lock.json,.npmrc,tsconfig.json,check.ts} .
is_typescript=0
for client in "${wanted[@]}"; do [ "$client" = openapi-python-client ] || is_typescript=1; done
if [ $is_typescript = 1 ] && ! cmp -s package-lock.json node_modules/.made-of; then
    npm ci --silent
    cp package-lock.json node_modules/.made-of
fi

# Compiles one client and its program strictly, and runs it.
in_typescript() {
    cp "$here/$1.ts" .
    npx tsc --project tsconfig.json
    node "out/$1.js" "$address"
    rm -rf "$1.ts" samples.ts generated out
}

for client in "${wanted[@]}"; do
    case $client in
    openapi-fetch)
        npx openapi-typescript openapi.json --output generated/openapi-typescript.ts >/dev/null
        # The code samples of the document compile too.
        node "$here/samples.mjs" openapi.json >samples.ts
        in_typescript openapi-fetch
        ;;
    hey-api)
        npx openapi-ts --input openapi.json --output generated/hey-api --client @hey-api/client-fetch --silent
        in_typescript hey-api
        ;;
    orval)
        npx orval --input openapi.json --output generated/orval.ts --client axios-functions >/dev/null
        in_typescript orval
        ;;
    openapi-python-client)
        [ -x venv/bin/python ] || python3 -m venv venv
        venv/bin/pip install -q --disable-pip-version-check -r "$here/requirements.txt"
        venv/bin/openapi-python-client generate --path openapi.json --config "$here/openapi-python-client.yaml" \
            --meta none --output-path playhead_client --overwrite --fail-on-warning
        venv/bin/python -m compileall -q playhead_client
        PYTHONPATH=. venv/bin/python "$here/openapi_python_client.py" "$address"
        ;;
    *)
        echo "unknown client: $client" >&2
        exit 2
        ;;
    esac
    echo "$client: signed in, saved, listed, streamed"
done
