"""How fast the emulated Google is, which bounds what can be measured on it, and what it needs for a cell."""

from benchmarks.google import Google
from benchmarks.table import Figure

ROWS = 20_000
COLUMNS = 10
BATCHES = 3


def measure(bench):
    requests = Figure("small requests", "per s of CPU")
    cells = Figure("cells written", "per s of CPU")
    memory = Figure("memory, the last request's buffers included", "bytes/cell")
    count, rows = bench.size(2000, 200), bench.size(ROWS, 1000)
    small = _batch(0, 1)
    large = [_batch(number * rows, rows) for number in range(BATCHES)]
    for number in range(bench.runs):
        bench.say(f"  emulator: run {number + 1} of {bench.runs}")
        with Google(bench) as google:
            grid = {"rowCount": BATCHES * rows, "columnCount": COLUMNS}
            path = "/v4/spreadsheets/" + google.api("POST", "/v4/spreadsheets", {
                "sheets": [{"properties": {"sheetId": 0, "gridProperties": grid}}]})["spreadsheetId"] + ":batchUpdate"
            before = google.cpu_seconds()
            for _ in range(count):
                google.api("POST", path, small)
            requests.add("SheetSync", count / (google.cpu_seconds() - before))
            before, held = google.cpu_seconds(), google.memory_mb()
            for batch in large:
                google.api("POST", path, batch)
            written = BATCHES * rows * COLUMNS
            cells.add("SheetSync", written / (google.cpu_seconds() - before))
            memory.add("SheetSync", (google.memory_mb() - held) * (1 << 20) / written)
    yield from [requests, cells, memory]


def _batch(first, rows):
    """A request that writes so many rows of mixed values."""
    return {"requests": [{"updateCells": {
        "start": {"sheetId": 0, "rowIndex": first}, "fields": "userEnteredValue",
        "rows": [_row(number) for number in range(first, first + rows)]}}]}


def _row(number):
    kinds = [("number", number * 1.5), ("string", f"name {number}"), ("bool", number % 2 == 0), ("number", number),
             ("string", f"some longer text {number * 7919}")]
    return {"values": [{"userEnteredValue": {f"{kind}Value": value}} for kind, value in kinds * (COLUMNS // 5)]}
