"""Child processes whose processor time, memory and wake-ups can be read."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def wait_until(condition, limit=120, pause=0.02, what="the measured work"):
    """Waits until the condition gives something true, and returns that."""
    end = time.monotonic() + limit
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come to its end within {limit} s")
        time.sleep(pause)


class Process:
    """A child that is ended with the block that uses it."""

    def __init__(self, *command, environment=None, cwd=None):
        self._errors = tempfile.TemporaryFile()
        self.child = subprocess.Popen(
            [str(part) for part in command], env={**os.environ, **(environment or {})}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self._errors, text=True, cwd=cwd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.terminate()
        try:
            self.child.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()
        self._errors.close()

    def line(self):
        """The next line of its output; an error with what it said where there is none."""
        text = self.child.stdout.readline()
        if not text:
            raise RuntimeError(f"{self.child.args[0]} ended with {self.child.wait()}: {self.errors()}")
        return text.strip()

    def say(self, text):
        self.child.stdin.write(text + "\n")
        self.child.stdin.flush()

    def errors(self):
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-2000:]

    def cpu_seconds(self):
        return cpu_seconds(self.child.pid)

    def memory_mb(self, what="VmRSS"):
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"{what} of process {self.child.pid} is not known")

    def peak_memory_mb(self):
        return self.memory_mb("VmHWM")

    def switches(self):
        """How often its threads were put on a processor so far."""
        count = 0
        for status in pathlib.Path(f"/proc/{self.child.pid}/task").glob("*/status"):
            for line in status.read_text().splitlines():
                if "ctxt_switches:" in line:
                    count += int(line.split()[1])
        return count


class Peer(Process):
    """A program of benchmarks.peers, which says `ready` once its libraries are loaded and waits for a line before it works."""

    def __init__(self, module, *arguments, environment=None):
        super().__init__(
            sys.executable, "-B", "-m", f"benchmarks.peers.{module}", *arguments, environment=environment,
            cwd=pathlib.Path(__file__).parent.parent)
        if self.line() != "ready":
            raise RuntimeError(f"{module} did not get ready: {self.errors()}")

    def go(self):
        self.say("go")


def cpu_seconds(pid, with_ended_children=False):
    """Processor time in user and kernel mode; of a process that ended meanwhile none."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(field) for field in fields[11:15 if with_ended_children else 13]) / CLOCK_TICKS
