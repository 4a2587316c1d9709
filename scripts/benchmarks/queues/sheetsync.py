"""SheetSync's own queue, used through its SQL functions and its daemon."""
import os
import subprocess

from benchmarks.processes import Process, wait_until

NOOP = '{"sleep_ms": 0}'
#: Whom a worker has served that only one login gives jobs, as the daemon says it with each claim.
SERVED = '[{"login": "postgres", "kind": "noop", "owner": ""}]'


class SheetSync:
    name = "SheetSync"
    #: Jobs that one claim takes, where a claim of many is measured.
    batch = 100
    enqueue_one = f"select sheetsync.enqueue('noop', '{NOOP}');"

    def __init__(self, bench):
        self._binary = bench.binary

    def install(self, server, database):
        environment = {**os.environ, "DATABASE_URL": server.url(database)}
        subprocess.run([self._binary, "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)

    def enqueue_many(self, count):
        """SQL that enqueues so many jobs in one call."""
        jobs = ",".join([f'{{"kind": "noop", "payload": {NOOP}}}'] * count)
        return f"select count(*) from sheetsync.enqueue_many('[{jobs}]');"

    def fill(self, server, database, count):
        with server.connect(database) as connection:
            for first in range(0, count, 1000):
                connection.execute(self.enqueue_many(min(1000, count - first)))

    def worker(self, server, database, for_bursts=False, **settings):
        """The daemon with its default settings; for many short jobs it may hold as many as PgQueuer."""
        environment = {
            "DATABASE_URL": server.url(database), "SHEETSYNC_CONCURRENCY": "250" if for_bursts else "16",
            "SHEETSYNC_HTTP_ADDRESS": "127.0.0.1:0", **settings}
        return Process(self._binary, "run", environment={**GOOGLE_NOWHERE, **environment})

    def begin(self, worker):
        """Lets a worker work that is ready to; the daemon needs no word."""

    def wait_until_listening(self, connection):
        wait_until(lambda: connection.execute("select exists(select from sheetsync.worker)").fetchone()[0])

    def is_empty(self, connection):
        waiting, running = connection.execute(
            "select exists(select from sheetsync.ready), exists(select from sheetsync.lease)").fetchone()
        return not (waiting or running)

    def seconds_of_work(self, connection):
        """From the first job's begin to the last one's end."""
        return float(connection.execute(
            "select extract(epoch from max(finalized_at) - min(attempted_at)) from sheetsync.outcome").fetchone()[0])

    def durations(self, connection):
        """Milliseconds from enqueue to done, of every job."""
        return [float(value) for value, in connection.execute(
            "select 1000 * extract(epoch from finalized_at - created_at) from sheetsync.jobs where state = 'completed'")]

    def fill_backlog(self, connection, waiting, finished):
        """Puts rows where jobs would have left them; to enqueue and run millions would take too long."""
        connection.execute(f"""
            with made as (
                insert into sheetsync.job (kind, priority, max_attempts, owner, enqueued_by, payload, scheduled_at)
                select 'noop', 5, 10, '', session_user, case when n > {finished} then '{NOOP}'::jsonb end, now()
                from generate_series(1, {waiting + finished}) n
                returning id, payload
            ), ended as (
                insert into sheetsync.outcome (id, state, attempt, attempted_at, finalized_at)
                select id, 'completed', 1, now(), now() from made where payload is null
            )
            insert into sheetsync.ready (id, kind, enqueued_by, priority, owner, state, run_at)
            select id, 'noop', session_user, 5, '', 'available', now() from made where payload is not null""")

    def claimer(self, server, database):
        return Claimer(server.connect(database))


class Claimer:
    """Claims as the daemon does, without doing the jobs."""

    def __init__(self, connection):
        self._connection = connection
        connection.prepare_threshold = 0
        connection.execute("select sheetsync.register_worker(1, 'bench', '0', 1000, '{noop}')")

    def claim(self, count):
        jobs = self._connection.execute(
            "select * from sheetsync.claim(1, %s, jsonb_build_object('noop', %s::int), %s::jsonb)",
            [count, count, SERVED]).fetchall()
        return len(jobs)

    def close(self):
        self._connection.close()


#: The daemon wants a Google identity to start; the queue's rows never call Google.
GOOGLE_NOWHERE = {
    "GOOGLE_API_ENDPOINT": "http://127.0.0.1:9",
    "GOOGLE_SHEETS_CREDENTIALS":
        '{"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c",'
        ' "token_uri": "http://127.0.0.1:9/token"}',
}
