"""A worker with nothing to do, and how soon a new one is ready."""
import os
import socket
import tempfile
import time

from benchmarks.queues.procrastinate import Procrastinate
from benchmarks.queues.sheetsync import SheetSync
from benchmarks.server import Server
from benchmarks.table import Figure


def measure(bench):
    memory = Figure("memory", "MB")
    processor = Figure("processor time", "ms/min")
    switches = Figure("wake-ups", "per s")
    statements = Figure("statements", "per min")
    start = Figure("start to ready", "ms")
    seconds = bench.size(20, 3)
    # The server counts the statements by a library of its own.
    with Server(bench, preload="pg_stat_statements") as server:
        for system in bench.each_run([SheetSync(bench), Procrastinate()], "idle"):
            database = server.make_database("idle")
            system.install(server, database)
            with server.connect(database) as connection:
                connection.execute("create extension pg_stat_statements")
                with Starting(server, system, database, connection) as starting:
                    start.add(system.name, starting.milliseconds)
                    time.sleep(bench.size(3, 1))
                    worker = starting.worker
                    before = worker.cpu_seconds(), worker.switches(), _statements(connection)
                    time.sleep(seconds)
                    after = worker.cpu_seconds(), worker.switches(), _statements(connection)
                    memory.add(system.name, worker.memory_mb())
                    processor.add(system.name, 1000 * (after[0] - before[0]) * 60 / seconds)
                    switches.add(system.name, (after[1] - before[1]) / seconds)
                    # Less the one that reads the counter.
                    statements.add(system.name, (after[2] - before[2] - 1) * 60 / seconds)
    yield from [memory, processor, switches, statements, start]


def _statements(connection):
    return connection.execute("select sum(calls) from pg_stat_statements").fetchone()[0]


class Starting:
    """A worker that is started, and how long that took.

    SheetSync tells systemd, whose part a socket plays. Procrastinate tells nobody: it is ready when it listens, and its libraries
    count as a part of the start.
    """

    def __init__(self, server, system, database, connection):
        began = time.monotonic()
        if isinstance(system, SheetSync):
            with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
                path = os.path.join(folder, "notify")
                notices.bind(path)
                notices.settimeout(60)
                self.worker = system.worker(server, database, NOTIFY_SOCKET=path)
                while b"READY=1" not in notices.recv(4096):
                    pass
        else:
            self.worker = system.worker(server, database)
            system.begin(self.worker)
            system.wait_until_listening(connection)
        self.milliseconds = 1000 * (time.monotonic() - began)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.worker.__exit__(*failure)
