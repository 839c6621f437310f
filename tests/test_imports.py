"""What importing costs: which modules it loads, and how many, counted in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SDKS = {"openai", "anthropic", "google", "boto3", "botocore", "mistralai", "ollama", "dashscope"}
HTTP = {"httpx", "httpx2", "httpcore", "httpcore2", "requests", "aiohttp", "urllib3", "ssl", "http"}
LOOPS = {"asyncio", "anyio", "concurrent"}

# statement -> modules of ours, and modules in all beyond a bare interpreter's; little headroom.
BUDGETS = {
    "import headrace": (1, 13),
    "import headrace.messages": (17, 46),
    "import headrace.runnables, headrace.messages": (59, 95),
    "from headrace_openai import ChatOpenAI": (228, 380),
    "from headrace_google import ChatGoogleGenerativeAI": (214, 368),
}


def loaded_by(statement: str) -> set[str]:
    """Names of the modules that a statement adds to a new interpreter."""
    code = (
        "import json, sys; before = set(sys.modules)\n"
        f"{statement}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("statement", BUDGETS)
def test_an_import_loads_no_sdk_no_http_client_and_no_event_loop(statement: str) -> None:
    tops = {name.partition(".")[0] for name in loaded_by(statement)}
    assert tops & (SDKS | HTTP | LOOPS) == set()


@pytest.mark.parametrize(("statement", "budget"), BUDGETS.items(), ids=list(BUDGETS))
def test_an_import_stays_within_its_budget_of_modules(
    statement: str, budget: tuple[int, int]
) -> None:
    loaded = loaded_by(statement)
    ours = [name for name in loaded if name.startswith("headrace")]
    assert len(ours) <= budget[0], sorted(ours)
    assert len(loaded) <= budget[1], sorted(loaded)
