"""The PostgreSQL server that both sides share, used through psql."""
import os
import signal
import subprocess
import sys
from pathlib import Path

from harness.programs import free_port, start, wait_until


class Postgres:
    """A server, and the path of its log if it is our own."""

    def __init__(self, url, log=None):
        self.base, self.log = url.rsplit("/", 1)[0], log
        self.root = url

    def url(self, database):
        return f"{self.base}/{database}"

    def query(self, sql, database=None):
        """The rows of a statement as lists of text."""
        url = self.url(database) if database else self.root
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-f", "-", url]
        done = subprocess.run(command, input=sql, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"PostgreSQL refused: {done.stderr.strip()}\nin: {sql[:400]}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def value(self, sql, database=None):
        return self.query(sql, database)[0][0]

    def create(self, stack, database):
        """An empty database, dropped at the end: a named server is left as it was."""
        self.query(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self.query(f"CREATE DATABASE {database}")
        if self.log is None:
            stack.callback(self.query, f"DROP DATABASE {database} WITH (FORCE)")
        return self.url(database)

    def demand_durability(self):
        """Equal durability is a rule of the comparison: a commit must wait for the disk."""
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            if self.value(f"SHOW {name}") != "on":
                sys.exit(f"PostgreSQL runs with {name} off; the comparison needs it on")

    def settings(self):
        names = ("shared_buffers", "max_wal_size", "synchronous_commit", "fsync")
        return ", ".join(f"{name} = {self.value(f'SHOW {name}')}" for name in names)

    def version(self):
        return self.value("SHOW server_version").split()[0]


def open_postgres(stack, folder):
    """The server of BENCH_POSTGRES_URL, or one of our own in `folder`."""
    named = os.environ.get("BENCH_POSTGRES_URL")
    postgres = Postgres(named) if named else start_own(stack, folder)
    postgres.demand_durability()
    return postgres


def start_own(stack, folder):
    data, port = folder / "postgres", free_port()
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    data.mkdir()
    # PostgreSQL refuses to run as root.
    as_postgres = []
    if os.geteuid() == 0:
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
        subprocess.run(["chown", "postgres:", str(data)], check=True)
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8",
               "--locale=C.UTF-8"]
    subprocess.run(as_postgres + command, check=True, stdout=subprocess.DEVNULL, cwd="/")
    options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": data, "max_connections": 200,
               "shared_buffers": f"{shared_buffers_mb()}MB", "max_wal_size": "4GB"}
    command = [str(binaries / "postgres"), "-D", str(data)]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    log = folder / "postgres.log"
    # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client.
    process = start(stack, as_postgres + command, log, cwd="/", stop_signal=signal.SIGINT)
    server = Postgres(f"postgres://postgres@127.0.0.1:{port}/postgres", log)
    ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    wait_until(lambda: subprocess.run(ready).returncode == 0, process, log, "PostgreSQL")
    return server


def shared_buffers_mb():
    """A quarter of the memory, as PostgreSQL's manual recommends, and 2 GiB at most."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(128, min(memory // 4, 2048))
