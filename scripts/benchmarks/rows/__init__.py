"""The rows of the table: a module each, whose `measure(bench)` yields figures."""

# In the order of the table; the modules are imported only when they run, for they need the peers' libraries.
ROWS = {
    "quota": "Google's quota: the share used, refused calls, exports; halved, by five identities; the late job of another owner",
    "queue-burn-down": "empty jobs a second from a full queue; processor time and WAL a job",
    "queue-steady": "how long an empty job takes from enqueue to done, at half the peak and alone",
    "queue-backlog": "a claim with a million jobs waiting and a million finished",
    "enqueue": "jobs enqueued a second, one by one from 16 connections and many at once",
    "export": "exports of 1,000 rows with a template, 64 in flight",
    "large-export": "exports of 1 and 10 million cells of mixed types",
    "mirror": "a sheet kept the same as a table of which little or nothing changed",
    "idle": "what a worker costs that has nothing to do, and how soon it is ready",
    "emulator": "how fast the emulated Google answers",
}


def module_name(row):
    """The module that measures a row."""
    return "benchmarks.rows." + row.replace("-", "_")
