"""The machine and the versions that the figures were measured with."""
import datetime
import hashlib
import os
import platform
import re
import sqlite3
import subprocess
import time
from pathlib import Path

from harness.programs import BENCH, PLAYHEAD, VENV_PYTHON


def fsync_rate(folder, seconds=1.0):
    """How many fdatasync calls a second the disk of the data completes."""
    path, count = folder / "fsync-probe", 0
    file = os.open(path, os.O_CREAT | os.O_RDWR)
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        os.pwrite(file, b"x" * 4096, count % 256 * 4096)
        os.fdatasync(file)
        count += 1
    os.close(file)
    path.unlink()
    return round(count / seconds)


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def file_system(folder):
    return output_of("df", "--output=fstype", str(folder)).split()[-1]


def processor():
    found = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return found.group(1) if found else platform.machine()


def version_of_program():
    git = ("git", "-C", str(BENCH))
    commit = output_of(*git, "rev-parse", "--short", "HEAD") or "unknown"
    if os.environ.get("BENCH_GIVEN_BINARY"):
        digest = hashlib.sha256(Path(PLAYHEAD).read_bytes()).hexdigest()[:12]
        return f"a given program (sha256 {digest}…), benchmark at commit {commit}"
    changed = output_of(*git, "status", "--porcelain", "--", "..", ":!RESULTS.md")
    return f"commit {commit}" + (" with local changes" if changed else "")


def version_of_peer():
    code = ("import sys; from importlib.metadata import version; names = 'fastapi', 'SQLAlchemy', 'uvicorn'; "
            "print(sys.version.split()[0], *(f'{name} {version(name)}' for name in names), sep=', ')")
    return "Python " + output_of(VENV_PYTHON, "-c", code)


def version_of_axum_peer():
    lock = (BENCH / "peer-axum/Cargo.lock").read_text()
    found = [re.search(rf'name = "{name}"\nversion = "([^"]+)"', lock) for name in ("axum", "sqlx")]
    return f"axum {found[0].group(1)}, sqlx {found[1].group(1)}"


def engine_of_program():
    lock = (BENCH.parent / "Cargo.lock").read_text()
    found = re.search(r'name = "libsqlite3-sys"\nversion = "([^"]+)"', lock)
    return f"SQLite of libsqlite3-sys {found.group(1)}" if found else "SQLite"


def describe(folder, rates, postgres=None):
    """The lines above a table; `rates` are the fsync rates before and after the loads."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    if postgres:
        engine = f"PostgreSQL {postgres.version()} ({postgres.settings()}), one server for all"
    else:
        engine = f"Playhead's {engine_of_program()}, Python's {sqlite3.sqlite_version}; WAL, synchronous = FULL"
    return [
        f"- {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, {version_of_program()}",
        f"- {processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}; "
        f"{file_system(folder)}, {rates[0]:,} fdatasync/s before the loads and {rates[1]:,} after; load, servers and "
        "database share it",
        f"- {engine}; peers: {version_of_peer()}; {version_of_axum_peer()}",
    ]
