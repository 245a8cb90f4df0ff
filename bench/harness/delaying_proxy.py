"""A proxy to a local port that can delay what it passes on, as a slow network does."""
import asyncio
import threading


class DelayingProxy:
    """Listens on a port of its own until `stack` ends. `delay` is in seconds, for each direction."""

    def __init__(self, stack, target):
        self.target, self.delay, self.port = target, 0, 0
        self.loop, ready = asyncio.new_event_loop(), threading.Event()
        threading.Thread(target=self.run, args=(ready,), daemon=True).start()
        ready.wait()
        stack.callback(self.loop.call_soon_threadsafe, self.loop.stop)

    def run(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def accept(self, reader, writer):
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            return writer.close()
        ways = [self.pass_on(reader, there_writer), self.pass_on(there_reader, writer)]
        await asyncio.gather(*ways, return_exceptions=True)

    async def pass_on(self, reader, writer):
        """The delay is that of each piece: later pieces do not wait for earlier ones."""
        waiting = asyncio.Queue()
        sender = asyncio.ensure_future(self.send(waiting, writer))
        try:
            while piece := await reader.read(65536):
                waiting.put_nowait((self.loop.time() + self.delay, piece))
        except OSError:
            pass
        waiting.put_nowait((0, b""))
        await sender

    async def send(self, waiting, writer):
        try:
            while (due := await waiting.get())[1]:
                await asyncio.sleep(max(0, due[0] - self.loop.time()))
                writer.write(due[1])
                await writer.drain()
        except OSError:
            pass
        writer.close()
