"""fill.py URL: inserts a few thousand rows through the models, with values that a conversion could lose."""

import random
import sys
from datetime import datetime, timedelta

import bcrypt
from sqlalchemy import text
from sqlalchemy.orm import Session

from database import engine
from models import Category, Rating, Tag, User, UserRole, Video, VideoStatus, VideoThumbnail, WatchHistory, video_tags

USERS, VIDEOS, TAGS = 300, 1200, 60
ODD = [
    "plain", "O'Neil; -- \"quoted\"", "100 % \\ back\\slash", "tab\tand\nline", "Žluťoučký kůň", "İstanbul ıIİ", "ẞß straße",
    "名前 映画", "🎬🍿👨‍👩‍👧‍👦", "e\u0301 combining", "‏עברית‎", "\u00a0spaces\u2003", "ﬁ ligature", "<b>&amp;</b>", "{json: true}", "NULL",
]  # fmt: skip


def moments(rng: random.Random):
    """Times of every kind: with microseconds, whole seconds, a fraction that begins with zeros, leap days, long ago."""
    start = datetime(2019, 1, 1)
    kinds = [0, 1, 10, 100_000, 120_000, 999_999]
    while True:
        whole = start + timedelta(seconds=rng.randrange(6 * 365 * 86_400))
        yield whole.replace(microsecond=rng.choice([*kinds, rng.randrange(1_000_000)]))


def people(rng, times):
    """Hashed at the cost that a test bears, but one at the cost of every site."""
    cheap = [bcrypt.hashpw(f"password {n}".encode(), bcrypt.gensalt(4)).decode() for n in range(20)]
    yield User(
        email="old.hand@example.org", username="old hand", full_name="Old Hand", role=UserRole.ADMIN, is_verified=True,
        hashed_password=bcrypt.hashpw(b"correct horse", bcrypt.gensalt(12)).decode(),
        created_at=datetime(2020, 2, 29, 23, 59, 59, 999_999), updated_at=datetime(2021, 1, 1), last_login=None,
    )  # fmt: skip
    collide = ["Ann", "ann", "ANN", "Zoë", "ZOË", "zoë", "Ärger", "ärger", "I", "İ", "ı", "i", "STRASSE", "straße"]
    for n in range(USERS - 1):
        name = collide[n] if n < len(collide) else f"{rng.choice(ODD)} {n}"
        yield User(
            email=f"{name}@example.org", username=name, hashed_password=cheap[n % len(cheap)],
            full_name=rng.choice([None, "", *ODD]), role=rng.choice(list(UserRole)), is_active=rng.random() < 0.9,
            is_verified=rng.random() < 0.5, created_at=next(times), updated_at=next(times),
            last_login=rng.choice([None, next(times)]),
        )  # fmt: skip


def films(rng, times, users, categories):
    for n in range(VIDEOS):
        yield Video(
            user_id=rng.choice(users), title=f"{rng.choice(ODD)} {n}" if n else "", description=rng.choice([None, "", *ODD]),
            file_path=f"uploads/{n} {rng.choice(ODD)}.mp4", file_size=rng.choice([None, 0, 9_000_000_000]),
            duration=rng.choice([None, None, 0, 1, 600, 2_147_483_647]), width=rng.choice([None, 1920]),
            height=rng.choice([None, 1080]), fps=rng.choice([None, 25.0, 23.976, 29.97002997002997]),
            codec=rng.choice([None, "h264"]), bitrate=rng.choice([None, 800_000]), status=rng.choice(list(VideoStatus)),
            view_count=rng.randrange(1_000_000), created_at=next(times), updated_at=next(times),
            published_at=rng.choice([None, next(times)]), category_id=rng.choice([None, *categories]),
            thumbnail_path=rng.choice([None, "thumbs/ä 1.jpg"]),
        )  # fmt: skip


def main() -> None:
    rng = random.Random(9)
    times = moments(rng)
    with Session(engine(sys.argv[1])) as session:
        session.add_all(people(rng, times))
        session.add_all(Category(name=f"{odd} {n}", slug=f"c{n}", description=odd) for n, odd in enumerate(ODD))
        session.add_all(Tag(name=f"{rng.choice(ODD)} {n}", created_at=next(times)) for n in range(TAGS))
        session.flush()
        users, tags, categories = ([id for (id,) in session.query(kind.id)] for kind in (User, Tag, Category))
        session.add_all(films(rng, times, users, categories))
        session.flush()
        videos = [id for (id,) in session.query(Video.id)]
        links = {(rng.choice(videos), rng.choice(tags)) for _ in range(1500)}
        session.execute(video_tags.insert(), [{"video_id": video, "tag_id": tag} for video, tag in sorted(links)])
        session.add_all(
            VideoThumbnail(video_id=video, file_path=f"thumbs/{video}.jpg", width=n or None, is_default=n == 0,
                           created_at=next(times))
            for video in videos for n in range(rng.randrange(3))
        )  # fmt: skip
        pairs = sorted({(rng.choice(users), rng.choice(videos)) for _ in range(3000)})
        session.add_all(
            Rating(user_id=user, video_id=video, is_like=rng.random() < 0.7, created_at=next(times), updated_at=next(times))
            for user, video in pairs[::2]
        )
        session.add_all(
            WatchHistory(user_id=user, video_id=video, watch_position=rng.choice([0, 1, 599, 2_147_483_647]),
                         watch_duration=rng.choice([0, 700, 2_147_483_647]), completed=rng.random() < 0.3,
                         last_watched_at=next(times), created_at=next(times), updated_at=next(times))
            for user, video in pairs
        )  # fmt: skip
        # Gaps in the ids, one of them at the end.
        session.flush()
        for row in (session.get(Tag, tags[-1]), session.get(Video, videos[-1]), session.get(Video, videos[3])):
            session.delete(row)
        session.flush()
        if session.get_bind().dialect.name == "sqlite":
            # CURRENT_TIMESTAMP and other programs write no fraction, or a shorter one.
            session.execute(text("UPDATE users SET created_at = substr(created_at, 1, 19) WHERE created_at LIKE '%.000000'"))
            session.execute(text("UPDATE videos SET updated_at = rtrim(updated_at, '0') WHERE updated_at LIKE '%.1_0000'"))
        session.commit()


main()
