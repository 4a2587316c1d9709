"""PgQueuer, used through its own library and statements."""
import asyncio
import datetime
import re
import uuid

import asyncpg
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder
from pgqueuer.db import AsyncpgDriver
from pgqueuer.ports.repository import EntrypointExecutionParameter
from pgqueuer.queries import Queries

from benchmarks.processes import Peer, wait_until

PAYLOAD = '{"sleep_ms": 0}'


class PgQueuer:
    name = "PgQueuer"
    batch = 100

    def install(self, server, database):
        with server.connect(database) as connection:
            # Its statements are several, and have no parameters.
            connection.execute(QueryBuilderEnvironment().build_install_query())
            # Its manual: "Run `pgq autovac` after installation".
            for statement in QueryBuilderEnvironment().build_optimize_autovacuum_query().split(";"):
                if statement.strip():
                    connection.execute(statement)

    @property
    def enqueue_one(self):
        return self.enqueue_many(1)

    def enqueue_many(self, count):
        """Its own statement, with arrays in the place of its parameters."""
        values = {
            1: f"array_fill(0, array[{count}])", 2: f"array_fill('noop'::text, array[{count}])",
            3: f"array_fill('{PAYLOAD}'::bytea, array[{count}])", 4: f"array_fill('0'::interval, array[{count}])",
            5: f"array_fill(null::text, array[{count}])", 6: f"array_fill(null::jsonb, array[{count}])"}
        statement = re.sub(r"--[^\n]*", "", QueryQueueBuilder().build_enqueue_query())
        return re.sub(r"\$(\d)", lambda match: values[int(match.group(1))], statement) + ";"

    def fill(self, server, database, count):
        with server.connect(database) as connection:
            for first in range(0, count, 1000):
                connection.execute(self.enqueue_many(min(1000, count - first)))

    def worker(self, server, database, for_bursts=False):
        """Its manual advises large batches for many short jobs; 250 was the best of 50 to 1000. Else its default."""
        return Peer("pgqueuer_worker", server.directory, server.port, database, 250 if for_bursts else 10)

    def begin(self, worker):
        worker.go()

    def wait_until_listening(self, connection):
        wait_until(lambda: connection.execute(
            # Its one connection listens among other things.
            "select exists(select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid())"
        ).fetchone()[0])

    def is_empty(self, connection):
        return not connection.execute("select exists(select from pgqueuer)").fetchone()[0]

    def seconds_of_work(self, connection):
        return float(connection.execute("""
            select extract(epoch from max(created) filter (where status = 'successful')
                                      - min(created) filter (where status = 'picked')) from pgqueuer_log""").fetchone()[0])

    def durations(self, connection):
        return [float(value) for value, in connection.execute("""
            select 1000 * extract(epoch from d.created - q.created) from pgqueuer_log d join pgqueuer_log q using (job_id)
            where d.status = 'successful' and q.status = 'queued'""")]

    def fill_backlog(self, connection, waiting, finished):
        """A finished job leaves three rows in its log; one is made here, in its favour."""
        connection.execute(f"""
            insert into pgqueuer (priority, status, entrypoint, payload)
            select 0, 'queued', 'noop', '{PAYLOAD}' from generate_series(1, {waiting})""")
        connection.execute(f"""
            insert into pgqueuer_log (job_id, status, priority, entrypoint, aggregated)
            select n, 'successful', 0, 'noop', true from generate_series(1, {finished}) n""")

    def claimer(self, server, database):
        return Claimer(server, database)


class Claimer:
    """Dequeues by its library, without doing the jobs."""

    def __init__(self, server, database):
        self._loop = asyncio.new_event_loop()
        self._connection = self._loop.run_until_complete(
            asyncpg.connect(host=server.directory, port=server.port, user="postgres", database=database))
        self._queries = Queries(AsyncpgDriver(self._connection))
        self._manager = uuid.uuid4()

    def claim(self, count):
        return len(self._loop.run_until_complete(self._queries.dequeue(
            batch_size=count, entrypoints={"noop": EntrypointExecutionParameter(concurrency_limit=0)},
            queue_manager_id=self._manager, global_concurrency_limit=None,
            heartbeat_timeout=datetime.timedelta(seconds=30))))

    def close(self):
        self._loop.run_until_complete(self._connection.close())
        self._loop.close()
