"""A Procrastinate worker that exports by gspread, 64 at once: URL BASE KEY FOLDER.

gspread blocks, so the task is a plain function, for which Procrastinate uses threads; each has a client of its own, because a
requests session is for one thread.
"""
import asyncio
import concurrent.futures
import sys
import threading

import procrastinate
import uvloop

from benchmarks.peers import local_gspread

IN_FLIGHT = 64


async def work(url, base, key, folder):
    asyncio.get_running_loop().set_default_executor(concurrent.futures.ThreadPoolExecutor(IN_FLIGHT))
    connector = procrastinate.PsycopgConnector(conninfo=url, min_size=4, max_size=20)
    app = procrastinate.App(connector=connector)
    threads = threading.local()

    @app.task(name="export", retry=10)
    def export(title: str, header: list, rows: list) -> None:
        if not hasattr(threads, "google"):
            threads.google = local_gspread.client(base, key)
        local_gspread.export(threads.google, title, folder, header, rows)

    async with app.open_async():
        await app.run_worker_async(concurrency=IN_FLIGHT, listen_notify=True)


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    uvloop.run(work(*sys.argv[1:]))
