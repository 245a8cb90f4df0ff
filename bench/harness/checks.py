"""Checks that the comparison is fair: the same data gives the same answers, and saves are really stored."""
import http.client
import json
import math
import random
import sqlite3
from datetime import datetime, timezone

from harness.seed import SEEDED_BEFORE


class Client:
    """One persistent connection to a server, with the tokens of all users."""

    def __init__(self, port, tokens):
        self.connection, self.tokens = http.client.HTTPConnection("127.0.0.1", port, timeout=30), tokens

    def request(self, method, user, path, body=None):
        """The bytes of the answer to a request below /api/v1; any status but 2xx ends the run."""
        token = self.tokens[user - 1]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.connection.request(method, f"/api/v1{path}", json.dumps(body) if body else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if not 200 <= answer.status < 300:
            raise SystemExit(f"{method} {path} as user {user}: {answer.status} {text[:300]}")
        return text

    def ask(self, method, user, path, body=None):
        return json.loads(self.request(method, user, f"/videos/{path}", body))

    def entry(self, user, video):
        return self.ask("GET", user, f"{video}/watch-history")

    def save(self, user, video, position):
        body = {"watch_position": position, "watch_duration": position}
        return self.ask("POST", user, f"{video}/watch-history", body)


def parse_time(value):
    """A time as a response, SQLite or PostgreSQL writes it, in milliseconds."""
    text = value.replace("Z", "+00:00")
    text += ":00" if text[-3] in "+-" else ""
    parsed = datetime.fromisoformat(text)
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)
    return parsed.replace(microsecond=parsed.microsecond // 1000 * 1000)


def comparable(answer):
    """The fields that both servers return."""
    names = ("video_id", "user_id", "watch_position", "watch_duration", "completed", "video_title", "video_duration",
             "uploader_username")
    known = {name: answer[name] for name in names if name in answer}
    return known | {"progress": round(answer["progress_percentage"], 6), "at": parse_time(answer["last_watched_at"])}


def same_answers(ports, tokens, data, samples=100):
    """Sends every server the same requests before the load. Returns the differences from the first one."""
    (first, *_), different = ports, []
    clients = {name: Client(port, tokens) for name, port in ports.items()}
    for _ in range(samples):
        user = random.randint(1, data.users)
        video = (user * 7 + random.randrange(data.history)) % data.videos + 1
        asked = {name: (comparable(client.entry(user, video)),
                        [comparable(item) for item in client.ask("GET", user, "continue-watching?limit=10")])
                 for name, client in clients.items()}
        different += [f"{name} and {first} answer user {user}, video {video} differently: {asked[name]} {asked[first]}"
                      for name in ports if asked[name] != asked[first]]
    return different


def save_some(port, tokens, data, samples=200):
    """Saves known positions after the load; returns the responses by user and video."""
    client, answered = Client(port, tokens), {}
    while len(answered) < samples:
        user, video = random.randint(1, data.users), random.randint(1, data.videos)
        position = random.randrange(60 + video * 37 % 3600)
        answer = client.save(user, video, position)
        if answer["watch_position"] != position:
            raise SystemExit(f"saved {position}, answered {answer}")
        answered[user, video] = answer
    return answered


def rows_of_postgres(postgres, database):
    return lambda sql: postgres.query(sql, database)


def rows_of_sqlite(path):
    """Only for a file that no server has open."""
    def query(sql):
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return [[str(value) for value in row] for row in db.execute(sql)]
        finally:
            db.close()
    return query


def missing_saves(query, answered):
    """Reads the saved rows from the database itself. Returns the responses that do not match."""
    where = " OR ".join(f"(user_id = {user} AND video_id = {video})" for user, video in answered)
    rows = query("SELECT user_id, video_id, id, watch_position, completed, last_watched_at FROM watch_history "
                 f"WHERE {where}")
    stored = {(int(user), int(video)): (int(id), int(position), done in ("1", "t"), parse_time(at))
              for user, video, id, position, done, at in rows}
    told = {key: (answer["id"], answer["watch_position"], answer["completed"], parse_time(answer["last_watched_at"]))
            for key, answer in answered.items()}
    return [f"user {key[0]}, video {key[1]}: answered {told[key]}, stored {stored.get(key)}"
            for key in told if stored.get(key) != told[key]]


def rows_written(query):
    """Rows that the load wrote: every seeded time is older."""
    return int(query(f"SELECT count(*) FROM watch_history WHERE last_watched_at >= '{SEEDED_BEFORE}'")[0][0])


def rows_expected(saves, data):
    """How many rows so many saves touch at least once: 9 of 10 choose a row that was begun, 1 of 10 any pair of
    user and video."""
    begun, pairs = data.users * data.history, data.users * data.videos
    untouched = lambda hits, of: math.exp(-hits / of)
    of_begun = begun * (1 - untouched(saves * 0.9, begun) * untouched(saves * 0.1, pairs))
    return of_begun + (pairs - begun) * (1 - untouched(saves * 0.1, pairs))
