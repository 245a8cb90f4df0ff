"""The page of results: sections that are replaced one by one."""
import re

from harness.programs import BENCH, VENV, say

HEAD = """# Results

Written by `bench/run`, `bench/growth`, `bench/recommendations`, `bench/live` and `bench/scaling`.
[README.md](README.md) says how to read it. Each section is about the run that its first line names.
"""
ORDER = ("side by side, sqlite", "side by side, postgres", "growth, sqlite", "growth, postgres", "viewer, sqlite",
         "viewer, postgres", "recommendations, sqlite", "recommendations, postgres", "live, sqlite", "live, postgres",
         "scaling")


def keep(name, lines, quick):
    """Prints a section and replaces its previous version. A quick run goes into a file of its own: it proves nothing."""
    say("\n" + "\n".join(lines))
    path = VENV.parent / "quick.md" if quick else BENCH / "RESULTS.md"
    text = path.read_text() if path.exists() else ""
    sections = dict(re.findall(r"<!-- (.*?) -->\n(.*?)\n<!-- end -->", text, re.S))
    sections[name] = "\n".join(lines)
    body = [f"<!-- {known} -->\n{sections[known]}\n<!-- end -->\n" for known in ORDER if known in sections]
    path.write_text("\n".join([HEAD, *body]))
    say(f"\nkept in {path}")


def table(head, rows):
    """A Markdown table whose columns line up in the source too."""
    lines = [list(map(str, row)) for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    draw = lambda cells: "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"
    return [draw(lines[0]), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(draw, lines[1:])]
