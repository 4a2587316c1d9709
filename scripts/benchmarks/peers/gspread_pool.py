"""Workers that export without end by gspread: BASE KEY FOLDER WORKERS SHORTENED SUBJECT…

SHORTENED says how much shorter than Google's minute the window is; the waits of gspread's client become shorter with it. Every
worker acts for one of the subjects in turn, and where there are none for the service account itself.
"""
import itertools
import sys
import threading
import time
import types

import gspread.http_client

from benchmarks.peers import local_gspread

HEADER = ["id", "name", "amount"]
ROWS = [[number, f"row {number}", number * 1.5] for number in range(10)]


def work(base, key, folder, subject):
    google = local_gspread.client(base, key, subject)
    for number in itertools.count():
        try:
            local_gspread.export(google, f"Export {number}", folder, HEADER, ROWS)
        except gspread.exceptions.APIError as error:
            # The client gave up; a pool's next job goes on.
            print(error, file=sys.stderr)


if __name__ == "__main__":
    base, key, folder, workers, shortened, *subjects = sys.argv[1:]
    gspread.http_client.time = types.SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / float(shortened)))
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(workers)):
        subject = subjects[number % len(subjects)] if subjects else None
        threading.Thread(target=work, args=(base, key, folder, subject), daemon=True).start()
    threading.Event().wait()
