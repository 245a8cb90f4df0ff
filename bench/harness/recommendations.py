"""`bench/recommendations`: the computation of recommendations beside the saves of others."""
import argparse
import os
import re
import sqlite3
import sys
import time
from contextlib import ExitStack

from harness import load, machine, page, seed
from harness.memory import Memory
from harness.postgres import open_postgres
from harness.programs import make_tokens, migrate, say, start_playhead, workplace

# The data of `bench/run`. Every entry is completed, and every viewer has switched recommendations
# on. Each video has more related ones than are kept, so that 50 are written for each.
DATA = seed.Data(users=5_000, videos=1_000, history=90)
LEARN = ("UPDATE users SET recommendations = true", "UPDATE watch_history SET play_count = 1")
# The state before the first computation.
RESET = ("DELETE FROM related_videos", "DELETE FROM background_jobs")
NAME = "bench_recommendations"
LIMIT_SECONDS, LIMIT_MIB, KEPT_RATE = 30, 256, 0.9
DONE = re.compile(r"computed the related videos of (\d+) videos in ([\d.]+) s")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--only", choices=("sqlite", "postgres"))
    options.add_argument("--quick", action="store_true")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=8)
    given = options.parse_args()
    if given.quick:
        given.rounds, given.seconds = 1, 2
    faults = []
    with workplace() as (folder, stack):
        tokens = make_tokens(folder, DATA.users)
        for database in ("postgres", "sqlite") if given.only is None else (given.only,):
            faults += measure(database, folder, stack, tokens, given)
    if faults:
        sys.exit("the figures do not count:\n" + "\n".join(faults))


def measure(database, folder, outer, tokens, given):
    """Seeds, measures and reports one database. Returns the faults that make the figures invalid."""
    postgres = open_postgres(outer, folder) if database == "postgres" else None
    url = seeded(database, folder, outer, postgres)
    os.sync()
    before = machine.fsync_rate(folder)
    runs, memory, durations, faults = {"0": [], "1": []}, {"0": [], "1": []}, [], []
    for number in range(given.rounds):
        for minutes in runs:
            execute(RESET, folder, postgres)
            name = f"{NAME}-{database}-{number}-{minutes}"
            with ExitStack() as stack:
                settings = {"RECOMMENDATIONS_EVERY_MINUTES": minutes, "RUST_LOG": "info,service::recommendations=debug"}
                process, port = start_playhead(stack, folder, name, url, settings)
                sampled = Memory(process.pid)
                measured = load.measure(folder, {NAME: f"{port}/{DATA.users}"}, tokens, ["heartbeat"], 1, given.seconds,
                                        DATA)
                faults += load.failures(measured)
                runs[minutes] += measured["heartbeat"][NAME]
                if minutes != "0":
                    durations.append(wait_for_duration(folder / f"{name}.log"))
                memory[minutes].append(sampled.end().own / 1024)
    about = machine.describe(folder, (before, machine.fsync_rate(folder)), postgres)
    lines = section(database, about, runs, memory, durations, faults, given)
    page.keep(f"recommendations, {database}", lines, given.quick)
    return faults


def seeded(database, folder, outer, postgres):
    started = time.monotonic()
    if postgres:
        url = postgres.create(outer, NAME)
        migrate(folder, url)
        seed.seed_postgres(postgres, NAME, DATA)
    else:
        file = folder / f"{NAME}.db"
        url = f"sqlite://{file}?mode=rwc"
        migrate(folder, url)
        seed.seed_sqlite(file, DATA)
    execute(LEARN, folder, postgres)
    if postgres:
        postgres.query("VACUUM ANALYZE", NAME)
    say(f"{database}: seeded {DATA.users * DATA.history:,} completed entries in {time.monotonic() - started:.0f} s")
    return url


def execute(statements, folder, postgres):
    """Runs statements while no server has the database open."""
    if postgres:
        postgres.query(";\n".join(statements) + ";", NAME)
        return
    db = sqlite3.connect(folder / f"{NAME}.db", isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def wait_for_duration(log, seconds=120):
    """The seconds that the computation took, as the server logs them at its end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := DONE.search(log.read_text(errors="replace")):
            return float(found[2])
        time.sleep(0.1)
    sys.exit(f"the computation did not end within {seconds} s")


def section(database, about, runs, memory, durations, faults, given):
    title = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[database]
    alone, beside = (load.median(of, "rps") for of in runs.values())
    longest, more = max(durations), max(memory["1"]) - max(memory["0"])
    verdict = lambda kept: "kept" if kept else "MISSED"
    rows = [("computation, the longest, s", f"{longest:.1f}", LIMIT_SECONDS, verdict(longest < LIMIT_SECONDS)),
            ("memory more than without it, MiB", f"{more:.0f}", LIMIT_MIB, verdict(more < LIMIT_MIB)),
            ("heartbeats beside it, of those without it", f"{beside / alone:.2f}", KEPT_RATE,
             verdict(beside >= KEPT_RATE * alone))]
    return [f"## Recommendations on {title}", "", *about,
            f"- {DATA.users:,} viewers with {DATA.history} completed entries each, {DATA.videos:,} videos; 64 connections; "
            f"rounds of {given.seconds} s: {given.rounds}; each computes all for the first time",
            f"- heartbeats a second: {alone:,.0f} without a computation, {beside:,.0f} beside it",
            *(f"- VIOLATED: {fault}" for fault in faults), "", *page.table(("", "measured", "limit", ""), rows)]


if __name__ == "__main__":
    main()
