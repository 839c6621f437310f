"""`invoke` in each of the two worlds, as a fixture for the tests of partners."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from headrace.messages import AIMessage


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Callable[..., AIMessage]:
    """The answer of a model, by `invoke` and by `ainvoke`."""

    def invoke(model: Any, input: Any = "hi", **options: Any) -> AIMessage:
        answer: AIMessage = model.invoke(input, **options)
        return answer

    def ainvoke(model: Any, input: Any = "hi", **options: Any) -> AIMessage:
        answer: AIMessage = asyncio.run(model.ainvoke(input, **options))
        return answer

    return invoke if request.param == "sync" else ainvoke
