"""A full queue of empty jobs, until it is empty."""
from benchmarks.processes import wait_until
from benchmarks.queues import all_queues
from benchmarks.queues.sheetsync import SERVED
from benchmarks.server import Server
from benchmarks.table import Figure

# The daemon's two statements for a batch, without the daemon.
CLAIM_AND_FINISH = f"""
select coalesce(
    jsonb_agg(jsonb_build_object('id', id, 'lease_number', lease_number, 'outcome', 'completed')), '[]') as completions
from sheetsync.claim(:client_id + 1, 100, '{{"noop": 100}}', '{SERVED}') \\gset
select count(*) from sheetsync.finish(:client_id + 1, :completions::jsonb);
"""
CLIENTS = 2


def measure(bench):
    rate = Figure("rate", "jobs/s", limit="its SQL by pgbench")
    worker_time = Figure("worker's processor time", "µs/job")
    server_time = Figure("Postgres's processor time", "µs/job", limit="its SQL by pgbench")
    wal = Figure("WAL", "bytes/job", limit="its SQL by pgbench")
    # Each has work for some seconds.
    jobs = {
        "SheetSync": bench.size(40_000, 2000), "PgQueuer": bench.size(30_000, 1000), "Procrastinate": bench.size(2000, 100)}
    with Server(bench) as server:
        for system in bench.each_run(all_queues(bench), "burn-down"):
            count = jobs[system.name]
            burn = BurnDown(server, system, count)
            rate.add(system.name, count / burn.seconds)
            worker_time.add(system.name, 1e6 * burn.worker_seconds / count)
            server_time.add(system.name, 1e6 * burn.server_seconds / count)
            wal.add(system.name, burn.wal / count)
            if system.name == "SheetSync":
                limit = ByPgbench(server, system, count)
                rate.add_limit(limit.rate)
                server_time.add_limit(1e6 * limit.server_seconds / limit.jobs)
                wal.add_limit(limit.wal / limit.jobs)
    yield from [rate, worker_time, server_time, wal]


class BurnDown:
    """One run of a worker."""

    def __init__(self, server, system, count):
        database = server.make_database("burn_down")
        system.install(server, database)
        system.fill(server, database, count)
        with server.connect(database) as connection:
            connection.execute("vacuum analyze")
            wal, server_seconds = server.wal_bytes(), server.cpu_seconds()
            with system.worker(server, database, for_bursts=True) as worker:
                worker_seconds = worker.cpu_seconds()
                system.begin(worker)
                wait_until(lambda: system.is_empty(connection), pause=0.1)
                self.worker_seconds = worker.cpu_seconds() - worker_seconds
                self.server_seconds = server.cpu_seconds() - server_seconds
                self.wal = server.wal_bytes() - wal
            self.seconds = system.seconds_of_work(connection)


class ByPgbench:
    """The same statements by clients that do nothing else."""

    def __init__(self, server, system, count):
        database = server.make_database("by_pgbench")
        system.install(server, database)
        system.fill(server, database, count)
        with server.connect(database) as connection:
            connection.execute("vacuum analyze")
            for client in range(CLIENTS):
                connection.execute(f"select sheetsync.register_worker({client + 1}, 'pgbench', '0', 100, '{{noop}}')")
            wal, server_seconds = server.wal_bytes(), server.cpu_seconds()
            found = server.pgbench(
                database, CLAIM_AND_FINISH, clients=CLIENTS, transactions=count // 100 // CLIENTS)
            self.wal = server.wal_bytes() - wal
            self.server_seconds = server.cpu_seconds() - server_seconds
            self.jobs = connection.execute("select count(*) from sheetsync.outcome").fetchone()[0]
            self.rate = found.per_second * self.jobs / found.transactions
