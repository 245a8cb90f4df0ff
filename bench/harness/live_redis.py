"""The parts of `bench/live` with two processes on one PostgreSQL: through Redis, and without it."""
import http.client
import json
import shutil
import signal
import statistics
import subprocess
import time
from contextlib import ExitStack

from harness import load
from harness.delaying_proxy import DelayingProxy
from harness.live_sockets import ROUNDS, Sockets, delivery, row, save_runs
from harness.programs import free_port, start, start_playhead, wait_until

# The limits: delivery in milliseconds, the share of saves that a fault leaves, and the seconds
# after which both processes are connected again.
P99_MS, KEPT_RATE, BACK_SECONDS = 150, 0.9, 5
# A server of Redis at the other end of the world.
SLOW_SECONDS = 0.3
# The sockets that hear whether events arrive.
LISTENERS = 100


class Redis:
    """A server that can be killed and started again on the same port."""

    def __init__(self, stack, folder):
        self.stack, self.folder, self.port = stack, folder, free_port()
        self.start()

    def start(self):
        log = self.folder / "redis.log"
        command = ["redis-server", "--port", str(self.port), "--save", "", "--bind", "127.0.0.1"]
        self.process = start(self.stack, command, log, cwd=self.folder)
        ping = ["redis-cli", "-p", str(self.port), "ping"]
        wait_until(lambda: subprocess.run(ping, capture_output=True).stdout == b"PONG\n", self.process, log, "Redis")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        # A stopped process does not end by itself.
        self.stack.callback(self.process.send_signal, signal.SIGCONT)

    def wake(self):
        self.process.send_signal(signal.SIGCONT)


def is_missing():
    return not (shutil.which("redis-server") and shutil.which("redis-cli"))


def two_processes(folder, url, listening, given):
    """Sockets on one process, saves to the other. Without Redis on this machine it is left out."""
    if is_missing():
        return [row("two processes", "left out: there is no redis-server")]
    with ExitStack() as stack:
        env = {"REDIS_URL": f"redis://127.0.0.1:{Redis(stack, folder).port}"}
        listening_process, listen = start_playhead(stack, folder, "live-one", url, env)
        _, save = start_playhead(stack, folder, "live-other", url, env)
        sockets = Sockets(stack, folder, [listen], save, listening, given.sockets)
        sockets.save(given.rate, 1)
        told = sockets.save(given.rate, given.seconds)
        listening_process.send_signal(signal.SIGTERM)
        sockets.end()
    return delivery("across two processes", told, P99_MS)


def redis_faults(folder, url, listening, tokens, data, given):
    """Saves while Redis is killed, frozen and slow, each beside the saves just before."""
    if is_missing():
        return [row("Redis away", "left out: there is no redis-server")]
    with ExitStack() as stack:
        redis = Redis(stack, folder)
        proxy = DelayingProxy(stack, redis.port)
        env = {"REDIS_URL": f"redis://127.0.0.1:{proxy.port}"}
        _, listen = start_playhead(stack, folder, "live-one", url, env)
        _, save = start_playhead(stack, folder, "live-other", url, env)
        sockets = Sockets(stack, folder, [listen], save, listening, min(LISTENERS, given.sockets))

        def slow_down(seconds):
            proxy.delay = seconds

        faults = {
            "killed": (redis.kill, redis.start),
            "frozen": (redis.freeze, redis.wake),
            "slow": (lambda: slow_down(SLOW_SECONDS), lambda: slow_down(0)),
        }
        rates = lambda: save_runs(folder, {"live": save}, tokens, data, given)["live"]
        rows = []
        for name, (begin, end) in faults.items():
            before, during, back, lost = [], [], [], 0
            for _ in range(ROUNDS):
                before += rates()
                begin()
                during += rates()
                end()
                back.append(seconds_until_connected((listen, save)))
                told = sockets.save(LISTENERS, 1)
                lost += told["lost"] + told["failed"]
            rows += rows_of(name, before, during, max(back), lost)
    return rows


def rows_of(name, before, during, back, lost):
    rate, failed = load.median(before, "rps"), load.failed(before + during)
    shares = [one["rps"] / other["rps"] for one, other in zip(during, before)]
    share = statistics.median(shares)
    return [
        row(f"Redis {name}: saves a second just before", f"{rate:,.0f}"),
        row(f"Redis {name}: saves, of those just before (rounds {', '.join(f'{each:.2f}' for each in shares)})",
            f"{share:.2f}", KEPT_RATE, share >= KEPT_RATE),
        row(f"Redis {name}: requests that failed", failed, 0, failed == 0),
        row(f"Redis {name}: connected again after its return, s", f"{back:.1f}", BACK_SECONDS, back <= BACK_SECONDS),
        row(f"Redis {name}: saves after that which were not told", lost, 0, lost == 0),
    ]


def seconds_until_connected(ports):
    """How long it takes until all processes have Redis again; more than the limit if they never do."""
    began = time.monotonic()
    while not all(redis_at(port) == "connected" for port in ports):
        if time.monotonic() - began > 4 * BACK_SECONDS:
            break
        time.sleep(0.05)
    return time.monotonic() - began


def redis_at(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/health/ready")
    return json.loads(connection.getresponse().read()).get("redis")
