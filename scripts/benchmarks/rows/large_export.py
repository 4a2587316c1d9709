"""Large tables from Postgres to a spreadsheet: what a cell costs, and how much memory that takes."""
import datetime
import decimal
import json
import math
import resource
import subprocess
import urllib.parse

from benchmarks.google import Google
from benchmarks.processes import Peer, wait_until
from benchmarks.queues.sheetsync import SheetSync
from benchmarks.server import Server
from benchmarks.table import Figure

COLUMNS = 10
ROWS_A_WRITE = 10_000
SOURCE = "large_source"
QUERY = """
    select n as id, 'Customer ' || n % 10007 * 7919 % 100000 as customer, date '2020-01-01' + n % 2000 as day,
           timestamptz '2026-01-01 00:00:00+00' + n * interval '61 seconds' as at, n % 3 = 0 as paid,
           round(n * 1.37, 2) as total, sqrt(n) as score, case when n % 4 > 0 then 'note ' || n end as note,
           n::bigint * 1000003 as reference, 'some longer text with "quotes" and ü ' || md5(n::text) as remark
    from numbers order by n"""


def measure(bench):
    # With the header, ten million cells are all that a spreadsheet may have.
    for cells, rows, runs in (("1 million", bench.size(100_000, 2000), bench.runs), ("10 million", bench.size(999_999, 4000), 1)):
        yield from _export(bench, cells, rows, runs)


def _export(bench, cells, rows, runs):
    once = "" if runs > 1 else " (1 run)"
    rate = Figure(f"{cells} cells{once}: processor time", "s", limit="COPY to psql")
    speed = Figure(f"{cells} cells{once}: cells a second of it", "cells/s", limit="COPY to psql")
    wire = Figure(f"{cells} cells{once}: sent", "bytes/cell", limit="COPY's text")
    memory = Figure(f"{cells} cells{once}: peak memory", "MB")
    wrong = Figure(f"{cells} cells{once}: differ from the query's", "cells", limit="the query", limit_runs=[0])
    count = rows * COLUMNS
    with Server(bench) as server:
        database = server.make_database("large")
        SheetSync(bench).install(server, database)
        with server.connect(database) as connection:
            connection.execute(f"create table numbers as select n from generate_series(1, {rows}) n")
            connection.execute("vacuum analyze numbers")
            # Queries want a login that has nothing else.
            connection.execute(f"create role {SOURCE} login")
            connection.execute(f"grant select on numbers to {SOURCE}")
        for number in range(runs):
            for name, runner in (("SheetSync", _ours), ("gspread", _gspread)):
                bench.say(f"  large export: {cells} cells, {name}, run {number + 1} of {runs}")
                with Google(bench) as google:
                    before = google.received_bytes()
                    seconds, peak = runner(bench, server, database, google)
                    rate.add(name, seconds)
                    speed.add(name, count / seconds)
                    wire.add(name, (google.received_bytes() - before) / count)
                    memory.add(name, peak)
                    if name == "SheetSync" and number == 0:
                        bench.say("  large export: comparing the values")
                        with server.connect(database) as connection:
                            wrong.add(name, _differences(connection, google, rows))
            seconds, size = _copy(server, database)
            rate.add_limit(seconds)
            speed.add_limit(count / seconds)
            wire.add_limit(size / count)
    yield from [rate, speed, wire, memory, wrong]


def _ours(bench, server, database, google):
    system = SheetSync(bench)
    url = server.url(database)
    with server.connect(database) as connection:
        source = server.url(database, user=SOURCE)
        with google.daemon(bench, url, SHEETSYNC_SOURCE_DATABASE_URL=source) as daemon:
            # As with gspread, what it takes to start does not count.
            connection.execute("select sheetsync.enqueue('noop', '{}')")
            wait_until(lambda: system.is_empty(connection))
            before = daemon.cpu_seconds()
            connection.execute("select sheetsync.enqueue('export', jsonb_build_object('title', 'Large', 'sheets', "
                               "jsonb_build_array(jsonb_build_object('name', 'Large', 'query', %s::text))))", [QUERY])
            wait_until(lambda: system.is_empty(connection), limit=600, pause=0.1)
            state, errors = connection.execute(
                "select state, errors::text from sheetsync.jobs order by id desc limit 1").fetchone()
            if state != "completed":
                raise RuntimeError(f"the export ended as {state}: {errors[:500]}")
            return daemon.cpu_seconds() - before, daemon.peak_memory_mb()


def _gspread(bench, server, database, google):
    program = Peer("large_export", server.url(database), google.address, google.key, QUERY, ROWS_A_WRITE)
    with program:
        program.go()
        found = json.loads(program.line())
    return found["cpu_seconds"], found["peak_mb"]


def _copy(server, database):
    """Seconds of psql's processor time, and the bytes that it got."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["psql", "-X", "-q", "-c", f"copy ({QUERY}) to stdout", server.url(database)]
    size = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as program:
        while block := program.stdout.read(1 << 20):
            size += len(block)
    if program.returncode:
        raise RuntimeError("COPY failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, size


def _differences(connection, google, rows):
    """Compares every cell that the emulator holds with the query's."""
    files = google.api("GET", "/drive/v3/files?" + urllib.parse.urlencode(
        {"q": "mimeType = 'application/vnd.google-apps.spreadsheet'", "pageSize": 10}))["files"]
    count = 0
    with connection.transaction(), connection.cursor(name="check") as cursor:
        cursor.execute(QUERY)
        for first in range(2, rows + 2, ROWS_A_WRITE):
            last = min(first + ROWS_A_WRITE - 1, rows + 1)
            found = google.api(
                "GET", f"/v4/spreadsheets/{files[0]['id']}/values/A{first}:J{last}"
                "?valueRenderOption=UNFORMATTED_VALUE&dateTimeRenderOption=SERIAL_NUMBER").get("values", [])
            for number, wanted in enumerate(cursor.fetchmany(ROWS_A_WRITE)):
                got = found[number] if number < len(found) else []
                count += sum(
                    not _same(got[place] if place < len(got) else "", _sheet_value(value))
                    for place, value in enumerate(wanted))
    return count


EPOCH = datetime.date(1899, 12, 30)


def _sheet_value(value):
    """What Sheets holds for a value of Postgres."""
    if isinstance(value, datetime.datetime):
        seconds = value.astimezone(datetime.timezone.utc).replace(tzinfo=None) - datetime.datetime(1899, 12, 30)
        return seconds / datetime.timedelta(days=1)
    if isinstance(value, datetime.date):
        return (value - EPOCH).days
    if isinstance(value, decimal.Decimal):
        return float(value)
    return "" if value is None else value


def _same(found, wanted):
    if isinstance(wanted, bool) or isinstance(found, bool) or isinstance(wanted, str):
        return found == wanted and type(found) is type(wanted)
    # Two ways of computing a serial number may differ in its last bits, which is far below a millisecond.
    return isinstance(found, (int, float)) and math.isclose(found, wanted, rel_tol=1e-14)
