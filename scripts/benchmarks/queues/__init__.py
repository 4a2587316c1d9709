"""SheetSync's queue and two of Python's, behind one interface.

Each class can `install` its schema, `fill` the queue, start a `worker`, tell when the queue `is_empty`, and has the SQL that
enqueues one job or many. What its tables hold afterwards says how long the work took, by the database's clock.
"""


def all_queues(bench):
    """The three queues. Imported only here, because the peers' libraries are in no Python but the throw-away one."""
    from benchmarks.queues.pgqueuer import PgQueuer
    from benchmarks.queues.procrastinate import Procrastinate
    from benchmarks.queues.sheetsync import SheetSync

    return [SheetSync(bench), PgQueuer(), Procrastinate()]
