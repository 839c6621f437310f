"""The processes of a run: the server, and a worker for each contender."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import IO, Any

SCRIPTS = Path(__file__).resolve().parent.parent
LONGEST = 400  # seconds that one round of a contender may take
# All that a contender sees of the environment: no keys, no settings of anyone's machine. LiteLLM
# takes its prices from the package, not from a network. A proxy is not for loopback.
PASSED = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")
SET = {"NO_PROXY": "127.0.0.1", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONUNBUFFERED": "1"}


@contextmanager
def server() -> Iterator[int]:
    """The loopback server's port; the server ends with the block."""
    with _python(None, "bench.server") as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def _python(errors: IO[bytes] | None, *module: str) -> subprocess.Popen[str]:
    """A module run in a process group of its own."""
    passed = {name: os.environ[name] for name in PASSED if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", *module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        cwd=SCRIPTS,
        env={**passed, **SET},
        start_new_session=True,
    )


class Worker:
    """A contender's process, started when it is first needed and again after it died."""

    def __init__(self, who: str, port: int) -> None:
        self._who, self._port = who, port
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[bytes] | None = None

    def open(self, row_id: str) -> None:
        """Sets a row up; RuntimeError saying why it cannot be."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._errors = TemporaryFile()  # noqa: SIM115 - it lives as long as the process
            self._process = _python(self._errors, "bench.worker", self._who, str(self._port))
        self._said(row_id)

    def ask(self, times: int) -> float:
        """What a call costs in CPU seconds; RuntimeError saying why it cannot be told."""
        return float(self._said(str(times))["cpu"])

    def _said(self, line: str) -> dict[str, Any]:
        """The answer to a line."""
        assert self._process is not None
        assert self._process.stdout is not None
        self._write(line)
        limit = Timer(LONGEST, self.kill)
        limit.start()
        line = self._process.stdout.readline()
        is_late = not limit.is_alive()
        limit.cancel()
        if is_late:
            raise RuntimeError(f"took more than {LONGEST} s")
        if not line:
            self._process.wait()  # so that the next row finds it gone
        said: dict[str, Any] = json.loads(line) if line else {"error": self._complaint()}
        if "error" in said:
            raise RuntimeError(said["error"])
        return said

    def done(self) -> None:
        """Ends a row that did not fail."""
        self._write("")

    def kill(self) -> None:
        """Ends the process and what it forked."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Ends the process, and leaves nothing of it open."""
        self.kill()
        if self._process is not None and self._errors is not None:
            with self._errors, suppress(BrokenPipeError), self._process:
                pass

    def _write(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            print(line, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            return  # it has died, which is told where its answer is read

    def _complaint(self) -> str:
        """The last line of what a dead worker wrote."""
        assert self._errors is not None
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return (lines or ["died in silence"])[-1][:300]
