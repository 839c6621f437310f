"""The structure of the repository, and of small trees that break one rule each."""

from __future__ import annotations

from pathlib import Path

import pytest

from check_floors import MAX_LINES, check, main

ROOT = Path(__file__).parent.parent


def tree(root: Path, files: dict[str, str]) -> Path:
    """A repository at `root`; paths start at headrace/ or, for a partner, at headrace_x/."""
    for name, text in {"headrace/__init__.py": "", **files}.items():
        home = "libs/core/src" if name.startswith("headrace/") else "libs/partners/x/src"
        path = root / home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_this_repository_is_in_order() -> None:
    assert check(ROOT) == []


def test_the_command_prints_faults_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tree(tmp_path, {"headrace/errors.py": ""}))]) == 0
    assert main([str(tree(tmp_path, {"headrace/errors.py": "import httpx\n"}))]) == 1
    assert "libs/core/src/headrace/errors.py:1: " in capsys.readouterr().out


IN_ORDER = {
    "a lower floor": {
        "headrace/errors.py": "",
        "headrace/runnables/a.py": "from headrace.errors import X",
    },
    "the left on one floor": {
        "headrace/engine/run.py": "",
        "headrace/callbacks/a.py": "from headrace.engine import run",
    },
    "its own package": {
        "headrace/engine/run.py": "",
        "headrace/engine/a.py": "from headrace.engine.run import Run",
    },
    "a reason to look upward for types": {
        "headrace/tools/a.py": "",
        "headrace/runnables/a.py": "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from headrace.tools.a import T  # upward: as_tool returns one\n",
    },
    "a cycle of types alone": {
        "headrace/engine/a.py": "from headrace.engine import b",
        "headrace/engine/b.py": "if TYPE_CHECKING:\n    from headrace.engine import a\n",
    },
    "the lazy root": {
        "headrace/__init__.py": "from headrace.tools import a",
        "headrace/tools/a.py": "",
    },
    "the allowed libraries": {"headrace/messages/a.py": "import json, pydantic, pydantic_core"},
    "asyncio deferred": {"headrace/tools/a.py": "def f():\n    import asyncio\n"},
    "asyncio behind a deferred import": {
        "headrace/engine/worlds.py": "def f():\n    from headrace.engine import aio\n",
        "headrace/engine/aio.py": "import asyncio",
        "headrace/tools/a.py": "from headrace.engine import worlds",
    },
    "threads in the engine": {"headrace/engine/a.py": "import threading"},
    "a vendor's page cited": {"headrace/tools/a.py": '"""As OpenAI says."""\n# Anthropic too\n'},
    "a vendor's name in a table": {"headrace/registry/rows.py": 'ROWS = {"openai": "x"}'},
    "a format's name": {"headrace/messages/a.py": "def convert_to_openai_messages(): ..."},
    "a base class in base.py": {
        "headrace/runnables/base.py": "class Runnable: ...",
        "headrace/runnables/a.py": "from headrace.runnables.base import Runnable\n"
        "class A(Runnable[int]): ...",
    },
    "a timeout outside a generator": {
        "headrace/engine/aio.py": "async def f():\n    async with asyncio.timeout(1): ..."
    },
    "a token in a generator's inner function": {
        "headrace/engine/a.py": "async def f():\n    def g(): var.reset(token)\n    yield 1"
    },
    "a reset that takes no token": {
        "headrace/engine/a.py": "async def f():\n    decoder.reset()\n    yield 1"
    },
    "a partner on public names": {
        "headrace/messages/__init__.py": "",
        "headrace_x/chat.py": "import x_sdk\nfrom headrace.messages import AIMessage",
    },
}


@pytest.mark.parametrize("files", IN_ORDER.values(), ids=list(IN_ORDER))
def test_a_tree_in_order_has_no_fault(tmp_path: Path, files: dict[str, str]) -> None:
    assert check(tree(tmp_path, files)) == []


BROKEN = {
    "upward": (
        {
            "headrace/runnables/a.py": "",
            "headrace/engine/a.py": "import x_y\nimport headrace.runnables.a",
        },
        "engine/a.py:2: `engine` imports `runnables`",
    ),
    "to the right": (
        {"headrace/callbacks/a.py": "", "headrace/engine/a.py": "from headrace.callbacks import a"},
        "`engine` imports `callbacks`",
    ),
    "upward, relative": (
        {"headrace/tools/a.py": "", "headrace/engine/a.py": "from ..tools import a"},
        "`engine` imports `tools`",
    ),
    "upward in a function": (
        {
            "headrace/tools/a.py": "",
            "headrace/engine/a.py": "def f():\n    from headrace.tools import a",
        },
        "engine/a.py:2: `engine` imports `tools`",
    ),
    "upward for types without a reason": (
        {
            "headrace/tools/a.py": "",
            "headrace/engine/a.py": "if TYPE_CHECKING:\n    from headrace.tools import a\n",
        },
        "`engine` imports `tools`",
    ),
    "a reason given for a real import": (
        {
            "headrace/tools/a.py": "",
            "headrace/engine/a.py": "from headrace.tools import a  # upward: it is easy",
        },
        "`engine` imports `tools`",
    ),
    "the root": (
        {"headrace/engine/a.py": "from headrace import tool"},
        "imports `headrace` itself",
    ),
    "no floor": ({"headrace/wire.py": ""}, "`wire` has no floor"),
    "no such module": ({"headrace/tools/a.py": "import headrace.nowhere"}, "no module"),
    "a cycle": (
        {
            "headrace/engine/a.py": "from headrace.engine.b import x",
            "headrace/engine/b.py": "from headrace.engine.c import x",
            "headrace/engine/c.py": "from headrace.engine import a",
        },
        "import cycle: headrace.engine.",
    ),
    "a cycle through a function": (
        {
            "headrace/engine/a.py": "from headrace.engine import b",
            "headrace/engine/b.py": "def f():\n    import headrace.engine.a",
        },
        "import cycle: ",
    ),
    "a partner's package": (
        {"headrace/registry/a.py": "def f():\n    import headrace_x"},
        "may not import `headrace_x`",
    ),
    "an SDK": ({"headrace/messages/a.py": "from boto3 import client"}, "may not import `boto3`"),
    "a vendor's identifier": ({"headrace/tools/a.py": "def to_openai(): ..."}, "vendor's name"),
    "a vendor's class": ({"headrace/tools/a.py": "class ChatGoogle: ..."}, "vendor's name"),
    "a vendor's string": ({"headrace/tools/a.py": "def f(): return 'aws'"}, "vendor's name"),
    "a vendor's f-string": ({"headrace/tools/a.py": "def f(): return f'{x}-qwen'"}, "vendor's"),
    "a vendor's string in a module that acts": (
        {"headrace/tools/a.py": "X = 'groq'\nregister(X)"},
        "a.py:1: a vendor's name in the core: `groq`",
    ),
    "a vendor's module": ({"headrace/tools/mistral.py": "def f(): ..."}, "vendor's name"),
    "asyncio": ({"headrace/tools/a.py": "import asyncio"}, "`asyncio` outside engine/"),
    "threads": (
        {"headrace/tools/a.py": "from concurrent.futures import x"},
        "`concurrent` outside",
    ),
    "asyncio loaded from outside the engine": (
        {
            "headrace/engine/aio.py": "import asyncio",
            "headrace/engine/run.py": "from headrace.engine import aio",
            "headrace/tools/a.py": "from headrace.engine.run import Run",
        },
        "engine/aio.py:1: `asyncio` is loaded by headrace.tools.a",
    ),
    "utils": ({"headrace/tools/utils.py": ""}, "`utils` names no idea"),
    "a prefix of helpers": ({"headrace/tools/json_helpers.py": ""}, "`json_helpers` names no"),
    "common": (
        {"headrace/tools/_common/a.py": "", "headrace/tools/_common/__init__.py": ""},
        "no id",
    ),
    "base without a base class": ({"headrace/tools/base.py": "def f(): ..."}, "`base` names no"),
    "utils in a partner": ({"headrace_x/utils.py": ""}, "partners/x/src/headrace_x/utils.py:1: "),
    "a long file": ({"headrace/tools/a.py": "x = 1\n" * (MAX_LINES + 1)}, "501 lines"),
    "a timeout across a yield": (
        {
            "headrace/engine/a.py": "async def f():\n"
            "    async with asyncio.timeout(1):\n        yield"
        },
        "a.py:2: `timeout` in the async generator `f`",
    ),
    "an imported timeout": (
        {
            "headrace/engine/a.py": "async def g():\n    from asyncio import timeout\n"
            "    async with timeout(1):\n        yield"
        },
        "`timeout` in the async generator `g`",
    ),
    "a task group": (
        {"headrace_x/a.py": "async def f():\n    async with TaskGroup() as g:\n        yield"},
        "`TaskGroup` in the async generator `f`",
    ),
    "a token across a yield": (
        {"headrace/engine/a.py": "async def f():\n    t = v.set(1)\n    yield\n    v.reset(t)"},
        "a.py:4: `.reset(token)`",
    ),
    "a method": (
        {"headrace/engine/a.py": "class A:\n    async def f(self):\n        yield v.reset(t)"},
        "`.reset(token)` in the async generator `f`",
    ),
    "a partner on a private name": (
        {"headrace_x/a.py": "from headrace.engine import _inner"},
        "`headrace.engine._inner` is private",
    ),
    "a partner on a private module": (
        {"headrace_x/a.py": "import headrace._engine.run"},
        "`headrace._engine.run` is private",
    ),
}


@pytest.mark.parametrize(("files", "fault"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_rule_is_named_with_its_place(
    tmp_path: Path, files: dict[str, str], fault: str
) -> None:
    assert fault in "\n".join(check(tree(tmp_path, files)))
