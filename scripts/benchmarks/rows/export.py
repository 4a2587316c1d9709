"""Exports of 1,000 rows with a look, 64 in flight, where Google answers at once: what an export costs."""
import json

import procrastinate
from procrastinate.schema import SchemaManager

from benchmarks.google import Google
from benchmarks.processes import Peer, wait_until
from benchmarks.queues.procrastinate import Procrastinate
from benchmarks.queues.sheetsync import SheetSync
from benchmarks.server import Server
from benchmarks.table import Figure

ROWS = 1000
IN_FLIGHT = 64
COLUMNS = ["order", "customer", "date", "total", "paid", "note"]


def rows():
    return [[number, f"Customer {number * 7919 % 1000}", f"2026-05-{number % 28 + 1:02}", number * 1.25, number % 3 == 0,
             "" if number % 5 else "a longer note, as people write them"] for number in range(ROWS)]


def measure(bench):
    calls = Figure("calls", "per export")
    wall = Figure("wall clock", "ms/export", limit="the emulator's processor time")
    processor = Figure("worker's processor time", "ms/export")
    memory = Figure("peak memory", "MB")
    figures = [calls, wall, processor, memory]
    runners = {"SheetSync": (_ours, bench.size(400, 20)), "gspread": (_gspread, bench.size(80, 8))}
    with Server(bench) as server:
        for number in range(bench.runs):
            for name, (runner, count) in runners.items():
                bench.say(f"  export: {name}, run {number + 1} of {bench.runs}")
                with Google(bench) as google:
                    found = runner(bench, server, google, count)
                for figure, value in zip(figures, found[:4]):
                    figure.add(name, value)
                if name == "SheetSync":
                    wall.add_limit(found[4])
    yield from figures


def _ours(bench, server, google, count):
    system = SheetSync(bench)
    database = server.make_database("export")
    system.install(server, database)
    payload = json.dumps({"folder": "Bench", "template": "default", "columns": COLUMNS, "rows": rows()})
    with server.connect(database) as connection:
        connection.execute(
            """select count(sheetsync.enqueue('export', jsonb_set(%s::jsonb, '{title}', to_jsonb('Export ' || n))))
               from generate_series(1, %s) n""", [payload, count])
        with google.daemon(bench, server.url(database), SHEETSYNC_CONCURRENCY=str(IN_FLIGHT)) as daemon:
            before = google.cpu_seconds()
            wait_until(lambda: system.is_empty(connection), pause=0.1)
            answering = google.cpu_seconds() - before
            _check(connection.execute("select count(*) from sheetsync.outcome where state = 'completed'"), count)
            return (google.journal().total / count, 1000 * system.seconds_of_work(connection) / count,
                    1000 * daemon.cpu_seconds() / count, daemon.peak_memory_mb(), 1000 * answering / count)


def _gspread(bench, server, google, count):
    """A Procrastinate worker does the jobs by gspread."""
    system = Procrastinate()
    database = server.make_database("export")
    with server.connect(database) as connection:
        connection.execute(SchemaManager.get_schema())
        app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=server.url(database)))
        with app.open():
            task = app.configure_task(name="export")
            for number in range(count):
                task.defer(title=f"Export {number}", header=COLUMNS, rows=rows())
        folder = google.make_folder("Bench")
        google.forget_journal()
        with Peer("export_worker", server.url(database), google.address, google.key, folder) as worker:
            before = worker.cpu_seconds()
            worker.go()
            wait_until(lambda: system.is_empty(connection), pause=0.1)
            _check(connection.execute("select count(*) from procrastinate_jobs where status = 'succeeded'"), count)
            return (google.journal().total / count, 1000 * system.seconds_of_work(connection) / count,
                    1000 * (worker.cpu_seconds() - before) / count, worker.peak_memory_mb())


def _check(found, count):
    done = found.fetchone()[0]
    if done != count:
        raise RuntimeError(f"{done} of {count} exports were completed")
