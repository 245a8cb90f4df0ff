"""The processor time of programs."""
import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of_tree(pid):
    """User and system time of a process and of its children, the ended ones included."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = fields_of(path)
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    total, pending = 0, [pid]
    while pending:
        each = pending.pop()
        pending += parents.get(each, [])
        try:
            total += sum(map(int, fields_of(Path(f"/proc/{each}/stat"))[11:15]))
        except OSError:
            continue
    return total / TICKS


def fields_of(path):
    """The fields behind the name of the program, which may have spaces: the state, then the parent."""
    return path.read_text().rsplit(")", 1)[1].split()


def parent_of(pid):
    return int(fields_of(Path(f"/proc/{pid}/stat"))[1])
