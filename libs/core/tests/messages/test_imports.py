from __future__ import annotations

import subprocess
import sys

import pytest

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
    assert int(count) < 90


def test_every_public_name_exists_once() -> None:
    assert len(set(messages.__all__)) == len(messages.__all__)
    assert all(hasattr(messages, name) for name in messages.__all__)


def test_what_loads_on_first_use_is_listed_and_public() -> None:
    assert set(messages._HOME) < set(messages.__all__) <= set(dir(messages))
    for name, home in messages._HOME.items():
        assert getattr(messages, name).__module__ == f"headrace.messages.{home}"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        messages.nothing  # noqa: B018
