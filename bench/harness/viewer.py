"""The part of `bench/growth` about one viewer with a long history: 10,000 entries and 50,000 plays."""
import itertools
import json
import os
import statistics
import threading
import time
from contextlib import ExitStack, contextmanager

from harness import load, machine, page, seed
from harness.checks import Client
from harness.postgres import open_postgres
from harness.programs import migrate, say, start_playhead
from harness.viewer_requests import REQUESTS, VIEWERS

# The others, whose saves must not become slower, and the viewers with a row for every video.
DATA = seed.Data(users=5_000, videos=10_000, history=90, heavy=VIEWERS)
PLAYS_OF_ENTRY = 5
KEPT_RATE = 0.9
# How often the viewer asks for something while the others save.
PAUSE = 0.1
NAME = "bench_viewer"


def measure(database, folder, outer, tokens, given):
    """Seeds, measures and reports one database. Returns the faults that make the figures invalid."""
    postgres = open_postgres(outer, folder) if database == "postgres" else None
    url = seeded(database, folder, outer, postgres)
    os.sync()
    before, keys = machine.fsync_rate(folder), tokens.read_text().split()
    with ExitStack() as stack:
        # One viewer asks for more changes here than a person can.
        _, port = start_playhead(stack, folder, NAME, url, {"WRITES_PER_MINUTE": "0", "ADDRESS_WRITES_PER_MINUTE": "0"})
        timed = [(request, times_of(Client(port, keys), request, given)) for request in REQUESTS]
        rates, faults = rates_of_others(folder, port, tokens, keys, given)
    about = machine.describe(folder, (before, machine.fsync_rate(folder)), postgres)
    page.keep(f"viewer, {database}", section(database, about, timed, rates, faults, given), given.quick)
    return faults


def seeded(database, folder, outer, postgres):
    started = time.monotonic()
    if postgres:
        url = postgres.create(outer, NAME)
        migrate(folder, url)
        seed.seed_postgres(postgres, NAME, DATA, PLAYS_OF_ENTRY)
    else:
        file = folder / f"{NAME}.db"
        url = f"sqlite://{file}?mode=rwc"
        migrate(folder, url)
        seed.seed_sqlite(file, DATA, PLAYS_OF_ENTRY)
    entries = DATA.heavy * DATA.videos
    say(f"{database}: seeded {DATA.heavy} viewers with {entries:,} entries and {entries * PLAYS_OF_ENTRY:,} plays in "
        f"{time.monotonic() - started:.0f} s")
    return url


def times_of(client, request, given):
    """Milliseconds of each answer, one request at a time; the first answers, of cold caches, do not count."""
    times = []
    for number in range(request.warm + (5 if given.quick else request.repeats)):
        started = time.monotonic()
        send(client, request, number)
        times.append((time.monotonic() - started) * 1000)
    return times[request.warm:]


def send(client, request, number):
    method, path, body = request.ask(number)
    user = DATA.users + 1 + request.viewer(number)
    if "{token}" in path:
        tokens = client.__dict__.setdefault("change_tokens", {})
        if user not in tokens:
            tokens[user] = change_token(client, user)
        path = path.format(token=tokens[user])
    client.request(method, user, path, body)


def change_token(client, user):
    """The token of a device that has read the whole history."""
    page = {"token": "", "more": True}
    while page["more"]:
        since = f"&since={page['token']}" if page["token"] else ""
        page = json.loads(client.request("GET", user, f"/watch-history/changes?limit=1000{since}"))
    return page["token"]


def rates_of_others(folder, port, tokens, keys, given):
    """Heartbeats of the others a second, without and with such a viewer, in alternation; and the faults."""
    rates, faults, numbers = {"alone": [], "beside": []}, [], itertools.count(max(each.repeats for each in REQUESTS))
    for _ in range(given.rounds):
        for name, runs in rates.items():
            with asking(port, keys, numbers) if name == "beside" else ExitStack():
                measured = load.measure(folder, {name: f"{port}/{DATA.users}"}, tokens, ["heartbeat"], 1,
                                        given.seconds, DATA)
            faults += load.failures(measured)
            runs += measured["heartbeat"][name]
    return rates, faults


@contextmanager
def asking(port, keys, numbers):
    """A viewer with a long history asks for one thing after the other, in a thread."""
    ended = threading.Event()

    def ask():
        client = Client(port, keys)
        for number in numbers:
            for request in REQUESTS:
                if ended.wait(PAUSE):
                    return
                send(client, request, number)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def section(database, about, timed, rates, faults, given):
    title = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[database]
    # Of all runs: beside such a viewer the machine is never quiet.
    alone, beside = (statistics.median(run["rps"] for run in runs) for runs in rates.values())
    lowest, highest = load.ratios(rates["beside"], rates["alone"])
    kept = "kept" if beside >= KEPT_RATE * alone else "MISSED"
    head = ("request", "p50 ms", "p95 ms", "wanted p50 under", "")
    return [f"## A viewer with 10,000 entries and 50,000 plays on {title}", "", *about,
            f"- beside {DATA.users:,} viewers with {DATA.history} entries each; {DATA.videos:,} videos; one request at a "
            "time",
            *(f"- VIOLATED: {fault}" for fault in faults), "", *page.table(head, map(row_of, timed)), "",
            f"Heartbeats of the others, 64 connections, rounds of {given.seconds} s: {given.rounds}: {alone:,.0f} a second "
            f"alone, {beside:,.0f} while such a viewer sends a request of the table every {PAUSE * 1000:.0f} ms: "
            f"{beside / alone:.2f}, by round {lowest:.2f} to {highest:.2f}, wanted {KEPT_RATE}: {kept}."]


def row_of(measured):
    request, times = measured
    times = sorted(times)
    p50, p95 = statistics.median(times), times[int(len(times) * 0.95)]
    return request.name, f"{p50:.2f}", f"{p95:.2f}", f"{request.limit_ms} ms", "kept" if p50 < request.limit_ms else "MISSED"
