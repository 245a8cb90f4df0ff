"""`bench/live`: live sockets, idle and busy, the saves beside them, and two processes with Redis."""
import argparse
import re
import signal
import statistics
import time
from contextlib import ExitStack

from harness import load, machine, page, seed
from harness.live_redis import redis_faults, two_processes
from harness.live_sockets import ROUNDS, VIDEOS, Sockets, delivery, row, save_runs
from harness.postgres import open_postgres
from harness.programs import make_tokens, migrate, say, start_playhead, workplace

PARTS = ("before", "one", "two", "redis")
# The limits: KiB of an idle socket, the share of saves that idle sockets leave, the share of those
# of an earlier program without a socket, delivery in milliseconds, and seconds to stop.
MEMORY_KIB, KEPT_RATE, RATE_OF_BEFORE, P50_MS, P99_MS, STOP_SECONDS = 24, 0.9, 0.97, 10, 100, 5


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--only", choices=("sqlite", "postgres"))
    options.add_argument("--parts", default=",".join(PARTS))
    options.add_argument("--before")
    options.add_argument("--quick", action="store_true")
    options.add_argument("--sockets", type=int)
    options.add_argument("--rate", type=int, default=3000)
    options.add_argument("--seconds", type=int)
    given = options.parse_args()
    given.parts = given.parts.split(",")
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
    url = make_database(folder, outer, postgres, "live", data)
    before, rows = machine.fsync_rate(folder), []
    if given.before and "before" in given.parts:
        other = make_database(folder, outer, postgres, "live_before", data, given.before)
        rows += beside_before(database, folder, url, other, tokens, data, given)
    if "one" in given.parts:
        rows += one_process(database, folder, url, tokens, listening, data, given)
    if postgres and "two" in given.parts:
        rows += two_processes(folder, url, listening, given)
    if postgres and "redis" in given.parts:
        rows += redis_faults(folder, url, listening, tokens, data, given)
    about = machine.describe(folder, (before, machine.fsync_rate(folder)), postgres)
    title = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[database]
    lines = [f"## Live sockets on {title}", "", *about,
             f"- {given.sockets:,} sockets of as many users; {given.rate:,} saves a second for {given.seconds} s, each of "
             "a user with a socket; the server, the clients and the database share the machine", "",
             *page.table(("", "measured", "limit", ""), rows)]
    # A part of the table does not replace the whole.
    is_partial = set(given.parts) != set(PARTS)
    page.keep(f"live, {database}", lines, given.quick or is_partial)


def make_database(folder, stack, postgres, name, data, program=None):
    """A seeded database with the schema of this program, or of another one."""
    say(f"{name}: seeding {data.users:,} users")
    if postgres:
        url = postgres.create(stack, f"bench_{name}")
        migrate(folder, url, program)
        seed.seed_postgres(postgres, f"bench_{name}", data)
    else:
        url = f"sqlite://{folder / name}.db?mode=rwc"
        migrate(folder, url, program)
        seed.seed_sqlite(folder / f"{name}.db", data)
    return url


def beside_before(database, folder, url, other_url, tokens, data, given):
    """Saves without a socket, beside those of an earlier program, in alternation."""
    with ExitStack() as stack:
        _, port = start_playhead(stack, folder, f"now-{database}", url)
        _, other = start_playhead(stack, folder, f"before-{database}", other_url, program=given.before)
        runs = save_runs(folder, {"before": other, "now": port}, tokens, data, given, 2 * ROUNDS)
    shares = [now["rps"] / before["rps"] for now, before in zip(runs["now"], runs["before"])]
    share = statistics.median(shares)
    return [
        row("the earlier program: saves a second", f"{load.median(runs['before'], 'rps'):,.0f}"),
        row(f"saves without a socket, of those (rounds {', '.join(f'{each:.2f}' for each in shares)})",
            f"{share:.2f}", RATE_OF_BEFORE, share >= RATE_OF_BEFORE),
    ]


def one_process(database, folder, url, tokens, listening, data, given):
    with ExitStack() as stack:
        process, port = start_playhead(stack, folder, f"live-{database}", url)
        # One run warms up what sockets and saves share.
        warm_up = Sockets(stack, folder, [port], port, listening, 20)
        warm_up.save(given.rate, 1)
        warm_up.abandon()
        rate = lambda: load.median(save_runs(folder, {"live": port}, tokens, data, given)["live"], "rps")
        alone, beside, each = [], [], []
        # In alternation, so that a machine whose speed drifts slows both alike.
        for _ in range(ROUNDS):
            if alone:
                sockets.abandon()
            alone.append(rate())
            time.sleep(2)
            anonymous = rss_anon(process.pid)
            sockets = Sockets(stack, folder, [port], port, listening, given.sockets)
            time.sleep(2)
            each.append((rss_anon(process.pid) - anonymous) / given.sockets)
            beside.append(rate())
        shares = [one / other for one, other in zip(beside, alone)]
        # Later rounds reuse memory of the earlier ones.
        kept, each = statistics.median(shares), max(each)
        again = sockets.save(given.rate, given.seconds)
        stopped = time.monotonic()
        process.send_signal(signal.SIGTERM)
        closes = sockets.end()
        process.wait(20)
        stopped = time.monotonic() - stopped
    return [
        row("memory of an idle socket, KiB", f"{each:.1f}", MEMORY_KIB, each <= MEMORY_KIB),
        row("saves a second without a socket", f"{statistics.median(alone):,.0f}"),
        row(f"saves beside idle sockets, of those without (rounds {', '.join(f'{share:.2f}' for share in shares)})",
            f"{kept:.2f}", KEPT_RATE, kept >= KEPT_RATE),
        *delivery("one process", again, P99_MS, P50_MS),
        row("SIGTERM to the end of the process, s", f"{stopped:.1f}", STOP_SECONDS, stopped <= STOP_SECONDS),
        row("sockets closed with 1001", f"{closes.get('1001', 0):,}", f"{given.sockets:,}",
            closes.get("1001", 0) == given.sockets),
    ]


def rss_anon(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"^RssAnon:\s+(\d+) kB", status.read(), re.M)[1])


if __name__ == "__main__":
    main()
