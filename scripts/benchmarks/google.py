"""The emulated Google, its controls, and SheetSync's daemon in front of it."""
import datetime
import http.client
import json
import pathlib
import tempfile

from benchmarks.peers import local_gspread
from benchmarks.processes import Process

# So high that nothing is ever slowed down.
NO_QUOTA = {
    "SHEETSYNC_DRIVE_CREATES_PER_MINUTE_USER": "1000000",
    **{f"SHEETSYNC_SHEETS_{what}_PER_MINUTE_{whose}": "1000000" for what in ("WRITES", "READS") for whose in ("USER", "PROJECT")},
}


class Google(Process):
    def __init__(self, bench):
        self._keys = tempfile.TemporaryDirectory()
        super().__init__(bench.binary, "emulator", "--port", "0", "--dir", self._keys.name)
        self.address = self.line()
        self.key = str(pathlib.Path(self._keys.name, "service-account.json"))
        self._client = None

    def __exit__(self, *failure):
        super().__exit__(*failure)
        self._keys.cleanup()

    def call(self, verb, path, body=None):
        """A request; the answer's JSON."""
        connection = http.client.HTTPConnection(self.address.split("//")[1])
        try:
            connection.request(verb, path, body)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"{verb} {path}: {response.status} {answer[:300]}")
        return json.loads(answer)

    def control(self, verb, path, body=None):
        return self.call(verb, f"/emulator/{path}", None if body is None else json.dumps(body))

    def api(self, verb, path, body=None):
        """A call of Drive or Sheets by the service account."""
        if self._client is None:
            self._client = local_gspread.client(self.address, self.key)
        return self._client.http_client.request(verb, "https://www.googleapis.com" + path, json=body).json()

    def make_folder(self, name):
        """A folder that everybody may write to."""
        kind = "application/vnd.google-apps.folder"
        folder = self.api("POST", "/drive/v3/files", {"name": name, "mimeType": kind})["id"]
        self.api("POST", f"/drive/v3/files/{folder}/permissions", {"type": "anyone", "role": "writer"})
        return folder

    def received_bytes(self):
        """What it has read so far, requests as they came over the wire."""
        for line in pathlib.Path(f"/proc/{self.child.pid}/io").read_text().splitlines():
            if line.startswith("rchar:"):
                return int(line.split()[1])
        raise RuntimeError("the kernel does not count what a process reads")

    def journal(self):
        return Journal(self.control("GET", "requests"))

    def forget_journal(self):
        self.control("DELETE", "requests")

    def daemon(self, bench, url, quotas=NO_QUOTA, **settings):
        environment = {
            **quotas, "DATABASE_URL": url, "GOOGLE_API_ENDPOINT": self.address,
            "GOOGLE_SHEETS_CREDENTIALS_PATH": self.key, "SHEETSYNC_HTTP_ADDRESS": "127.0.0.1:0", **settings}
        return Process(bench.binary, "run", environment=environment)


class Journal:
    """The calls that the emulator has seen, tokens left out."""

    def __init__(self, answer):
        self.counts = {name: count for name, count in answer["counts"].items() if not name.startswith("oauth")}
        self.calls = [Call(entry) for entry in answer["requests"] if entry["api"] != "oauth"]

    @property
    def total(self):
        return sum(self.counts.values())

    def between(self, begin, end):
        return [call for call in self.calls if begin <= call.time < end]

    def exports_done(self, begin, end):
        """How many spreadsheets got the last of their successful writes then."""
        last = {}
        for call in self.calls:
            if call.is_write and call.status == 200:
                last[call.path.split("/")[3].split(":")[0]] = call.time
        return sum(begin <= moment < end for moment in last.values())


class Call:
    def __init__(self, entry):
        self.time = datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp()
        self.status = entry["status"]
        self.is_write = entry["api"] == "sheets" and entry["method"] != "GET"
        self.is_create = entry["api_method"] in ("drive.files.create", "drive.files.copy")
        self.path = entry["path"]
