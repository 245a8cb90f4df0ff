"""The memory of a process under load."""
import re
import threading


class Memory:
    """Samples a process until `end`: the peak of its own memory, without the mapped
    pages of its database."""

    def __init__(self, pid):
        self.pid, self.own, self.anonymous, self.mapped = pid, 0, 0, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.ended.wait(0.5):
            try:
                self.sample()
            except (FileNotFoundError, ProcessLookupError, KeyError):
                return  # The process has ended; it uses no memory any more.

    def sample(self):
        with open(f"/proc/{self.pid}/status") as status:
            kib = {name: int(value) for name, value in re.findall(r"^(Rss\w+):\s+(\d+) kB", status.read(), re.M)}
        mapped = self.mapped_database()
        self.anonymous = max(self.anonymous, kib["RssAnon"])
        self.mapped = max(self.mapped, mapped)
        self.own = max(self.own, sum(kib.values()) - mapped)

    def mapped_database(self):
        """KiB of the database's own files (`.db`, `.db-shm`) that are mapped and in memory."""
        total, ours = 0, False
        with open(f"/proc/{self.pid}/smaps") as maps:
            for line in maps:
                if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                    ours = bool(re.search(r"\.db(-\w+)?$", line.rstrip()))
                elif ours and line.startswith("Rss:"):
                    total += int(line.split()[1])
        return total

    def end(self):
        self.ended.set()
        self.thread.join()
        return self
