"""The loads: peer/load/compare.py, and the evaluation of the runs that it records."""
import json
import statistics
import sys

from harness.programs import BENCH, run, say

COMPARE = str(BENCH / "peer/load/compare.py")


def measure(folder, targets, tokens, scripts, rounds, seconds, data, connections=64, env=None):
    """Loads every target in turn. `targets` maps a name to PORT or PORT/USERS; the first is the base of the ratios.
    Returns {script: {target: [run, …]}}."""
    runs = folder / "runs.json"
    command = [sys.executable, COMPARE, "--scripts", ",".join(scripts), "--rounds", str(rounds), "--seconds",
               str(seconds), "--connections", str(connections), "--tokens", str(tokens), "--users", str(data.users),
               "--videos", str(data.videos), "--history", str(data.history), "--json", str(runs)]
    run(command + [f"{name}={target}" for name, target in targets.items()], env=env)
    return json.loads(runs.read_text())


def median(runs, key):
    """The median of the runs on a quiet machine, or of all runs if none was quiet."""
    return statistics.median(run[key] for run in ([run for run in runs if run["quiet"]] or runs))


def ratios(runs, base):
    """The lowest and the highest ratio of one round, in which both ran one after the other."""
    each = [run["rps"] / other["rps"] for run, other in zip(runs, base)]
    return min(each), max(each)


def failed(runs):
    return round(sum(run["non2xx"] + run["sockerr"] for run in runs))


def quiet(runs):
    return f"{sum(run['quiet'] for run in runs)}/{len(runs)}"


def milliseconds(runs, key):
    return f"{median(runs, key) / 1000:.1f}"


def failures(measured):
    """One line for each target with a response other than 2xx; a fair run has none."""
    lines = [f"{target} failed {failed(runs)} requests under `{script}`"
             for script, per in measured.items() for target, runs in per.items() if failed(runs)]
    for line in lines:
        say(f"FAILED: {line}")
    return lines
