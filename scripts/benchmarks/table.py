"""Figures, and the one table that they are shown in."""
import dataclasses
import statistics

SYSTEMS = ["SheetSync", "PgQueuer", "Procrastinate", "gspread"]


@dataclasses.dataclass
class Figure:
    """One line of the table: what was measured, and every run of each system and of the limit."""

    name: str
    unit: str
    runs: dict = dataclasses.field(default_factory=dict)
    #: What bounds the figure, measured beside it: its name, and its runs.
    limit: str = ""
    limit_runs: list = dataclasses.field(default_factory=list)
    row: str = ""

    def add(self, system, value):
        if value is not None:
            self.runs.setdefault(system, []).append(value)

    def add_limit(self, value):
        self.limit_runs.append(value)

    def json(self):
        def shown(runs):
            return {"median": statistics.median(runs), "runs": runs}

        return {
            "row": self.row, "name": self.name, "unit": self.unit,
            "systems": {system: shown(runs) for system, runs in self.runs.items()},
            "limit": {"name": self.limit, **(shown(self.limit_runs) if self.limit_runs else {})} if self.limit else None,
        }

    def cells(self):
        limit = " ".join(filter(None, [number(self.limit_runs), self.limit]))
        return [self.name, self.unit, *(number(self.runs.get(system)) for system in SYSTEMS), limit]


def number(runs):
    """The median with three digits that mean something."""
    if not runs:
        return ""
    value = statistics.median(runs)
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


HEADER = ["", "", *SYSTEMS, "limit"]


def print_text(figures, facts):
    lines = [HEADER, *(figure.cells() for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    row = None
    print("  " + _aligned(HEADER, widths))
    for figure, cells in zip(figures, lines[1:]):
        if figure.row != row:
            row = figure.row
            print(row)
        print("  " + _aligned(cells, widths))
    print()
    for name, value in facts.items():
        print(f"{name}: {value}")


def _aligned(cells, widths):
    return "  ".join(
        cell.rjust(width) if 2 <= column < len(cells) - 1 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths))).rstrip()


def print_markdown(figures, facts):
    print("| row | figure | unit | " + " | ".join([*SYSTEMS, "limit"]) + " |")
    print("|---|---|---|" + "---:|" * len(SYSTEMS) + "---|")
    row = None
    for figure in figures:
        print("| " + " | ".join([figure.row if figure.row != row else "", *figure.cells()]) + " |")
        row = figure.row
    print()
    print("; ".join(f"{name}: {value}" for name, value in facts.items()) + ".")
