"""`bench/growth`: the same loads on a small, a large and a very large history."""
import argparse
import os
import sys
import time
from contextlib import ExitStack

from harness import load, machine, page, plans, seed, viewer
from harness.postgres import open_postgres
from harness.programs import make_tokens, migrate, say, start_playhead, workplace

HISTORY = 90
VIDEOS = 10_000
LOADS = ("get", "list", "heartbeat", "save")
MOST = 1.5
LONG_LIST_MS = 5
# Users with 10,000 rows each would dominate a small history.
HEAVY_FROM = 100_000


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--only", choices=("sqlite", "postgres"))
    options.add_argument("--quick", action="store_true")
    options.add_argument("--sizes", default="10000,1000000,10000000")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=8)
    options.add_argument("--viewer", action="store_true")
    given = options.parse_args()
    if given.quick:
        given.rounds, given.seconds, given.sizes = 1, 2, "10000,100000"
    sizes = [data_of(int(size)) for size in given.sizes.split(",")]
    faults = []
    with workplace() as (folder, stack):
        tokens = make_tokens(folder, max(data.users + data.heavy for data in (*sizes, viewer.DATA)))
        for database in ("postgres", "sqlite") if given.only is None else (given.only,):
            if not given.viewer:
                faults += grow(database, folder, stack, tokens, sizes, given)
            faults += viewer.measure(database, folder, stack, tokens, given)
    if faults:
        sys.exit("the figures do not count:\n" + "\n".join(faults))


def data_of(size):
    return seed.Data(users=-(-size // HISTORY), videos=VIDEOS, history=HISTORY, heavy=3 if size >= HEAVY_FROM else 0)


def rows_of(data):
    return data.users * data.history


def grow(database, folder, outer, tokens, sizes, given):
    """Seeds, measures and reports one database. Returns the faults that make the figures invalid."""
    postgres = open_postgres(outer, folder) if database == "postgres" else None
    urls = {rows_of(data): seeded(database, folder, outer, postgres, data) for data in sizes}
    # The seeded data is on the disk before anything is measured, as on a site that has run for
    # long.
    os.sync()
    before = machine.fsync_rate(folder)
    with ExitStack() as stack:
        ports = {rows: start_playhead(stack, folder, f"playhead-{rows}", url)[1] for rows, url in urls.items()}
        targets = {rows_of(data): f"{ports[rows_of(data)]}/{data.users}" for data in sizes}
        # No save begins a new video: the smallest history would double within a second.
        measured = load.measure(folder, targets, tokens, LOADS, given.rounds, given.seconds, sizes[0],
                                env={"FRESH": "0", "WATCHED": str(rows_of(sizes[0]))})
        faults = load.failures(measured)
        long_lists = measure_long_lists(folder, ports, tokens, sizes, given)
    about = machine.describe(folder, (before, machine.fsync_rate(folder)), postgres)
    largest, keys = sizes[-1], tokens.read_text().split()
    if postgres:
        found = plans.of_postgres(postgres, name_of(largest), folder, keys, largest)
    else:
        found = plans.of_sqlite(folder, folder / f"{name_of(largest)}.db", keys, largest)
    lines = section(database, about, measured, long_lists, found, faults, sizes, given)
    page.keep(f"growth, {database}", lines, given.quick)
    return faults


def name_of(data):
    return f"bench_growth_{rows_of(data)}"


def seeded(database, folder, outer, postgres, data):
    """Creates a database with this much history; returns its URL."""
    started = time.monotonic()
    if postgres:
        url = postgres.create(outer, name_of(data))
        migrate(folder, url)
        seed.seed_postgres(postgres, name_of(data), data)
    else:
        file = folder / f"{name_of(data)}.db"
        url = f"sqlite://{file}?mode=rwc"
        migrate(folder, url)
        seed.seed_sqlite(file, data)
    say(f"{database}: seeded {rows_of(data):,} rows of history in {time.monotonic() - started:.0f} s")
    return url


def measure_long_lists(folder, ports, tokens, sizes, given):
    """{(rows, kind of user): runs} of the users with 10,000 rows, one request at a time."""
    keys, runs = tokens.read_text().split(), {}
    kinds = ("most of them open", "all finished but a few dozen, the oldest", "all seen within one hour")
    for data in (data for data in sizes if data.heavy):
        for number, kind in enumerate(kinds[:data.heavy]):
            alone = folder / "token-of-one.txt"
            alone.write_text(keys[data.users + number] + "\n")
            one = seed.Data(users=1, videos=VIDEOS, history=HISTORY)
            target = {f"long-{rows_of(data)}": ports[rows_of(data)]}
            measured = load.measure(folder, target, alone, ["list"], given.rounds, given.seconds, one, connections=1)
            (runs[rows_of(data), kind],) = measured["list"].values()
    return runs


def section(database, about, measured, long_lists, found, faults, sizes, given):
    title = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[database]
    rows = [row for script, per in measured.items() for row in rows_of_load(script, per)]
    head = ("load", "history rows", "requests/s", "p50 ms", "p99 ms", "failed", "quiet runs",
            "cost against the smallest", "")
    lines = [f"## Cost of growth on {title}", "", *about,
             f"- {HISTORY} rows a user, {VIDEOS:,} videos; 64 connections; rounds of {given.seconds} s: {given.rounds}; "
             f"wanted: cost under {MOST} × of the smallest",
             f"- heartbeat: {rows_of(sizes[0]):,} rows are being watched and saved again and again, as players do; save: "
             "each save goes on with any of all rows, which on a large history was last seen months ago",
             *(f"- VIOLATED: {fault}" for fault in faults), "", *page.table(head, rows), ""]
    if long_lists:
        head = ("history rows", "the user's 10,000 rows", "p50 ms", "p99 ms", f"wanted under {LONG_LIST_MS} ms")
        rows = [row_of_long_list(size, kind, runs) for (size, kind), runs in long_lists.items()]
        lines += ["The list of a user with 10,000 rows, one request at a time:", "", *page.table(head, rows), ""]
    lines += [f"### Query plans on {title}", "", plans.SOURCE[database], ""]
    lines += plans.as_text(found) or ["There was no statement to explain.", ""]
    return lines[:-1]


def rows_of_load(script, per):
    smallest, *_ = per.values()
    for size, runs in per.items():
        cost = load.median(smallest, "rps") / load.median(runs, "rps")
        verdict = "" if runs is smallest else "kept" if cost < MOST else "MISSED"
        yield (script, f"{int(size):,}", f"{load.median(runs, 'rps'):,.0f}", load.milliseconds(runs, "p50_us"),
               load.milliseconds(runs, "p99_us"), load.failed(runs), load.quiet(runs), f"{cost:.2f} ×", verdict)


def row_of_long_list(size, kind, runs):
    p50, p99 = load.median(runs, "p50_us") / 1000, load.median(runs, "p99_us") / 1000
    return f"{size:,}", kind, f"{p50:.2f}", f"{p99:.2f}", "kept" if p99 < LONG_LIST_MS else "MISSED"


if __name__ == "__main__":
    main()
