"""The emulated Google, its controls, and SheetSync's daemon in front of it."""
import collections
import datetime
import http.client
import json
import os
import pathlib
import tempfile
import urllib.parse

from benchmarks.processes import Process

# So high that nothing is ever slowed down.
NO_QUOTA = {f"SHEETSYNC_SHEETS_{what}_PER_MINUTE_{whose}": "1000000" for what in ("WRITES", "READS")
            for whose in ("USER", "PROJECT")}


class Google(Process):
    def __init__(self, bench):
        self._keys = tempfile.TemporaryDirectory()
        super().__init__(bench.binary, "emulator", "--port", "0", "--dir", self._keys.name)
        self.address = self.line()
        self.key = str(pathlib.Path(self._keys.name, "service-account.json"))
        self._token = None

    def __exit__(self, *failure):
        super().__exit__(*failure)
        self._keys.cleanup()

    def call(self, verb, path, body=None, **headers):
        """A request; the answer's JSON."""
        connection = http.client.HTTPConnection(self.address.split("//")[1])
        try:
            connection.request(verb, path, body, headers)
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
        """A call of Drive or Sheets as the service account's project's user."""
        if self._token is None:
            user = json.loads(pathlib.Path(self._keys.name, "authorized-user.json").read_text())
            form = {name: user[name] for name in ("refresh_token", "client_id", "client_secret")}
            self._token = self.call(
                "POST", "/token", urllib.parse.urlencode({"grant_type": "refresh_token", **form}),
                **{"Content-Type": "application/x-www-form-urlencoded"})["access_token"]
        return self.call(verb, path, None if body is None else json.dumps(body),
                         **{"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"})

    def journal(self):
        return Journal(self.control("GET", "requests"))

    def forget_journal(self):
        self.control("DELETE", "requests")

    def daemon(self, bench, url, **settings):
        environment = {
            **NO_QUOTA, "DATABASE_URL": url, "GOOGLE_API_ENDPOINT": self.address,
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

    @property
    def body_bytes(self):
        """Of the latest ten thousand calls; more are not remembered."""
        return sum(call.body_bytes for call in self.calls)

    def between(self, begin, end):
        return [call for call in self.calls if begin <= call.time < end]


class Call:
    def __init__(self, entry):
        self.time = datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00")).timestamp()
        self.status = entry["status"]
        self.body_bytes = entry["body_bytes"]
        self.is_write = entry["api"] == "sheets" and entry["method"] != "GET"
        self.is_creation = entry["api_method"] == "drive.files.create"
