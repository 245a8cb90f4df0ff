"""What a viewer with a long history asks for, and how long the median answer may take.

A new operation is one more line in REQUESTS.
"""
from dataclasses import dataclass
from typing import Callable

# Viewers with a long history. The first one sends most requests, and each CLEAR empties another
# one.
VIEWERS = 26
CLEARED_FROM = 3
# Between the first and the last entry that harness.seed makes.
MIDDLE = "2026-02-20T00:00:00Z"
# Of all plays that harness.seed makes.
YEAR = "from=2025-04-14&to=2026-04-14&tz=Asia/Seoul"


@dataclass(frozen=True)
class Request:
    """A request by a viewer with a long history. `ask(n)` is method, path below /api/v1 and body of the nth one; `{token}`
    in the path is the change token of a device that has the whole history."""
    name: str
    limit_ms: float
    ask: Callable
    repeats: int = 60
    warm: int = 10
    # Which of the viewers sends the nth request.
    viewer: Callable = lambda number: 0


def get(path):
    return lambda number: ("GET", path, None)


def mark(number):
    first = number % 19 * 500 + 1
    return "POST", "/watch-history/mark", {"video_ids": list(range(first, first + 500)), "watched": number % 2 == 0}


def next_viewer(number):
    return CLEARED_FROM + number % (VIEWERS - CLEARED_FROM)


REQUESTS = [
    Request("history, first page", 10, get("/watch-history?limit=20")),
    Request("history, a page in the middle", 10, get(f"/watch-history?limit=20&until={MIDDLE}")),
    Request("history, in progress", 10, get("/watch-history?state=in_progress&limit=20")),
    Request("history, completed", 10, get("/watch-history?state=completed&limit=20")),
    Request("history, completed, a page of 100", 10, get("/watch-history?state=completed&limit=100")),
    Request("history search, in every video", 30, get("/watch-history?q=how+it+works&limit=20")),
    Request("history search, in some", 30, get("/watch-history?q=number+77&limit=20")),
    Request("history search, in one", 30, get("/watch-history?q=number+7777&limit=20")),
    Request("history search, in none", 30, get("/watch-history?q=nowhere&limit=20")),
    Request("plays, first page", 10, get("/plays?limit=20")),
    Request("plays, a page in the middle", 10, get("/plays?limit=20&until=2025-10-01T00:00:00Z")),
    Request("plays of a video", 10, lambda number: ("GET", f"/videos/{number % 1000 + 1}/plays", None)),
    Request("statistics of a year", 150, get(f"/users/me/statistics?{YEAR}")),
    Request("changes, nothing new", 10, get("/watch-history/changes?since={token}")),
    Request("mark of 500", 50, mark, repeats=40, warm=4),
    Request("undo", 5, lambda number: ("POST", f"/videos/{number % 900 + 9_001}/watch-history/undo", None)),
    Request("clear of all", 500, lambda number: ("DELETE", "/watch-history", None), repeats=8, warm=0,
            viewer=next_viewer),
]
