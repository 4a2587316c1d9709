"""The benchmarks behind scripts/bench.

`rows` has a module for each row of the table, `queues` the three job queues behind one interface, `peers` the programs that
use the peers' libraries as their manuals recommend. The rest is what the rows share: servers, processes, figures.
"""
