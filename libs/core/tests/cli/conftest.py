"""The command as people run it: a process, with a provider of its own, on a terminal or not."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROVIDER = '''
from headrace.chat_models import BaseChatModel
from headrace.errors import ModelAPIError
from headrace.messages import AIMessageChunk
from headrace.registry import Provider
from pathlib import Path
import os


class Chat(BaseChatModel):
    """Does what the last message says."""

    provider = "acme"

    async def _stream(self, messages, settings, run):
        asked, end = messages[-1].text, "stop"
        if asked == "think":
            yield AIMessageChunk([{"type": "reasoning", "reasoning": "hm", "index": 0}])
            yield AIMessageChunk([{"type": "text", "text": "aha", "index": 1}])
        elif asked == "fail":
            yield AIMessageChunk("half")
            raise ModelAPIError("it broke")
        elif asked == "crash":
            raise ZeroDivisionError("not ours")
        elif asked == "count":
            try:
                for number in range(100_000):
                    yield AIMessageChunk(f"{number} ")
                    await run.sleep(0.01)
            finally:
                Path(os.environ["ACME_LOG"]).write_text("closed")
        elif asked == "escape":
            yield AIMessageChunk("\\x1b]52;c;cm0=\\x07red")
        elif asked == "cut":
            yield AIMessageChunk("so far")
            end = "length"
        elif asked == "picture":
            yield AIMessageChunk([{"type": "image", "url": "https://x.example/a.png"}])
        else:
            yield AIMessageChunk(" / ".join(f"{m.type} {m.text}" for m in messages))
        yield AIMessageChunk(
            "",
            usage_metadata={"input_tokens": 1000, "output_tokens": 2, "total_tokens": 1002},
            response_metadata={"model_name": "m", "finish_reason": end},
            chunk_position="last",
        )


acme = Provider("acme", Chat, package="acme")
'''


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables under which `acme:m` is a model, and in whose folder commands run."""
    site = tmp_path / "site"
    info = site / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "acme_models.py").write_text(PROVIDER)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[headrace.providers]\nacme = acme_models:acme\n")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HEADRACE", "COLUMNS"))}
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    own = {"PYTHONPATH": path, "ACME_LOG": str(tmp_path / "log"), "PYTHONUTF8": "1"}
    return {**kept, **own, "HEADRACE_FORBID_REQUESTS": "1"}


@pytest.fixture
def headrace(environment: dict[str, str], tmp_path: Path) -> Callable[..., Any]:
    """Runs `headrace` with these arguments to its end; gives what it wrote and its exit code."""

    def run(*arguments: str, input: str | bytes = b"", **more: str) -> Any:
        data = input.encode() if isinstance(input, str) else input
        done = subprocess.run(
            [sys.executable, "-m", "headrace", *arguments],
            input=data, capture_output=True, cwd=tmp_path, timeout=60,
            env={**environment, **more}, check=False,
        )  # fmt: skip
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        return done

    return run


class Terminal:
    """A process on a terminal of its own: what it shows, and keys for it."""

    def __init__(self, arguments: list[str], columns: int, **options: Any) -> None:
        self._fd, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "headrace", *arguments],
            stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), **options,
        )  # fmt: skip
        os.close(inner)
        self.shown = ""  # since the last `expect`

    def expect(self, text: str, again: str = "") -> str:
        """What is shown up to and with this text; fails if it does not come.

        `again`: keys pressed now and every second, as a person presses Ctrl-C. One that comes
        just before Python begins to wait for a key is seen with the next key only.
        """
        for _ in range(30):
            self.type(again)
            until = time.monotonic() + 1
            while text not in self.shown and self._read(until):
                pass
            if text in self.shown:
                before, _, self.shown = self.shown.partition(text)
                return before + text
        raise AssertionError(f"{text!r} did not come, but {self.shown!r}")

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def leave(self) -> int:
        """The exit code after Ctrl-D at the next prompt."""
        self.expect("> ")
        self.type("\x04")
        return self.end()

    def end(self) -> int:
        """The exit code; what is still shown stands in `shown`."""
        while self._read(time.monotonic() + 30):
            pass
        return self.process.wait(timeout=30)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._fd)

    def _read(self, until: float) -> bool:
        if not select.select([self._fd], [], [], max(until - time.monotonic(), 0))[0]:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # how Linux says that the other side is closed
            return False
        self.shown += data.decode().replace("\r\n", "\n")
        return bool(data)


@pytest.fixture
def terminal(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts `headrace` with these arguments on a terminal."""
    opened: list[Terminal] = []

    def start(*arguments: str, columns: int = 80, **more: str) -> Terminal:
        env = {**environment, "TERM": "xterm", **more}
        opened.append(Terminal(list(arguments), columns, env=env, cwd=tmp_path))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
