"""What a claim takes while a million jobs wait and a million have ended, beside a queue that has only the claimed ones."""
import statistics
import time

from benchmarks.queues import all_queues
from benchmarks.server import Server
from benchmarks.table import Figure

CLAIMS = 50


def measure(bench):
    million = bench.size(1_000_000, 20_000)
    figures = {
        1: [Figure("claim of 1 from a short queue", "ms"),
            Figure(f"claim of 1 behind {million:,} waiting, {million:,} finished", "ms")],
        100: [Figure("claim of 100 from a short queue", "ms"),
              Figure(f"claim of 100 behind {million:,} waiting, {million:,} finished", "ms")]}
    with Server(bench) as server:
        for system in all_queues(bench):
            bench.say(f"  backlog: {system.name}, short")
            _claims(server, system, bench, figures, 0, waiting=bench.runs * CLAIMS * 101 + 1, finished=0)
            bench.say(f"  backlog: {system.name}, long")
            _claims(server, system, bench, figures, 1, waiting=million, finished=million)
    for short, long in figures.values():
        long.limit, long.limit_runs = "SheetSync's from a short queue", short.runs["SheetSync"]
        yield short
        yield long


def _claims(server, system, bench, figures, place, waiting, finished):
    database = server.make_database("backlog")
    system.install(server, database)
    with server.connect(database) as connection:
        system.fill_backlog(connection, waiting, finished)
        connection.execute("vacuum analyze")
        # What was just written must not be written to the disk while the claims are timed.
        connection.execute("checkpoint")
    claimer = system.claimer(server, database)
    try:
        claimer.claim(1)
        for _ in range(bench.runs):
            for count, pair in figures.items():
                if count == 1 or system.batch:
                    pair[place].add(system.name, _median_ms(claimer, count))
    finally:
        claimer.close()


def _median_ms(claimer, count):
    times = []
    for _ in range(CLAIMS):
        began = time.perf_counter()
        claimed = claimer.claim(count)
        times.append(1000 * (time.perf_counter() - began))
        if claimed != count:
            raise RuntimeError(f"a claim of {count} took {claimed}")
    return statistics.median(times)
