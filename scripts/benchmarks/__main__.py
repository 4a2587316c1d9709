"""Runs the benchmarks by the Python that has the peers; scripts/bench starts it."""
import sys

from benchmarks import command

sys.exit(command.run(command.parse(sys.argv[1:], "")))
