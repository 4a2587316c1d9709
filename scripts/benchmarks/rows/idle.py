"""A worker with nothing to do, and how soon a new one is ready."""
import contextlib
import dataclasses
import os
import socket
import tempfile
import time

from benchmarks.queues.procrastinate import Procrastinate
from benchmarks.queues.sheetsync import SheetSync
from benchmarks.server import Server
from benchmarks.table import Figure


def measure(bench):
    start = Figure("start to ready", "ms")
    memory = Figure("memory", "MB")
    processor = Figure("processor time", "ms/min")
    switches = Figure("wake-ups", "per s")
    statements = Figure("statements", "per min")
    seconds = bench.size(20, 3)
    # The server counts the statements by a library of its own.
    with Server(bench, preload="pg_stat_statements") as server:
        for number in range(bench.runs):
            bench.say(f"  idle: run {number + 1} of {bench.runs}")
            with contextlib.ExitStack() as stack:
                # Idle both at once: they do not disturb each other.
                workers = [stack.enter_context(Idle(server, system)) for system in (SheetSync(bench), Procrastinate())]
                time.sleep(bench.size(3, 1))
                before = [worker.counters() for worker in workers]
                time.sleep(seconds)
                for worker, first in zip(workers, before):
                    name, last = worker.name, worker.counters()
                    start.add(name, worker.milliseconds_to_ready)
                    memory.add(name, worker.process.memory_mb())
                    processor.add(name, 1000 * (last.cpu_seconds - first.cpu_seconds) * 60 / seconds)
                    switches.add(name, (last.switches - first.switches) / seconds)
                    # Less the one that read the counter.
                    statements.add(name, (last.statements - first.statements - 1) * 60 / seconds)
    yield from [start, memory, processor, switches, statements]


@dataclasses.dataclass
class Counters:
    cpu_seconds: float
    switches: int
    statements: int


class Idle:
    """A worker that was started, and how long that took.

    SheetSync tells systemd, whose part a socket plays. Procrastinate tells nobody: it is ready when it listens, and loading its
    libraries counts as a part of the start.
    """

    def __init__(self, server, system):
        self.name = system.name
        database = server.make_database(f"idle_{system.name.lower()}")
        system.install(server, database)
        self._connection = server.connect(database)
        self._connection.execute("create extension pg_stat_statements")
        began = time.monotonic()
        if isinstance(system, SheetSync):
            with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
                path = os.path.join(folder, "notify")
                notices.bind(path)
                notices.settimeout(60)
                self.process = system.worker(server, database, NOTIFY_SOCKET=path)
                while b"READY=1" not in notices.recv(4096):
                    pass
        else:
            self.process = system.worker(server, database)
            system.begin(self.process)
            system.wait_until_listening(self._connection)
        self.milliseconds_to_ready = 1000 * (time.monotonic() - began)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.process.__exit__(*failure)
        self._connection.close()

    def counters(self):
        calls = self._connection.execute("""
            select sum(calls) from pg_stat_statements
            where dbid = (select oid from pg_database where datname = current_database())""").fetchone()[0]
        return Counters(self.process.cpu_seconds(), self.process.switches(), calls)
