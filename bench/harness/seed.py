"""The data of peer/seed_data.py in Playhead's own schema, made by the database itself: ten million rows take minutes,
not an hour. `checks.same_answers` compares both sides."""
import sqlite3
from dataclasses import dataclass

DESCRIPTION = "A talk on how the thing works, with examples, a demo and the questions of the audience. " * 2
HASH = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$" + "x" * 43
START = 1767225600  # 2026-01-01T00:00:00Z
SEEDED_BEFORE = "2026-04-12"
SPAN = 8640000
SECONDS = f"(i * 104729) % {SPAN}"
DURATION = "60 + (v * 37) % 3600"


@dataclass(frozen=True)
class Data:
    """How many rows: `history` for each of `users`, and every video for each of the `heavy` users who come after them.
    The first heavy user is like everybody, the next one has finished all videos but the hundredth part seen first, and
    the third has seen all of them within the last hour."""
    users: int
    videos: int
    history: int
    heavy: int = 0


def statements(data, series, moment, padded):
    """The tables for one dialect: `series(n)` is a table `n(i)` that counts from 1 to n, `moment(seconds, micros)` a
    time after START, `padded(i)` a number in six digits."""
    start = moment("0", "0")
    yield ("INSERT INTO users (id, email, email_key, username, username_key, hashed_password, created_at, updated_at) "
           "SELECT i, 'user' || i || '@example.org', 'user' || i || '@example.org', 'user' || i, 'user' || i, "
           f"'{HASH}', {start}, {start} FROM {series(data.users + data.heavy)}")
    yield ("INSERT INTO videos (id, user_id, title, description, duration, thumbnail_path, created_at, updated_at, "
           f"published_at) SELECT v, v % {data.users} + 1, 'Video number ' || v || ': how it works', '{DESCRIPTION}', "
           f"{DURATION}, '/media/thumbs/' || {padded('v')} || '.jpg', {start}, {start}, {start} "
           f"FROM (SELECT i AS v FROM {series(data.videos)}) AS video")

    regular = data.users * data.history
    pairs = (f"SELECT i, u, (u * 7 + (i - 1) % {data.history}) % {data.videos} + 1 AS v FROM "
             f"(SELECT i, (i - 1) / {data.history} + 1 AS u FROM {series(regular)}) AS of_user")
    reached = "p * 10 >= d * 9"
    yield history(pairs, reached, moment)
    if data.heavy:
        pairs = (f"SELECT {regular} + i AS i, {data.users} + 1 + (i - 1) / {data.videos} AS u, "
                 f"(i - 1) % {data.videos} + 1 AS v FROM {series(data.heavy * data.videos)}")
        # What the second of them has still open lies at the far end of the list's order.
        late = f"u = {data.users + 2} AND {SECONDS} > {SPAN} / 100"
        seconds = f"CASE WHEN u = {data.users + 3} THEN {SPAN - 3600} + i % 3600 ELSE {SECONDS} END"
        yield history(pairs, f"({reached}) OR ({late})", moment, seconds)


def history(pairs, finished, moment, seconds=SECONDS):
    """Rows for the user `u` and the video `v` of every `i` in `pairs`, seen so many seconds after START."""
    at = moment(seconds, "i % 1000000")
    timed = f"SELECT i, u, v, {DURATION} AS d FROM ({pairs}) AS pair"
    placed = f"SELECT i, u, v, d, (i * 7919) % d AS p FROM ({timed}) AS timed"
    return ("INSERT INTO watch_history (id, user_id, video_id, watch_position, watch_duration, completed, "
            f"last_watched_at, watched_hour, created_at, updated_at) "
            f"SELECT i, u, v, p, p, {finished}, {at}, ({START} + {seconds}) / 3600, {at}, {at} "
            f"FROM ({placed}) AS placed")


def seed_sqlite(path, data):
    """Fills a migrated file while no server has it open."""
    def moment(seconds, micros):
        # As many groups of three decimals as there are, which is how the server writes a time.
        fraction = (f"CASE WHEN {micros} = 0 THEN '' WHEN ({micros}) % 1000 = 0 "
                    f"THEN printf('.%03d', ({micros}) / 1000) ELSE printf('.%06d', {micros}) END")
        return f"strftime('%Y-%m-%dT%H:%M:%S', {START} + {seconds}, 'unixepoch') || {fraction} || '+00:00'"

    def series(count):
        count_up = f"SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}"
        return f"(WITH RECURSIVE n(i) AS ({count_up}) SELECT i FROM n) AS n"

    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000", "foreign_keys = OFF"):
        db.execute(f"PRAGMA {pragma}")
    # An index built at the end is sorted once.
    indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    for name, _ in indexes:
        db.execute(f'DROP INDEX "{name}"')
    db.execute("BEGIN")
    for statement in statements(data, series, moment, lambda i: f"printf('%06d', {i})"):
        db.execute(statement)
    for _, sql in indexes:
        db.execute(sql)
    db.execute("COMMIT")
    # As the peer's data is left: analysed, in WAL mode.
    db.execute("ANALYZE")
    db.execute("PRAGMA journal_mode = WAL")
    db.close()


def seed_postgres(postgres, database, data):
    def moment(seconds, micros):
        return f"to_timestamp({START}) + ({seconds}) * interval '1 second' + ({micros}) * interval '1 microsecond'"

    def series(count):
        return f"generate_series(1, {count}::bigint) AS n(i)"

    # Without the triggers of the foreign keys, which would look up twenty million parents one by
    # one.
    work = ["SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'"]
    work += statements(data, series, moment, lambda i: f"to_char({i}, 'FM000000')")
    work += [f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
             for table in ("users", "videos", "watch_history")]
    work += ["VACUUM ANALYZE", "CHECKPOINT"]
    postgres.query(";\n".join(work) + ";", database)
