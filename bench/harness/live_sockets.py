"""What the parts of `bench/live` share: the sockets of live-load, the rate of saves, and rows."""
import json
import os
import subprocess
import sys

from harness import load
from harness.programs import say

LOAD = os.environ.get("LIVE_LOAD_BIN", "live-load")
VIDEOS = 1000
ROUNDS = 3


class Sockets:
    """The load of live-load, which obeys lines."""

    def __init__(self, stack, folder, listen, save, tokens, count):
        addresses = ",".join(f"127.0.0.1:{port}" for port in listen)
        command = [LOAD, addresses, f"127.0.0.1:{save}", str(tokens), str(count), str(VIDEOS)]
        log = stack.enter_context(open(folder / "live-load.log", "ab"))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                                        start_new_session=True)
        stack.callback(self.process.kill)
        self.opened = self.answer()
        say(f"{self.opened['ready']:,} sockets opened in {self.opened['seconds']:.1f} s")

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("live-load failed; see live-load.log")
        return json.loads(line)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def save(self, rate, seconds):
        self.tell(f"save {rate} {seconds}")
        return self.answer()

    def abandon(self):
        """Breaks all connections off."""
        self.process.kill()
        self.process.wait()

    def end(self):
        """How the sockets were closed, by code. Those that are still open are left to the end of the program."""
        self.tell("end")
        closes = self.answer()["closes"]
        self.process.wait(20)
        return closes


def delivery(where, told, p99, p50=None):
    lost = told["lost"] + told["failed"]
    return [
        row(f"{where}: saves a second, beside the messages", f"{told['per_second']:,.0f}"),
        row(f"{where}: save, p99 ms", f"{told['save_p99_ms']:.1f}"),
        row(f"{where}: from the answer to the message, p50 ms", f"{told['p50_ms']:.1f}", p50 or "",
            p50 is None or told["p50_ms"] < p50),
        row(f"{where}: the same, p99 ms", f"{told['p99_ms']:.1f}", p99, told["p99_ms"] < p99),
        row(f"{where}: saves that failed or were not told", lost, 0, lost == 0),
    ]


def row(what, measured, limit="", kept=None):
    return what, str(measured), str(limit), {None: "", True: "kept", False: "MISSED"}[kept if limit != "" else None]


def save_runs(folder, targets, tokens, data, given, rounds=1):
    """Runs of heartbeats of the users without a socket, against each target in turn: `{name: [run, …]}`."""
    users = {name: f"{port}/{given.sockets}" for name, port in targets.items()}
    return load.measure(folder, users, tokens, ("heartbeat",), rounds, given.seconds // 2 + 1, data)["heartbeat"]
