"""The query plans of the statements that Playhead runs, on the measured database."""
import re
import sqlite3
from contextlib import ExitStack

from harness.checks import Client
from harness.programs import start_playhead

# PostgreSQL decides after five runs whether a prepared statement gets a plan for any value.
REPEATS = 12
SOURCE = {
    "postgres": "For the largest history, as `auto_explain` logs them for a running Playhead. The list is that of a user with 10,000 rows.",
    "sqlite": f"For the largest history, of the statements that a running Playhead logs, explained by Python's SQLite "
              f"{sqlite3.sqlite_version}.",
}


def of_postgres(postgres, database, folder, keys, data):
    """{statement: analysed plan}, from PostgreSQL's log of the statements of a running Playhead. Empty for a
    server that is not ours, because its log cannot be read."""
    if postgres.log is None:
        return {}
    for name, value in {"session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0",
                        "auto_explain.log_analyze": "on", "auto_explain.log_buffers": "on"}.items():
        postgres.query(f"ALTER DATABASE {database} SET {name} = '{value}'")
    begin = postgres.log.stat().st_size
    with ExitStack() as stack:
        _, port = start_playhead(stack, folder, "explained", postgres.url(database))
        use(Client(port, keys), data)
    with open(postgres.log) as log:
        log.seek(begin)
        text = log.read()
    plans = {}
    for block in re.findall(r"plan:\n((?:\t.*\n?)+)", text):
        lines = [line[1:] for line in block.splitlines()]
        # The statement may have several lines; its plan begins with the first line that states
        # costs.
        first = next((number for number, line in enumerate(lines) if "(cost=" in line), 0)
        query = " ".join(" ".join(lines[:first]).split()).removeprefix("Query Text: ")
        if "watch_history" in query:
            plans[query] = "\n".join(lines[first:])
    return plans


def of_sqlite(folder, file, keys, data):
    """{statement: plan}, by Python's SQLite, of the statements that a running Playhead logs."""
    with ExitStack() as stack:
        _, port = start_playhead(stack, folder, "explained", f"sqlite://{file}", {"RUST_LOG": "service::storage=trace"})
        use(Client(port, keys), data)
    log = (folder / "explained.log").read_text()
    statements = dict.fromkeys(re.findall(r"TRACE service::storage\S*\] (.*)", log))
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    plans = {sql: tree(db.execute("EXPLAIN QUERY PLAN " + re.sub(r"\?\d+", ":value", sql), {"value": 1}).fetchall())
             for sql in statements}
    db.close()
    return plans


def use(client, data):
    """Saves, gets and lists often enough for PostgreSQL to settle on a plan, the longest history last."""
    for user in range(1, REPEATS + 1):
        video = user * 7 % data.videos + 1
        client.save(user, video, 30)
        client.entry(user, video)
        client.ask("GET", data.users + 1 if data.heavy and user == REPEATS else user, "continue-watching?limit=10")


def tree(rows):
    depth, lines = {0: -1}, []
    for number, parent, _, detail in rows:
        depth[number] = depth.get(parent, -1) + 1
        lines.append("  " * depth[number] + detail)
    return "\n".join(lines)


def as_text(plans):
    lines = []
    for sql, plan in plans.items():
        lines += ["```sql", sql, "```", "", "```", plan, "```", ""]
    return lines
