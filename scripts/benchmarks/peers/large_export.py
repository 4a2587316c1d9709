"""A large table into a new spreadsheet by gspread: URL BASE KEY QUERY ROWS-A-WRITE. Prints the processor time and peak memory.

A server-side cursor keeps the rows out of memory; values are written RAW, so that no text becomes a formula, and what JSON has no
form for (dates, exact numbers) is turned into text and floats.
"""
import datetime
import decimal
import json
import resource
import sys

import gspread.utils
import psycopg

from benchmarks.peers import local_gspread


def plain(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return "" if value is None else value


def export(url, base, key, query, rows_a_write):
    sheet = local_gspread.client(base, key).create("Large").sheet1
    with psycopg.connect(url) as connection, connection.cursor(name="large") as cursor:
        cursor.itersize = rows_a_write
        cursor.execute(query)
        header = [column.name for column in cursor.description]
        count = connection.execute(f"select count(*) from ({query}) q").fetchone()[0]
        sheet.resize(rows=count + 1, cols=len(header))
        sheet.update([header], raw=True)
        row = 2
        while rows := cursor.fetchmany(rows_a_write):
            corner = gspread.utils.rowcol_to_a1(row, 1)
            sheet.update([[plain(value) for value in line] for line in rows], corner, raw=True)
            row += len(rows)
    sheet.freeze(rows=1)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_seconds": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    before = resource.getrusage(resource.RUSAGE_SELF)
    found = export(*sys.argv[1:5], int(sys.argv[5]))
    # Loading the libraries does not count.
    found["cpu_seconds"] -= before.ru_utime + before.ru_stime
    print(json.dumps(found), flush=True)
