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


def statements(data, series, moment, padded, plays=0):
    """The tables for one dialect: `series(n)` is a table `n(i)` that counts from 1 to n, `moment(seconds, micros)` a
    time after START, `padded(i)` a number in six digits. `plays` is how many ended plays each entry of a heavy user
    has."""
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
    if plays:
        yield from plays_of_heavy(data, series, moment, plays)


def plays_of_heavy(data, series, moment, plays):
    """The plays of the heavy users: one every 50 days, and a running one in each entry."""
    seconds, micros, heavy = SECONDS.replace("i", "id"), "id % 1000000", f"user_id > {data.users}"
    ended = f"{seconds} - n.i * 50 * 86400"
    yield ("UPDATE watch_history SET play_count = CASE WHEN completed THEN 1 ELSE 0 END, "
           "completed_at = CASE WHEN completed THEN last_watched_at END, device = 'Living room', "
           f"play_number = {plays + 1}, play_is_kept = true, play_started_at = {moment(seconds + ' - 600', micros)}, "
           "play_watched_ms = 600000, play_completed = completed, previous_position = watch_position / 2, "
           f"previous_device = 'Phone', previous_at = {moment(seconds + ' - 9000', micros)} WHERE {heavy}")
    yield ("INSERT INTO plays (entry_id, number, user_id, device, started_at, ended_at, start_position, end_position, "
           "watched_ms, completed) SELECT id, n.i, user_id, 'Phone', "
           f"{moment(ended + ' - 1200', micros)}, {moment(ended, micros)}, 0, 600, 500000 + id % 700000, false "
           f"FROM watch_history CROSS JOIN {series(plays)} WHERE {heavy}")


def history(pairs, finished, moment, seconds=SECONDS):
    """Rows for the user `u` and the video `v` of every `i` in `pairs`, seen so many seconds after START."""
    at = moment(seconds, "i % 1000000")
    timed = f"SELECT i, u, v, {DURATION} AS d FROM ({pairs}) AS pair"
    placed = f"SELECT i, u, v, d, (i * 7919) % d AS p FROM ({timed}) AS timed"
    return ("INSERT INTO watch_history (id, user_id, video_id, watch_position, watch_duration, completed, "
            f"last_watched_at, watched_hour, created_at, updated_at) "
            f"SELECT i, u, v, p, p, {finished}, {at}, ({START} + {seconds}) / 3600, {at}, {at} "
            f"FROM ({placed}) AS placed")


def seed_sqlite(path, data, plays=0):
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
    for statement in statements(data, series, moment, lambda i: f"printf('%06d', {i})", plays):
        db.execute(statement)
    for _, sql in indexes:
        db.execute(sql)
    db.execute("COMMIT")
    # As the peer's data is left: analysed, in WAL mode.
    db.execute("ANALYZE")
    db.execute("PRAGMA journal_mode = WAL")
    db.close()


def seed_postgres(postgres, database, data, plays=0):
    def moment(seconds, micros):
        return f"to_timestamp({START}) + ({seconds}) * interval '1 second' + ({micros}) * interval '1 microsecond'"

    def series(count):
        return f"generate_series(1, {count}::bigint) AS n(i)"

    # Without the triggers of the foreign keys, which would look up twenty million parents one by
    # one.
    work = ["SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'"]
    work += statements(data, series, moment, lambda i: f"to_char({i}, 'FM000000')", plays)
    work += [f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
             for table in ("users", "videos", "watch_history")]
    work += ["VACUUM ANALYZE", "CHECKPOINT"]
    postgres.query(";\n".join(work) + ";", database)
