"""A throw-away Postgres server, and pgbench on it."""
import dataclasses
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import tempfile

import psycopg

from benchmarks.processes import cpu_seconds

# Everything else is the server's default, so every commit is flushed.
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "30min", "max_connections": "200"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclasses.dataclass
class Rate:
    """What pgbench found."""

    transactions: int
    per_second: float


class Server:
    def __init__(self, bench, preload=""):
        folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.binaries = folders[-1] if folders else pathlib.Path(shutil.which("initdb")).parent
        self.directory = tempfile.mkdtemp(prefix="sheetsync-bench-")
        self._account = []
        if os.geteuid() == 0:
            # The server refuses to run as root.
            name = "postgres" if "postgres" in [entry.pw_name for entry in pwd.getpwall()] else "nobody"
            entry = pwd.getpwnam(name)
            os.chown(self.directory, entry.pw_uid, entry.pw_gid)
            self._account = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
        self.port = free_port()
        self._settings = {**SETTINGS, "shared_preload_libraries": preload}
        self._bench = bench

    def __enter__(self):
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        options = [f"-p {self.port}", f"-k {self.directory}", "-c listen_addresses="]
        options += [f"-c {name}={value}" for name, value in self._settings.items()]
        self._run("pg_ctl", "start", "-w", "-l", f"{self.directory}/log", "-o", " ".join(options))
        self._pid = int(pathlib.Path(self.directory, "data/postmaster.pid").read_text().split()[0])
        with self.connect("postgres") as connection:
            version = connection.execute("show server_version").fetchone()[0]
        self._bench.facts["Postgres"] = version + ", " + ", ".join(f"{name} {value}" for name, value in SETTINGS.items())
        return self

    def __exit__(self, *_):
        self._run("pg_ctl", "stop", "-w", "-m", "immediate")
        shutil.rmtree(self.directory)

    def _run(self, program, *arguments):
        command = [*self._account, self.binaries / program, "-D", f"{self.directory}/data", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def url(self, database, user="postgres"):
        return f"postgresql:///{database}?host={self.directory}&port={self.port}&user={user}"

    def connect(self, database):
        return psycopg.connect(self.url(database), autocommit=True)

    def make_database(self, name):
        """An empty database; one of that name from an earlier run goes."""
        with self.connect("postgres") as connection:
            connection.execute(f"drop database if exists {name} with (force)")
            connection.execute(f"create database {name}")
        return name

    def wal_bytes(self):
        """Where the log of changes ends."""
        with self.connect("postgres") as connection:
            return int(connection.execute("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()[0])

    def cpu_seconds(self):
        """Of the server with all its processes, also those that have ended."""
        children = pathlib.Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
        return cpu_seconds(self._pid, with_ended_children=True) + sum(map(cpu_seconds, children))

    def pgbench(self, database, script, *, clients=1, seconds=None, transactions=None, rate=None, limit=300):
        """Runs a script by pgbench; `rate` is in transactions a second over all clients."""
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            command = [self.binaries / "pgbench", "-n", "-M", "prepared", "-f", file.name, "-c", str(clients)]
            command += ["-T", str(seconds)] if seconds else ["-t", str(transactions)]
            command += ["-R", f"{rate:.1f}"] if rate else []
            command += ["-h", self.directory, "-p", str(self.port), "-U", "postgres", database]
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"pgbench failed: {done.stderr[-1000:]}")
        count = int(re.search(r"transactions actually processed: (\d+)", done.stdout).group(1))
        return Rate(count, float(re.search(r"tps = ([\d.]+) \(without", done.stdout).group(1)))
