"""`bench/run`: Playhead, the FastAPI peer in both forms, and the peer of axum and sqlx, on both databases."""
import argparse
import sys
from contextlib import ExitStack

from harness import checks, load, machine, page, seed
from harness.memory import Memory
from harness.postgres import open_postgres
from harness.programs import (BENCH, VENV_PYTHON, make_tokens, migrate, run, say, start_peer,
                              start_peer_axum, start_playhead, workplace)

DATA = seed.Data(users=5000, videos=1000, history=90)
# Reads come first, while all servers have the same rows: a faster server has more rows after saves,
# and most of them of one hour.
LOADS = (("get", "list"), ("save", "mixed"))
FORMS = ("native", "orm", "axum")
# Ratios to the peer's native form: the floor that must be reached, and the goal.
FLOOR_AND_GOAL = {
    "sqlite": {"save": (12, 24), "get": (3, 20), "list": (3, 14), "mixed": (10, 20)},
    "postgres": {"save": (6, 10), "get": (5, 17), "list": (4, 9), "mixed": (6, 10)},
}
# Ratios to the peer of axum and sqlx, on every load and both databases.
AXUM_FLOOR_AND_GOAL = (1.9, 3)
P99_OF_SAVES_MS = {"sqlite": 20, "postgres": 10}
MEMORY_MIB = 64


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
        for database in ("sqlite", "postgres") if given.only is None else (given.only,):
            faults += compare(database, folder, stack, tokens, given)
    if faults:
        sys.exit("the comparison does not count:\n" + "\n".join(faults[:20]))


def compare(database, folder, outer, tokens, given):
    """Seeds, measures and reports one database. Returns the faults that make the figures invalid."""
    postgres = open_postgres(outer, folder) if database == "postgres" else None
    with ExitStack() as stack:
        servers = seeded_servers(database, folder, outer, stack, postgres)
        before = machine.fsync_rate(folder)
        keys = tokens.read_text().split()
        ports = {name: port for name, (_, port, _) in servers.items()}
        faults = checks.same_answers(ports, keys, DATA)
        if faults:
            return faults
        say(f"{database}: all give the same answers; {given.rounds} rounds of {given.seconds} s a load")
        memory = Memory(servers["playhead"][0].pid)
        measured = {}
        for loads in LOADS:
            measured |= load.measure(folder, ports, tokens, loads, given.rounds, given.seconds, DATA)
        memory.end()
        about = machine.describe(folder, (before, machine.fsync_rate(folder)), postgres)
        faults += load.failures(measured)
        answered = {} if faults else {name: checks.save_some(port, keys, DATA) for name, port in ports.items()}
    # The servers have ended: the databases hold what a restart would find.
    for name in answered:
        faults += read_back(name, servers[name][2], answered[name], measured)
    page.keep(f"side by side, {database}", section(database, about, measured, memory, faults, given), given.quick)
    return faults


def seeded_servers(database, folder, outer, stack, postgres):
    """Equal data and a server on it, four times: {name: (process, port, how to ask its database)}.
    The databases outlive the servers."""
    servers = {}
    for form in FORMS:
        say(f"{database}: seeding the peer ({form})")
        if postgres:
            url = plain = postgres.create(outer, f"bench_peer_{form}")
            query = checks.rows_of_postgres(postgres, f"bench_peer_{form}")
            url = plain if form == "axum" else "postgresql+asyncpg://" + plain.split("://", 1)[1]
        else:
            file = folder / f"peer-{form}.db"
            plain, query = f"sqlite:///{file}", checks.rows_of_sqlite(file)
            url = f"sqlite://{file}" if form == "axum" else f"sqlite+aiosqlite:///{file}"
        size = map(str, (DATA.users, DATA.videos, DATA.history))
        run([VENV_PYTHON, str(BENCH / "peer/seed_data.py"), plain, *size], folder / "seed.log")
        start = start_peer_axum(stack, folder, url) if form == "axum" else start_peer(stack, folder, form, url)
        servers[form] = (*start, query)
    say(f"{database}: seeding Playhead")
    if postgres:
        url, query = postgres.create(outer, "bench_playhead"), checks.rows_of_postgres(postgres, "bench_playhead")
        migrate(folder, url)
        seed.seed_postgres(postgres, "bench_playhead", DATA)
    else:
        file = folder / "playhead.db"
        url, query = f"sqlite://{file}?mode=rwc", checks.rows_of_sqlite(file)
        migrate(folder, url)
        seed.seed_sqlite(file, DATA)
    servers["playhead"] = (*start_playhead(stack, folder, "playhead", url), query)
    return servers


def read_back(name, query, answered, measured):
    """Checks that acknowledged saves are in the database, and as many rows as the load must have touched."""
    faults = [f"{name} lost a save: {line}" for line in checks.missing_saves(query, answered)]
    saves = sum(row["n"] for row in measured["save"][name]) + 0.8 * sum(row["n"] for row in measured["mixed"][name])
    written, expected = checks.rows_written(query), checks.rows_expected(saves + len(answered), DATA)
    say(f"{name}: {len(answered)} saves read back, {len(faults)} wrong; "
        f"{written:,} rows written, {expected:,.0f} expected")
    # The draw scatters by less than a hundredth; the 64 requests under way at the end of a run are
    # not counted.
    if abs(written - expected) > 0.02 * expected + 64 * 2 * len(measured["save"][name]):
        faults.append(f"{name}: the load should have written {expected:,.0f} rows, {written:,} are there")
    return faults


def section(database, about, measured, memory, faults, given):
    title = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[database]
    scripts = FLOOR_AND_GOAL[database]
    rows = [row for script in scripts for row in rows_of_load(script, measured[script], *scripts[script])]
    head = ("load", "server", "requests/s", "p50 ms", "p99 ms", "failed", "quiet runs", "ratio to native", "by round",
            "floor / goal", "")
    p99, limit = load.median(measured["save"]["playhead"], "p99_us") / 1000, P99_OF_SAVES_MS[database]
    own = memory.own / 1024
    return [
        f"## Side by side on {title}", "", *about,
        f"- {DATA.users:,} users, {DATA.videos:,} videos, {DATA.users * DATA.history:,} history rows; 64 connections; "
        f"rounds of {given.seconds} s: {given.rounds}", "", *page.table(head, rows), "",
        "Playhead beside axum + sqlx:", "",
        *page.table(("load", "ratio to axum", "by round", "floor / goal", ""), map(row_beside_axum, measured.items())), "",
        f"- p99 of saves: {p99:.1f} ms, wanted under {limit} ms: {'kept' if p99 < limit else 'MISSED'}",
        f"- peak memory of Playhead without the mapped database: {own:.0f} MiB ({memory.anonymous / 1024:.0f} MiB of "
        f"it anonymous), wanted under {MEMORY_MIB} MiB: {'kept' if own < MEMORY_MIB else 'MISSED'}; mapped database: "
        f"{memory.mapped / 1024:.0f} MiB",
        "- fair play: " + ("; ".join(f"VIOLATED: {fault}" for fault in faults[:5]) or
                           "every response 2xx, equal answers before the load, every checked save read back from the "
                           "database after the servers had ended, as many rows written as the load must touch"),
    ]


def row_beside_axum(measured_load):
    script, per = measured_load
    floor, goal = AXUM_FLOOR_AND_GOAL
    ratio = load.median(per["playhead"], "rps") / load.median(per["axum"], "rps")
    low, high = load.ratios(per["playhead"], per["axum"])
    return script, f"**{ratio:.1f} ×**", f"{low:.1f} to {high:.1f}", f"{floor} × / {goal} ×", verdict_of(ratio, floor, goal)


def verdict_of(ratio, floor, goal):
    return "goal" if ratio >= goal else "floor" if ratio >= floor else "BELOW FLOOR"


def rows_of_load(script, per, floor, goal):
    ours, native = per["playhead"], per["native"]
    for name, runs in per.items():
        label = name if runs is ours else f"peer {name}"
        figures = (script, label, f"{load.median(runs, 'rps'):,.0f}", load.milliseconds(runs, "p50_us"),
                   load.milliseconds(runs, "p99_us"), load.failed(runs), load.quiet(runs))
        if runs is not ours:
            yield (*figures, "", "", "", "")
            continue
        ratio = load.median(ours, "rps") / load.median(native, "rps")
        low, high = load.ratios(ours, native)
        yield (*figures, f"**{ratio:.1f} ×**", f"{low:.1f} to {high:.1f}", f"{floor} × / {goal} ×",
               verdict_of(ratio, floor, goal))


if __name__ == "__main__":
    main()
