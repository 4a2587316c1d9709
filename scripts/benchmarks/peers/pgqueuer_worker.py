"""A PgQueuer worker for empty jobs: FOLDER PORT DATABASE BATCH.

As its manual's page on performance says: one asyncpg connection to itself, and uvloop, as its own
benchmark has it. Tables are as durable as SheetSync's.
"""
import asyncio
import datetime
import signal
import sys

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.models import Job


async def work(host, port, database, batch):
    connection = await asyncpg.connect(host=host, port=int(port), user="postgres", database=database)
    queue = PgQueuer.from_asyncpg_connection(connection)

    @queue.entrypoint("noop")
    async def noop(job: Job) -> None:
        pass

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, queue.shutdown.set)
    await queue.run(batch_size=int(batch), dequeue_timeout=datetime.timedelta(seconds=30))


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    uvloop.run(work(*sys.argv[1:]))
