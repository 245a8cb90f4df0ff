"""`bench/live`: live sockets, idle and busy, the saves beside them, and two processes with Redis."""
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack

from harness import load, machine, page, seed
from harness.postgres import open_postgres
from harness.programs import free_port, make_tokens, migrate, say, start, start_playhead, wait_until, workplace

LOAD = os.environ.get("LIVE_LOAD_BIN", "live-load")
VIDEOS = 1000
ROUNDS = 3
# The limits: KiB of an idle socket, the share of saves that idle sockets leave, delivery in
# milliseconds in one process and across two, and seconds to stop.
MEMORY_KIB, KEPT_RATE, P50_MS, P99_MS, P99_OF_TWO_MS, STOP_SECONDS = 24, 0.9, 10, 100, 150, 5


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--only", choices=("sqlite", "postgres"))
    options.add_argument("--quick", action="store_true")
    options.add_argument("--sockets", type=int)
    options.add_argument("--rate", type=int, default=3000)
    options.add_argument("--seconds", type=int)
    given = options.parse_args()
    given.sockets = given.sockets or (500 if given.quick else 5000)
    given.seconds = given.seconds or (3 if given.quick else 20)
    with workplace() as (folder, stack):
        # The first half of the users has no socket: wrk saves for them beside idle sockets.
        data = seed.Data(users=2 * given.sockets, videos=VIDEOS, history=10)
        tokens = make_tokens(folder, data.users)
        listening = folder / "listening.txt"
        listening.write_text("".join(tokens.read_text().splitlines(True)[given.sockets:]))
        for database in ("sqlite", "postgres") if given.only is None else (given.only,):
            measure(database, folder, stack, tokens, listening, data, given)


def measure(database, folder, outer, tokens, listening, data, given):
    postgres = open_postgres(outer, folder) if database == "postgres" else None
    say(f"{database}: seeding {data.users:,} users")
    if postgres:
        url = postgres.create(outer, "bench_live")
        migrate(folder, url)
        seed.seed_postgres(postgres, "bench_live", data)
    else:
        url = f"sqlite://{folder / 'live.db'}?mode=rwc"
        migrate(folder, url)
        seed.seed_sqlite(folder / "live.db", data)
    before = machine.fsync_rate(folder)
    rows = one_process(database, folder, url, tokens, listening, data, given)
    if postgres:
        rows += two_processes(folder, url, listening, given)
    about = machine.describe(folder, (before, machine.fsync_rate(folder)), postgres)
    title = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[database]
    lines = [f"## Live sockets on {title}", "", *about,
             f"- {given.sockets:,} sockets of as many users; {given.rate:,} saves a second for {given.seconds} s, each of "
             "a user with a socket; the server, the clients and the database share the machine", "",
             *page.table(("", "measured", "limit", ""), rows)]
    page.keep(f"live, {database}", lines, given.quick)


def one_process(database, folder, url, tokens, listening, data, given):
    with ExitStack() as stack:
        process, port = start_playhead(stack, folder, f"live-{database}", url)
        # One run warms up what sockets and saves share.
        warm_up = Sockets(stack, folder, [port], port, listening, 20)
        warm_up.save(given.rate, 1)
        warm_up.abandon()
        alone, beside, each = [], [], []
        # In alternation, so that a machine whose speed drifts slows both alike.
        for _ in range(ROUNDS):
            if alone:
                sockets.abandon()
            alone.append(wrk(folder, port, tokens, data, given))
            time.sleep(2)
            anonymous = rss_anon(process.pid)
            sockets = Sockets(stack, folder, [port], port, listening, given.sockets)
            time.sleep(2)
            each.append((rss_anon(process.pid) - anonymous) / given.sockets)
            beside.append(wrk(folder, port, tokens, data, given))
        # Later rounds reuse memory of the earlier ones.
        alone, beside, each = statistics.median(alone), statistics.median(beside), max(each)
        again = sockets.save(given.rate, given.seconds)
        stopped = time.monotonic()
        process.send_signal(signal.SIGTERM)
        closes = sockets.end()
        process.wait(20)
        stopped = time.monotonic() - stopped
    kept = beside / alone
    return [
        row("memory of an idle socket, KiB", f"{each:.1f}", MEMORY_KIB, each <= MEMORY_KIB),
        row("saves a second without a socket", f"{alone:,.0f}"),
        row("saves beside idle sockets, of those without", f"{kept:.2f}", KEPT_RATE, kept >= KEPT_RATE),
        *delivery("one process", again, P99_MS, P50_MS),
        row("SIGTERM to the end of the process, s", f"{stopped:.1f}", STOP_SECONDS, stopped <= STOP_SECONDS),
        row("sockets closed with 1001", f"{closes.get('1001', 0):,}", f"{given.sockets:,}",
            closes.get("1001", 0) == given.sockets),
    ]


def two_processes(folder, url, listening, given):
    """Sockets on one process, saves to the other. Without Redis on this machine it is left out."""
    if not shutil.which("redis-server"):
        return [row("two processes", "left out: there is no redis-server")]
    with ExitStack() as stack:
        redis = free_port()
        log = folder / "redis.log"
        command = ["redis-server", "--port", str(redis), "--save", "", "--bind", "127.0.0.1"]
        process = start(stack, command, log, cwd=folder)
        ping = ["redis-cli", "-p", str(redis), "ping"]
        wait_until(lambda: subprocess.run(ping, capture_output=True).stdout == b"PONG\n", process, log, "Redis")
        env = {"REDIS_URL": f"redis://127.0.0.1:{redis}"}
        listening_process, listen = start_playhead(stack, folder, "live-one", url, env)
        _, save = start_playhead(stack, folder, "live-other", url, env)
        sockets = Sockets(stack, folder, [listen], save, listening, given.sockets)
        sockets.save(given.rate, 1)
        told = sockets.save(given.rate, given.seconds)
        listening_process.send_signal(signal.SIGTERM)
        sockets.end()
    return delivery("across two processes", told, P99_OF_TWO_MS)


def delivery(where, told, p99, p50=None):
    lost = told["lost"] + told["failed"]
    return [
        row(f"{where}: saves a second, beside the messages", f"{told['per_second']:,.0f}"),
        row(f"{where}: save, p99 ms", f"{told['save_p99_ms']:.1f}"),
        row(f"{where}: from the answer to the message, p50 ms", f"{told['p50_ms']:.1f}", p50 or "",
            p50 is None or told["p50_ms"] < p50),
        row(f"{where}: the same, p99 ms", f"{told['p99_ms']:.1f}", p99, told["p99_ms"] < p99),
        row(f"{where}: saves that failed or were not told", lost, 0, lost == 0),
    ]


def row(what, measured, limit="", kept=None):
    return what, str(measured), str(limit), {None: "", True: "kept", False: "MISSED"}[kept if limit != "" else None]


def wrk(folder, port, tokens, data, given):
    """Saves a second of the users without a socket."""
    users = f"{port}/{given.sockets}"
    runs = load.measure(folder, {"live": users}, tokens, ("heartbeat",), 1, given.seconds // 2 + 1, data)
    return load.median(runs["heartbeat"]["live"], "rps")


def rss_anon(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"^RssAnon:\s+(\d+) kB", status.read(), re.M)[1])


class Sockets:
    """The load of live-load, which obeys lines."""

    def __init__(self, stack, folder, listen, save, tokens, count):
        addresses = ",".join(f"127.0.0.1:{port}" for port in listen)
        command = [LOAD, addresses, f"127.0.0.1:{save}", str(tokens), str(count), str(VIDEOS)]
        log = stack.enter_context(open(folder / "live-load.log", "ab"))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                                        start_new_session=True)
        stack.callback(self.process.kill)
        self.opened = self.answer()
        say(f"{self.opened['ready']:,} sockets opened in {self.opened['seconds']:.1f} s")

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("live-load failed; see live-load.log")
        return json.loads(line)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def save(self, rate, seconds):
        self.tell(f"save {rate} {seconds}")
        return self.answer()

    def abandon(self):
        """Breaks all connections off."""
        self.process.kill()
        self.process.wait()

    def end(self):
        """How the sockets were closed, by code. Those that are still open are left to the end of the program."""
        self.tell("end")
        closes = self.answer()["closes"]
        self.process.wait(20)
        return closes


if __name__ == "__main__":
    main()
