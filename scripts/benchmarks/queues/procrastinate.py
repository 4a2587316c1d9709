"""Procrastinate, used through its own library and statements."""
import asyncio

import procrastinate
from procrastinate.schema import SchemaManager

from benchmarks.processes import Peer, wait_until

ARGUMENTS = '{"sleep_ms": 0}'


class Procrastinate:
    name = "Procrastinate"
    #: It claims one job at a time.
    batch = None

    def install(self, server, database):
        with server.connect(database) as connection:
            connection.execute(SchemaManager.get_schema())

    @property
    def enqueue_one(self):
        return self.enqueue_many(1)

    def enqueue_many(self, count):
        job = f"row('default', 'noop', 0, null, null, '{ARGUMENTS}'::jsonb, null)::procrastinate_job_to_defer_v1"
        return f"select unnest(procrastinate_defer_jobs_v1(array_fill({job}, array[{count}])));"

    def fill(self, server, database, count):
        with server.connect(database) as connection:
            for first in range(0, count, 1000):
                connection.execute(self.enqueue_many(min(1000, count - first)))

    def worker(self, server, database, for_bursts=False):
        return Peer("procrastinate_worker", server.url(database))

    def begin(self, worker):
        worker.go()

    def wait_until_listening(self, connection):
        wait_until(lambda: connection.execute(
            "select exists(select from pg_stat_activity where datname = current_database() and query ilike 'listen%')"
        ).fetchone()[0])

    def is_empty(self, connection):
        return not connection.execute(
            "select exists(select from procrastinate_jobs where status in ('todo', 'doing'))").fetchone()[0]

    def seconds_of_work(self, connection):
        return float(connection.execute("""
            select extract(epoch from max(at) filter (where type = 'succeeded') - min(at) filter (where type = 'started'))
            from procrastinate_events""").fetchone()[0])

    def durations(self, connection):
        return [float(value) for value, in connection.execute("""
            select 1000 * extract(epoch from d.at - q.at) from procrastinate_events d join procrastinate_events q using (job_id)
            where d.type = 'succeeded' and q.type = 'deferred'""")]

    def fill_backlog(self, connection, waiting, finished):
        """Without the rows in its table of events, in its favour."""
        connection.execute("set session_replication_role = replica")
        connection.execute(f"""
            insert into procrastinate_jobs (queue_name, task_name, args, status)
            select 'default', 'noop', '{ARGUMENTS}',
                   (case when n > {finished} then 'todo' else 'succeeded' end)::procrastinate_job_status
            from generate_series(1, {waiting + finished}) n""")
        connection.execute("reset session_replication_role")

    def claimer(self, server, database):
        return Claimer(server.url(database))


class Claimer:
    """Fetches by its library, without doing the jobs."""

    def __init__(self, url):
        self._loop = asyncio.new_event_loop()
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
        self._loop.run_until_complete(self._app.open_async())
        self._worker = self._loop.run_until_complete(self._app.job_manager.register_worker())

    def claim(self, count):
        job = self._loop.run_until_complete(self._app.job_manager.fetch_job(queues=None, worker_id=self._worker))
        return 1 if job else 0

    def close(self):
        self._loop.run_until_complete(self._app.close_async())
        self._loop.close()
