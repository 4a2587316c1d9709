"""What all rows share: the program that is measured, how often, and how much of it."""
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Bench:
    def __init__(self, options):
        self.runs = options.runs
        self.is_small = options.small
        self.facts = {}
        self._began = time.monotonic()
        self.binary = pathlib.Path(options.binary).resolve() if options.binary else self._build()

    def size(self, usual, small):
        """How much to measure: the usual amount, or a small one to try the benchmarks themselves."""
        return small if self.is_small else usual

    def say(self, text):
        print(f"{time.monotonic() - self._began:6.0f} s  {text}", file=sys.stderr, flush=True)

    def each_run(self, systems, what):
        """Yields every system for every run. The systems take turns, so that a change of the machine's mood hits all alike."""
        for number in range(1, self.runs + 1):
            for system in systems:
                self.say(f"  {what}: {system.name}, run {number} of {self.runs}")
                yield system

    def _build(self):
        # Where there is a folder for release builds alone, the debug build's stays as it is.
        scratch = ["--scratch-path", ".build-release"] if (ROOT / ".build-release").exists() else []
        command = ["swift", "build", "-c", "release", *scratch]
        # The emulated Google is a program of its own, which the other one finds beside it.
        for product in ("sheetsync", "sheetsync-emulator"):
            subprocess.run([*command, "--product", product], cwd=ROOT, check=True, stdout=sys.stderr)
        path = subprocess.run([*command, "--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True)
        return pathlib.Path(path.stdout.strip()) / "sheetsync"
