"""Starts programs, waits until they serve, and ends them, whatever happens in between."""
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]
VENV = Path(os.environ.get("BENCH_VENV", "target/bench/venv"))
VENV_PYTHON = str(VENV / "bin" / "python")
PLAYHEAD = os.environ.get("PLAYHEAD_BIN", "playhead")
PEER_AXUM = os.environ.get("PEER_AXUM_BIN", "peer-axum")
SECRET = "a-key-that-signs-nothing-but-this-benchmark"


def say(text):
    print(text, flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def workplace():
    """A folder on a disk; everything that was started in it ends with it."""
    def end(number, _frame):
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    # /tmp often lives in memory, where an fsync costs nothing.
    parent = os.environ.get("BENCH_DIR", "/var/tmp")
    with tempfile.TemporaryDirectory(prefix="playhead-bench-", dir=parent) as folder, ExitStack() as stack:
        os.chmod(folder, 0o755)
        yield Path(folder), stack


def start(stack, command, log, env=None, cwd=None, stop_signal=signal.SIGTERM):
    """Starts a program in a session of its own, so that only the end of `stack` ends it."""
    with open(log, "ab") as output:
        process = subprocess.Popen(command, env=dict(os.environ, **(env or {})), cwd=cwd, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    stack.callback(stop, process, stop_signal)
    return process


def stop(process, stop_signal=signal.SIGTERM):
    if process.poll() is None:
        process.send_signal(stop_signal)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run(command, log=None, env=None, cwd=None):
    """Runs a program to its end; without a log its output goes to the terminal."""
    with ExitStack() as stack, open(log or os.devnull, "ab") as output:
        process = subprocess.Popen(command, env=dict(os.environ, **(env or {})), cwd=cwd, start_new_session=True,
                                   **({"stdout": output, "stderr": output} if log else {}))
        stack.callback(end_group, process)
        if process.wait() != 0:
            sys.exit(f"{command[0]} … {command[-1]} failed" + (f":\n{tail(log)}" if log else ""))


def end_group(process):
    """The load generator is a child of the script that is ended here."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def tail(log, lines=20):
    return "\n".join(Path(log).read_text(errors="replace").splitlines()[-lines:])


def wait_until(ready, process, log, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{what} did not start:\n{tail(log)}")
        time.sleep(0.1)


def answers(port, path):
    """Whether the port serves `path`."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False


def start_playhead(stack, folder, name, url, more=None, program=None):
    """Starts Playhead with its defaults, in a folder of its own; returns its process and its port. `program` is another
    build of it."""
    port, log, home = free_port(), folder / f"{name}.log", folder / f"{name}-home"
    home.mkdir(exist_ok=True)
    env = {"DATABASE_URL": url, "BIND_ADDRESS": f"127.0.0.1:{port}", "JWT_SECRET": SECRET, "SQLITE_SYNCHRONOUS": "full",
           "MEDIA_DIR": str(home), "PLAYHEAD_ENV": "production", **(more or {})}
    process = start(stack, [program or PLAYHEAD, "serve"], log, env, home)
    wait_until(lambda: answers(port, "/health/ready"), process, log, name)
    return process, port


def start_peer(stack, folder, form, url):
    """Starts the peer in one of its forms, with the settings of its README; returns its process and its port."""
    port, log = free_port(), folder / f"peer-{form}.log"
    env = {"DATABASE_URL": url, "UPSERT": form, "JWT_SECRET": SECRET, "SQLITE_SYNC": "FULL"}
    if form == "native" and url.startswith("sqlite"):
        env["WRITE_POOL_SIZE"] = "1"
    command = [VENV_PYTHON, "-m", "uvicorn", "app:app", "--port", str(port), "--workers", "2", "--loop", "uvloop",
               "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    process = start(stack, command, log, env, BENCH / "peer")
    wait_until(lambda: answers(port, "/docs"), process, log, f"the peer ({form})")
    return process, port


def start_peer_axum(stack, folder, url):
    """Starts the peer of peer-axum/; returns its process and its port."""
    port, log = free_port(), folder / "peer-axum.log"
    env = {"DATABASE_URL": url, "JWT_SECRET": SECRET, "PORT": str(port)}
    process = start(stack, [PEER_AXUM], log, env, folder)
    wait_until(lambda: answers(port, "/health"), process, log, "the peer (axum)")
    return process, port


def migrate(folder, url, program=None):
    run([program or PLAYHEAD, "migrate", "up"], folder / "migrate.log", {"DATABASE_URL": url}, folder)


def make_tokens(folder, users):
    """A file with one access token a line, that of user 1 first; both servers accept them."""
    path = folder / "tokens.txt"
    run([VENV_PYTHON, str(BENCH / "peer/load/make_tokens.py"), SECRET, str(users), str(path)])
    return path
