"""Google's quota with a backlog of exports: how much of it is used, and how many calls are refused.

The emulator applies Google's figures to windows of 15 s instead of a minute, so that a run is short; the product is told so by
SHEETSYNC_QUOTA_WINDOW, and gspread's waits are shortened alike. Each window is a run; the first one, which begins in the middle
of something, does not count. All sides work at the same time, each on an emulator of its own: none needs much of the machine.
"""
import concurrent.futures
import json
import time

from benchmarks.google import NO_QUOTA, Google
from benchmarks.processes import Peer, wait_until
from benchmarks.queues.sheetsync import SheetSync
from benchmarks.server import Server
from benchmarks.table import Figure

WINDOW = 15
USER, PROJECT = 60, 300
# Drive's new files: two a second, as far as is known.
CREATES = 2 * WINDOW
WORKERS = 4
RAISED = {**NO_QUOTA, "SHEETSYNC_DRIVE_CREATES_PER_MINUTE_USER": str(CREATES)}
SUBJECTS = [f"exporter-{number}@example.com" for number in range(1, 6)]
COLUMNS = ["id", "name", "amount"]
ROWS = [[number, f"row {number}", number * 1.5] for number in range(10)]
OTHERS = 5000


def measure(bench):
    with Server(bench) as server:
        sides = {"SheetSync": Ours(bench, server), "gspread": Theirs(bench)}
        bench.say(f"  quota: one identity and {len(SUBJECTS)}, windows of {WINDOW} s")
        with concurrent.futures.ThreadPoolExecutor() as threads:
            single = {name: threads.submit(_one_identity, bench, side) for name, side in sides.items()}
            several = {name: threads.submit(_identities, bench, side) for name, side in sides.items()}
            creations = threads.submit(_creations, bench, server)
        whole = {name: found.result()[0] for name, found in single.items()}
        half = {name: found.result()[1] for name, found in single.items()}
        yield from _figures("1 identity", USER, whole)
        yield from _figures("halved without a word", USER // 2, half)
        yield from _figures(f"{len(SUBJECTS)} identities", PROJECT, {name: found.result() for name, found in several.items()})
        yield from creations.result()
        yield _late_job(bench, server)


def _figures(title, limit, sides):
    used = Figure(f"{title}: share of a window's quota used", "%", limit="the quota", limit_runs=[100])
    refused = Figure(f"{title}: calls answered 429", "per 1,000")
    exports = Figure(f"{title}: exports", "per window", limit="at one write each", limit_runs=[limit])
    for name, windows in sides.items():
        for calls, done in windows:
            used.add(name, 100 * sum(call.is_write and call.status == 200 for call in calls) / limit)
            refused.add(name, 1000 * sum(call.status == 429 for call in calls) / max(len(calls), 1))
            exports.add(name, done)
    return [used, refused, exports]


def _one_identity(bench, side):
    with side.google() as google:
        _limit(google, USER)
        with side.working(google, []):
            whole = _windows(google, skipped=1, counted=bench.runs)
            _limit(google, USER // 2)
            # Two windows to find out.
            half = _windows(google, skipped=3, counted=bench.runs)
    return whole, half


def _identities(bench, side):
    with side.google() as google:
        _limit(google, USER)
        google.control("POST", "tokens", {"delegated_users": SUBJECTS})
        with side.working(google, SUBJECTS):
            return _windows(google, skipped=1, counted=bench.runs)


def _creations(bench, server):
    """What there is of Drive's new files where the quota of Sheets was raised beyond it."""
    used = Figure("new files in Drive: share of a window's used", "%", limit="two a second", limit_runs=[100])
    refused = Figure("new files in Drive: refused", "per 1,000")
    side = Ours(bench, server, RAISED)
    with side.google() as google:
        google.control("POST", "quotas", {"window_seconds": WINDOW, "drive_creates_per_user": CREATES})
        with side.working(google, []):
            for calls, _ in _windows(google, skipped=1, counted=bench.runs):
                creates = [call for call in calls if call.is_create]
                used.add("SheetSync", 100 * sum(call.status == 200 for call in creates) / CREATES)
                refused.add("SheetSync", 1000 * sum(call.status == 403 for call in creates) / max(len(creates), 1))
    return [used, refused]


def _limit(google, user):
    google.control("POST", "quotas", {
        "window_seconds": WINDOW, "sheets_writes_per_user": user, "sheets_writes_per_project": PROJECT,
        "sheets_reads_per_user": USER, "sheets_reads_per_project": PROJECT})


def _windows(google, skipped, counted):
    """The calls of the next full windows after so many beginnings of one, and the exports done in each."""
    first = (int(time.time()) // WINDOW + skipped) * WINDOW
    # A little longer, or the exports that only begin in the last window would count as done.
    time.sleep(first + counted * WINDOW + WINDOW / 5 - time.time())
    journal = google.journal()
    return [(journal.between(begin, begin + WINDOW), journal.exports_done(begin, begin + WINDOW))
            for begin in range(first, first + counted * WINDOW, WINDOW)]


class Ours:
    """Four daemons on one queue; the limits are the default ones, which are Google's, unless others are given."""

    def __init__(self, bench, server, quotas=None):
        self._bench, self._server, self._quotas = bench, server, quotas or {}

    def google(self):
        return Google(self._bench)

    def working(self, google, subjects):
        database = self._server.make_database(f"quota_{len(subjects)}_{len(self._quotas)}")
        system = SheetSync(self._bench)
        system.install(self._server, database)
        payload = json.dumps({"folder": "Bench", "template": "default", "columns": COLUMNS, "rows": ROWS})
        with self._server.connect(database) as connection:
            connection.execute(
                """select count(sheetsync.enqueue('export', jsonb_set(%s::jsonb, '{title}', to_jsonb('Export ' || n))))
                   from generate_series(1, 2500) n""", [payload])
        settings = {"SHEETSYNC_QUOTA_WINDOW": str(WINDOW)}
        if subjects:
            settings["GOOGLE_IMPERSONATE_SUBJECT"] = ",".join(subjects)
        url = self._server.url(database)
        return Together([google.daemon(self._bench, url, quotas=self._quotas, **settings) for _ in range(WORKERS)])


class Theirs:
    """As many workers for each identity, in one process."""

    def __init__(self, bench):
        self._bench = bench

    def google(self):
        return Google(self._bench)

    def working(self, google, subjects):
        folder = google.make_folder("Bench")
        pool = Peer("gspread_pool", google.address, google.key, folder, WORKERS * max(len(subjects), 1), 60 / WINDOW, *subjects)
        pool.go()
        return Together([pool])


class Together:
    """Processes that end together."""

    def __init__(self, processes):
        self._processes = processes

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        for process in self._processes:
            process.child.terminate()
        for process in self._processes:
            process.__exit__(*failure)


def _late_job(bench, server):
    """How many jobs of an owner with a backlog begin before the one that another owner enqueues later."""
    figure = Figure(f"jobs begun before the one of another owner behind {OTHERS:,}", "jobs")
    system = SheetSync(bench)
    for number in range(bench.runs):
        bench.say(f"  quota: the late job, run {number + 1} of {bench.runs}")
        database = server.make_database("late")
        system.install(server, database)
        with server.connect(database) as connection:
            connection.execute(
                f"""select count(sheetsync.enqueue('noop', '{{"sleep_ms": 20}}', owner => 'a'))
                    from generate_series(1, {OTHERS})""")
            with system.worker(server, database):
                wait_until(lambda: connection.execute("select count(*) >= 200 from sheetsync.outcome").fetchone()[0])
                late = connection.execute("select sheetsync.enqueue('noop', '{}', owner => 'b')").fetchone()[0]
                wait_until(lambda: connection.execute(
                    "select attempted_at from sheetsync.outcome where id = %s", [late]).fetchone())
            figure.add("SheetSync", connection.execute(
                """select count(*) from sheetsync.outcome a join sheetsync.jobs b on b.id = %s
                   where a.id <> b.id and a.attempted_at between b.created_at and b.attempted_at""", [late]).fetchone()[0])
    return figure
