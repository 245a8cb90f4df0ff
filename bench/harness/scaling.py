"""`bench/scaling`: how many saves one and two processes carry, and what each save costs."""
import argparse
import os
import statistics
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field

from harness import load, machine, page, seed
from harness.nginx import start_nginx
from harness.postgres import open_postgres
from harness.processor import parent_of, seconds_of_tree
from harness.programs import make_tokens, migrate, say, start_playhead, workplace

DATA = seed.Data(users=5_000, videos=1_000, history=90)
NAME = "bench_scaling"
# The player of the page saves once in so many seconds.
HEARTBEAT_SECONDS = 10
# A player whose connection ended since its last save opens another one.
NEW_CONNECTIONS = {"CLOSE": "1"}


@dataclass
class Setup:
    """Running programs: which are measured, and where the load goes."""
    name: str
    port: int = 0
    # The processor time of each program is told apart.
    programs: dict = field(default_factory=dict)
    runs: dict = field(default_factory=lambda: {"kept": [], "new": []})


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=8)
    given = options.parse_args()
    if given.quick:
        given.rounds, given.seconds = 1, 2
    with workplace() as (folder, stack):
        tokens = make_tokens(folder, DATA.users)
        postgres = open_postgres(stack, folder)
        before = machine.fsync_rate(folder)
        setups = start_setups(folder, stack, postgres)
        faults = []
        for _ in range(given.rounds):
            for setup in setups:
                for connections, runs in setup.runs.items():
                    run, fault = measure(folder, setup, tokens, postgres, connections, given)
                    runs.append(run)
                    faults += fault
        about = machine.describe(folder, (before, machine.fsync_rate(folder)), postgres)
        page.keep("scaling", section(about, setups, faults, given), given.quick)
    if faults:
        sys.exit("the figures do not count:\n" + "\n".join(faults))


def start_setups(folder, stack, postgres):
    """All run from the start to the end, so that rounds alternate; those that wait cost nothing."""
    file = folder / "scaling.db"
    url = f"sqlite://{file}?mode=rwc"
    migrate(folder, url)
    seed.seed_sqlite(file, DATA)
    on_sqlite, port = start_playhead(stack, folder, "sqlite", url)
    setups = [Setup("one process, SQLite", port, {"Playhead": on_sqlite.pid})]
    url = postgres.create(stack, NAME)
    migrate(folder, url)
    seed.seed_postgres(postgres, NAME, DATA)
    first, first_port = start_playhead(stack, folder, "first", url)
    second, second_port = start_playhead(stack, folder, "second", url)
    server = parent_of(int(postgres.value(f"SELECT min(pid) FROM pg_stat_activity WHERE datname = '{NAME}'")))
    setups.append(Setup("one process, PostgreSQL", first_port, {"Playhead": first.pid, "PostgreSQL": server}))
    one_nginx, port = start_nginx(stack, folder / "one", [first_port])
    setups.append(Setup("one process behind nginx, PostgreSQL", port,
                        {"Playhead": first.pid, "PostgreSQL": server, "nginx": one_nginx.pid}))
    two_nginx, port = start_nginx(stack, folder / "two", [first_port, second_port])
    both = {"Playhead": first.pid, "Playhead, second": second.pid, "PostgreSQL": server, "nginx": two_nginx.pid}
    setups.append(Setup("two processes behind nginx, PostgreSQL", port, both))
    return setups


def measure(folder, setup, tokens, postgres, connections, given):
    """One run of saves: {rps, p99_us, …, processor: {program: µs a save}, wal: bytes a save}; and its faults."""
    say(f"{setup.name}, connections: {connections}")
    times = {name: seconds_of_tree(pid) for name, pid in setup.programs.items()}
    written = int(postgres.value("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"))
    env = dict(os.environ, **(NEW_CONNECTIONS if connections == "new" else {}))
    measured = load.measure(folder, {NAME: setup.port}, tokens, ["heartbeat"], 1, given.seconds, DATA, env=env)
    run, = measured["heartbeat"][NAME]
    saves = max(run["n"], 1)
    run["processor"] = {name: (seconds_of_tree(pid) - times[name]) * 1e6 / saves
                        for name, pid in setup.programs.items()}
    written = int(postgres.value("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")) - written
    run["wal"] = written / saves if "PostgreSQL" in setup.programs else None
    return run, load.failures(measured)


def section(about, setups, faults, given):
    head = ("setup", "connections", "saves/s", "p50 ms", "p99 ms", "processor, µs a save", "log, bytes a save",
            "viewers (arithmetic)")
    rows = [row_of(setup, connections, runs) for setup in setups for connections, runs in setup.runs.items()]
    return ["## Scaling", "", *about,
            f"- {DATA.users:,} users, {DATA.users * DATA.history:,} history rows; heartbeats of players, 64 clients at "
            f"once; rounds of {given.seconds} s: {given.rounds}; *kept* connections, or a *new* one for each save",
            "- viewers are not measured: one heartbeat of each viewer in "
            f"{HEARTBEAT_SECONDS} s, so saves/s times {HEARTBEAT_SECONDS}",
            *(f"- VIOLATED: {fault}" for fault in faults), "", *page.table(head, rows)]


def row_of(setup, connections, runs):
    rate = load.median(runs, "rps")
    processor = "; ".join(f"{name} {statistics.median(run['processor'][name] for run in runs):.0f}"
                          for name in setup.programs)
    logged = [run["wal"] for run in runs if run["wal"] is not None]
    return (setup.name, connections, f"{rate:,.0f}", load.milliseconds(runs, "p50_us"), load.milliseconds(runs, "p99_us"),
            processor, f"{statistics.median(logged):.0f}" if logged else "", f"{rate * HEARTBEAT_SECONDS:,.0f}")


if __name__ == "__main__":
    main()
