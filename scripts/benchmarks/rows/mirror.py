"""A sheet that is kept the same as a table of which little changes, beside writing it all again as a usual script does."""
import json
import time

from benchmarks.google import Google
from benchmarks.processes import Peer, wait_until
from benchmarks.queues.sheetsync import SheetSync
from benchmarks.server import Server
from benchmarks.table import Figure

SOURCE = "mirror_source"
ROWS_A_WRITE = 10_000
QUERY = "select id, customer, paid, total, note from orders order by id"


def measure(bench):
    many, some = bench.size(100_000, 2_000), bench.size(20_000, 1_000)
    yield from _mirror(bench, f"1 of {many:,} rows changed", many, ["update orders set total = total + 1 where id = 500"])
    yield from _mirror(bench, f"of {some:,} rows 100 changed, 20 added, 30 gone", some, [
        "update orders set total = total + 1 where id % (select count(*) / 100 from orders) = 0",
        "delete from orders where id between 301 and 330 and id % 10 > 0 or id in (401, 402, 403)",
        "insert into orders select 1000000 + n, 'New', true, n, null from generate_series(1, 20) n"])
    yield from _mirror(bench, f"nothing of {some:,} rows changed", some, [], peer=False)


def _mirror(bench, what, rows, changes, peer=True):
    seconds, wall = Figure(f"{what}: processor time", "s"), Figure(f"{what}: from enqueue to done", "s")
    calls, wire = Figure(f"{what}: calls", "calls"), Figure(f"{what}: sent", "kB")
    memory = Figure(f"{what}: memory above idle", "bytes/row")
    with Server(bench) as server:
        database = server.make_database("mirror")
        SheetSync(bench).install(server, database)
        with server.connect(database) as connection:
            connection.execute(
                "create table orders as select n as id, 'Customer ' || n % 997 as customer, n % 3 = 0 as paid, "
                f"round(n * 1.37, 2) as total, case when n % 4 > 0 then 'note ' || n end as note from generate_series(1, {rows}) n")
            connection.execute("alter table orders add primary key (id)")
            connection.execute(f"create role {SOURCE} login")
            connection.execute(f"grant select on orders to {SOURCE}")
        for number in range(bench.runs):
            bench.say(f"  mirror: {what}, SheetSync, run {number + 1} of {bench.runs}")
            with Google(bench) as google, server.connect(database) as connection:
                connection.execute("create table if not exists kept as table orders with no data")
                connection.execute("truncate kept; insert into kept table orders")
                _ours(bench, server, database, connection, google, changes, rows, seconds, wall, calls, wire, memory)
                connection.execute("truncate orders; insert into orders table kept")
        for number in range(bench.runs if peer else 0):
            bench.say(f"  mirror: {what}, gspread, run {number + 1} of {bench.runs}")
            with Google(bench) as google:
                began, before = time.monotonic(), google.received_bytes()
                program = Peer("large_export", server.url(database), google.address, google.key, QUERY, ROWS_A_WRITE)
                with program:
                    program.go()
                    found = json.loads(program.line())
                seconds.add("gspread", found["cpu_seconds"])
                wall.add("gspread", time.monotonic() - began)
                calls.add("gspread", google.journal().total)
                wire.add("gspread", (google.received_bytes() - before) / 1000)
    yield from [seconds, wall, calls, wire, memory]


def _ours(bench, server, database, connection, google, changes, rows, seconds, wall, calls, wire, memory):
    system = SheetSync(bench)
    source = server.url(database, user=SOURCE)

    def run(payload):
        connection.execute("select sheetsync.enqueue('export', %s)", [json.dumps(payload)])
        wait_until(lambda: system.is_empty(connection), limit=600, pause=0.02)
        state, result, errors = connection.execute(
            "select state, result, errors::text from sheetsync.jobs order by id desc limit 1").fetchone()
        if state != "completed":
            raise RuntimeError(f"the mirror ended as {state}: {errors[:500]}")
        return result

    sheets = [{"name": "Orders", "mode": "mirror", "key": ["id"], "query": QUERY, "max_deletes": "100%"}]
    with google.daemon(bench, server.url(database), SHEETSYNC_SOURCE_DATABASE_URL=source):
        made = run({"title": "Orders", "sheets": sheets})["spreadsheet_id"]
    for change in changes:
        connection.execute(change)
    # A daemon that has not seen the sheet yet, so that its peak is this run's.
    with google.daemon(bench, server.url(database), SHEETSYNC_SOURCE_DATABASE_URL=source) as daemon:
        connection.execute("select sheetsync.enqueue('noop', '{}')")
        wait_until(lambda: system.is_empty(connection))
        google.forget_journal()
        before, idle, read, began = daemon.cpu_seconds(), daemon.peak_memory_mb(), google.received_bytes(), time.monotonic()
        result = run({"spreadsheet_id": made, "sheets": sheets})
        wall.add("SheetSync", time.monotonic() - began)
        seconds.add("SheetSync", daemon.cpu_seconds() - before)
        memory.add("SheetSync", (daemon.peak_memory_mb() - idle) * 1e6 / rows)
        wire.add("SheetSync", (google.received_bytes() - read) / 1000)
        calls.add("SheetSync", google.journal().total)
        found = result["sheets"][0]["changes"]
        if bool(changes) != any(found[kind] for kind in ("inserted", "updated", "deleted")):
            raise RuntimeError(f"the mirror changed {found}")
