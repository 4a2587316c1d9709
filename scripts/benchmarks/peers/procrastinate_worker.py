"""A Procrastinate worker for empty jobs: URL.

Asynchronous tasks, several at once with as many connections, LISTEN on: what its manual says for throughput.
"""
import sys

import procrastinate
import uvloop

# The best of 4, 8, 16, 40 and 80 on a machine of two cores.
CONCURRENCY = 16


async def work(url):
    connector = procrastinate.PsycopgConnector(conninfo=url, min_size=4, max_size=CONCURRENCY + 2)
    app = procrastinate.App(connector=connector)

    @app.task(name="noop", pass_context=False)
    async def noop(sleep_ms: int) -> None:
        pass

    async with app.open_async():
        await app.run_worker_async(concurrency=CONCURRENCY, listen_notify=True)


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    uvloop.run(work(sys.argv[1]))
