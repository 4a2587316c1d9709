"""How fast jobs are enqueued while a worker listens and does them.

All by pgbench with the systems' own statements, so that no client's language counts; COPY alone by psycopg.
"""
import time

from benchmarks.queues import all_queues
from benchmarks.queues.sheetsync import NOOP
from benchmarks.server import Server
from benchmarks.table import Figure

CONNECTIONS = 16
MANY = 1000
PLAIN_TABLE = """
    create table plain (
        id bigint generated always as identity primary key, kind text not null, payload jsonb,
        created_at timestamptz not null default now())"""
PLAIN_INSERT = f"insert into plain (kind, payload) values ('noop', '{NOOP}');"


def measure(bench):
    alone = Figure(f"one by one, {CONNECTIONS} connections, no worker", "jobs/s", limit="plain INSERT")
    single = Figure(f"one by one, {CONNECTIONS} connections, a worker does them", "jobs/s", limit="plain INSERT")
    many = Figure(f"{MANY:,} at once, one connection, no worker", "jobs/s", limit="COPY")
    seconds = bench.size(3, 2)
    with Server(bench) as server:
        for system in bench.each_run(all_queues(bench), "enqueue"):
            database = server.make_database("enqueue")
            system.install(server, database)
            alone.add(system.name, server.pgbench(
                database, system.enqueue_one, clients=CONNECTIONS, seconds=seconds).per_second)
            many.add(system.name, MANY * server.pgbench(
                database, system.enqueue_many(MANY), seconds=2).per_second)
            single.add(system.name, _with_worker(server, system, seconds))
            if system.name == "SheetSync":
                rate, copied = _plain(server, seconds)
                alone.add_limit(rate)
                single.add_limit(rate)
                many.add_limit(copied)
    yield from [alone, single, many]


def _with_worker(server, system, seconds):
    database = server.make_database("enqueue")
    system.install(server, database)
    with server.connect(database) as connection, system.worker(server, database) as worker:
        system.begin(worker)
        system.wait_until_listening(connection)
        time.sleep(1)
        return server.pgbench(database, system.enqueue_one, clients=CONNECTIONS, seconds=seconds).per_second


def _plain(server, seconds):
    database = server.make_database("enqueue")
    with server.connect(database) as connection:
        connection.execute(PLAIN_TABLE)
        rate = server.pgbench(database, PLAIN_INSERT, clients=CONNECTIONS, seconds=seconds).per_second
        rows = 0
        began = time.monotonic()
        while time.monotonic() - began < seconds / 2:
            with connection.cursor() as cursor, cursor.copy("copy plain (kind, payload) from stdin") as copy:
                for _ in range(MANY):
                    copy.write_row(("noop", NOOP))
            rows += MANY
        return rate, rows / (time.monotonic() - began)
