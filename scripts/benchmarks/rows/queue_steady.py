"""From enqueue to done: at half the rate that a system can keep up with, and one job at a time on an idle system.

The times are the database's: from the transaction that enqueues to the statement that ends the job.
"""
import statistics
import time

from benchmarks.processes import wait_until
from benchmarks.queues import all_queues
from benchmarks.server import Server
from benchmarks.table import Figure

PRODUCERS = 8


def measure(bench):
    peak = Figure("peak, enqueued one by one and done", "jobs/s")
    half = [Figure("enqueue to done at half of it, p50", "ms"), Figure("the same, p99", "ms")]
    alone = [Figure("enqueue to done, one at a time, p50", "ms"), Figure("the same, p99", "ms")]
    with Server(bench) as server:
        for system in bench.each_run(all_queues(bench), "steady"):
            rate = _peak(server, system, seconds=bench.size(2, 1))
            peak.add(system.name, rate)
            _add(half, system, _at_rate(server, system, rate / 2, seconds=bench.size(4, 2)))
            _add(alone, system, _one_by_one(server, system, jobs=bench.size(40, 10)))
    yield from [peak, *half, *alone]


def _add(figures, system, times):
    p50, p99 = figures
    p50.add(system.name, statistics.median(times))
    p99.add(system.name, statistics.quantiles(times, n=100, method="inclusive")[98])


def _peak(server, system, seconds):
    def enqueue(database, _):
        server.pgbench(database, system.enqueue_one, clients=PRODUCERS, seconds=seconds)

    with _Working(server, system) as work:
        times = work.during(enqueue)
        return len(times) / work.seconds


def _at_rate(server, system, rate, seconds):
    def enqueue(database, _):
        server.pgbench(database, system.enqueue_one, clients=PRODUCERS, seconds=seconds, rate=rate)

    with _Working(server, system) as work:
        return work.during(enqueue)


def _one_by_one(server, system, jobs):
    def enqueue(_, connection):
        for _ in range(jobs):
            connection.execute(system.enqueue_one)
            time.sleep(0.05)

    with _Working(server, system) as work:
        return work.during(enqueue)


class _Working:
    """A database with a worker that waits for jobs."""

    def __init__(self, server, system):
        self._system = system
        self._database = server.make_database("steady")
        system.install(server, self._database)
        self._worker = system.worker(server, self._database)
        self._connection = server.connect(self._database)

    def __enter__(self):
        self._system.begin(self._worker)
        self._system.wait_until_listening(self._connection)
        time.sleep(0.5)
        return self

    def __exit__(self, *failure):
        self._worker.__exit__(*failure)
        self._connection.close()

    def during(self, enqueue):
        """Enqueues, waits until all is done, and returns the milliseconds that each job took."""
        began = time.monotonic()
        enqueue(self._database, self._connection)
        wait_until(lambda: self._system.is_empty(self._connection), pause=0.05)
        self.seconds = time.monotonic() - began
        return self._system.durations(self._connection)
