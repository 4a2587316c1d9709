"""The command line: which rows are measured, and how the table is shown."""
import argparse
import importlib
import json
import sys
import traceback

from benchmarks.rows import ROWS, module_name


def parse(arguments, description):
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="the rows to measure; all without")
    parser.add_argument("--list", action="store_true", help="say which rows there are")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    parser.add_argument("--runs", type=int, default=3, help="how often each figure is taken; the median is shown (3)")
    parser.add_argument("--binary", help="measure this program instead of building a release")
    parser.add_argument("--small", action="store_true", help="few jobs and cells, to try the benchmarks themselves")
    options = parser.parse_args(arguments)
    unknown = [row for row in options.rows if row not in ROWS]
    if unknown:
        parser.error(f"there is no row {unknown[0]}; --list says which there are")
    return options


def show_rows():
    width = max(map(len, ROWS))
    for row, meaning in ROWS.items():
        print(f"{row:{width}}  {meaning}")


def run(options):
    from benchmarks import machine, table
    from benchmarks.bench import Bench

    facts = machine.facts()
    bench = Bench(options)
    figures, failed = [], False
    for row in options.rows or ROWS:
        bench.say(row)
        try:
            for figure in importlib.import_module(module_name(row)).measure(bench):
                figure.row = row
                figures.append(figure)
        except KeyboardInterrupt:
            # What was measured so far is worth showing.
            failed = True
            break
        except Exception:
            # So are the other rows.
            traceback.print_exc()
            failed = True
    facts.update(bench.facts)
    if options.json:
        print(json.dumps({"schema": 2, "machine": facts, "figures": [figure.json() for figure in figures]}, indent=1))
    elif options.markdown:
        table.print_markdown(figures, facts)
    else:
        table.print_text(figures, facts)
    if failed:
        print("A row could not be measured; the reason stands above.", file=sys.stderr)
    return 1 if failed else 0
