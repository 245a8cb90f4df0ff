# Sourced by `run` and `growth`: what they need, checked or made. Leaves their options in `options`,
# the peer's Python in BENCH_VENV and the program in PLAYHEAD_BIN.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${CARGO_TARGET_DIR:-target}
install=false
options=()
for option in "$@"; do
    case $option in
        --install) install=true ;;
        -h | --help)
            sed -n '2,/^$/s/^# \?//p' "$0"
            exit
            ;;
        *) options+=("$option") ;;
    esac
done

missing=()
command -v wrk >/dev/null || missing+=(wrk)
command -v psql >/dev/null || missing+=(postgresql-client)
if [ -z "${BENCH_POSTGRES_URL:-}" ] && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    missing+=(postgresql)
fi
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
    if ! $install; then
        echo "missing: ${missing[*]}; install them, or let \`$0 --install\` do it (Debian, as root)" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

export BENCH_VENV=$target/bench/venv
if ! cmp -s bench/peer/requirements.txt "$BENCH_VENV/made-from"; then
    echo "making the peer's Python in $BENCH_VENV"
    python3 -m venv --clear "$BENCH_VENV"
    "$BENCH_VENV/bin/pip" install -q --disable-pip-version-check -r bench/peer/requirements.txt
    cp bench/peer/requirements.txt "$BENCH_VENV/made-from"
fi
BENCH_VENV=$(realpath -s "$BENCH_VENV")

if [ -z "${PLAYHEAD_BIN:-}" ]; then
    cargo build --release --bin playhead --locked
    PLAYHEAD_BIN=$target/release/playhead
else
    export BENCH_GIVEN_BINARY=1
fi
PLAYHEAD_BIN=$(realpath "$PLAYHEAD_BIN")
export PLAYHEAD_BIN PYTHONPATH=bench PYTHONDONTWRITEBYTECODE=1
