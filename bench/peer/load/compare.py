"""Measure several running servers side by side: python3 load/compare.py [options] NAME=PORT[/USERS] NAME=PORT ...

In each round every script runs once on every target, in turn and back (A B C, C B A, ...), so that a machine whose speed
drifts slows them all alike, and none always runs just after another. Prints medians of requests/s, p50 and p99, and the ratio of each target to the first.
A run beside which other programs took much of the machine is marked `busy` and left out of the medians where quiet runs exist.
Needs wrk. All targets must hold the same data (seed_data.py) and accept the tokens of make_tokens.py.
"""
import argparse, json, os, re, statistics, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("targets", nargs="+", metavar="NAME=PORT[/USERS]")
ap.add_argument("--scripts", default="save,get,list,mixed")
ap.add_argument("--rounds", type=int, default=3)
ap.add_argument("--seconds", type=int, default=8)
ap.add_argument("--connections", type=int, default=64)
ap.add_argument("--tokens", default=os.path.join(HERE, "tokens.txt"))
ap.add_argument("--users", default="5000")
ap.add_argument("--videos", default="1000")
ap.add_argument("--history", default="90", help="rows per user that seed_data.py made")
ap.add_argument("--json", help="write every run to this file")
a = ap.parse_args()
targets = [t.split("=") for t in a.targets]
env = dict(os.environ, LOAD=HERE, TOKENS=a.tokens, M=a.videos, H=a.history)


def wait_quiet(limit=6):
    """Wait at most `limit` seconds until the machine is under 15 % busy; say whether it was."""
    def read():
        d = list(map(int, open("/proc/stat").readline().split()[1:9]))
        return sum(d), d[3] + d[4]
    for _ in range(limit):
        t0, i0 = read(); time.sleep(1); t1, i1 = read()
        if (i1 - i0) / max(1, t1 - t0) > 0.85:
            return True
    return False


def run(target, script, seed):
    port, _, users = target.partition("/")
    out = subprocess.run(["wrk", "-t1", f"-c{a.connections}", f"-d{a.seconds}s", "--timeout", "20s",
                          "-s", os.path.join(HERE, f"{script}.lua"), f"http://127.0.0.1:{port}"],
                         env=dict(env, SEED=str(seed), N=users or a.users), capture_output=True, text=True)
    m = re.search(r"RESULT (.*)", out.stdout)
    if not m:
        sys.exit(f"wrk gave no result for {script} on port {port}:\n{out.stdout}{out.stderr}")
    return {k: float(v) for k, v in (kv.split("=") for kv in m.group(1).split())}


runs = {}
for r in range(a.rounds):
    for s in a.scripts.split(","):
        for name, target in targets[::-1] if r % 2 else targets:
            quiet = wait_quiet()
            row = run(target, s, r * 1000 + len(s)) | {"quiet": quiet}
            runs.setdefault(s, {}).setdefault(name, []).append(row)
            print(f"round {r} {s:6} {name:14} {row['rps']:9.0f} req/s  p50 {row['p50_us'] / 1e3:7.2f} ms  p99 {row['p99_us'] / 1e3:8.2f} ms"
                  f"  failed {row['non2xx'] + row['sockerr']:.0f}{'' if quiet else '  busy'}", flush=True)
            if a.json:
                json.dump(runs, open(a.json, "w"), indent=1)

print(f"\n{'load':7}{'target':15}{'req/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'failed':>8}{'ratio':>8}   (ratio of req/s to {targets[0][0]})")
for s, per in runs.items():
    base = None
    for name, rows in per.items():
        used = [x for x in rows if x["quiet"]] or rows
        med = lambda k: statistics.median(x[k] for x in used)
        base = base or med("rps")
        print(f"{s:7}{name:15}{med('rps'):10.0f}{med('p50_us') / 1e3:10.2f}{med('p99_us') / 1e3:10.2f}"
              f"{sum(x['non2xx'] + x['sockerr'] for x in rows):8.0f}{med('rps') / base:8.2f}")
