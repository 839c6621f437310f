from __future__ import annotations

import subprocess
import sys

from headrace import messages

HEAVY = ("pydantic", "asyncio", "httpx", "openai", "requests", "PIL", "unittest", "logging")


def test_importing_messages_loads_nothing_heavy() -> None:
    code = f"""
import sys
before = set(sys.modules)
import headrace.messages
new = set(sys.modules) - before
print([name for name in {HEAVY!r} if name in new], len(new))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded, count = done.stdout.strip().rsplit(" ", 1)
    assert loaded == "[]"
    assert int(count) < 110


def test_every_public_name_exists_once() -> None:
    assert len(set(messages.__all__)) == len(messages.__all__)
    assert all(hasattr(messages, name) for name in messages.__all__)
