"""One fixture, `world`: every behaviour is shown for sync and for async callers by one test."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import settings

from headrace.engine.drive import drive
from headrace.engine.worlds import async_world, sync_world

# Timing never decides a test.
settings.register_profile("headrace", deadline=None)
settings.load_profile("headrace")


class Sync:
    """The sync doors. `read` takes up to `count` chunks of a stream and then leaves it."""

    is_async = False

    def run(self, work: Any) -> Any:
        """What the coroutine function `work(io)` gives in this world."""
        return drive(work(sync_world()))

    def invoke(self, step: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return step.invoke(input, config, **kwargs)

    def stream(self, step: Any, input: Any, config: Any = None, **kwargs: Any) -> list[Any]:
        return list(step.stream(input, config, **kwargs))

    def transform(self, step: Any, chunks: Any, config: Any = None, **kwargs: Any) -> list[Any]:
        return list(step.transform(iter(chunks), config, **kwargs))

    def batch(self, step: Any, inputs: Any, config: Any = None, **kwargs: Any) -> list[Any]:
        return step.batch(inputs, config, **kwargs)

    def completed(self, step: Any, inputs: Any, config: Any = None, **kwargs: Any) -> list[Any]:
        return list(step.batch_as_completed(inputs, config, **kwargs))

    def read(self, step: Any, input: Any, count: int, config: Any = None) -> list[Any]:
        with step.stream(input, config) as chunks:
            return [chunk for _, chunk in zip(range(count), chunks, strict=False)]


class Async:
    """The async doors, each under an event loop of its own, called as the sync ones are."""

    is_async = True

    def run(self, work: Any) -> Any:
        async def main() -> Any:
            return await work(async_world())

        return asyncio.run(main())

    def invoke(self, step: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:
        return asyncio.run(step.ainvoke(input, config, **kwargs))

    def stream(self, step: Any, input: Any, config: Any = None, **kwargs: Any) -> list[Any]:
        return asyncio.run(_all(lambda: step.astream(input, config, **kwargs)))

    def transform(self, step: Any, chunks: Any, config: Any = None, **kwargs: Any) -> list[Any]:
        return asyncio.run(_all(lambda: step.atransform(_each(chunks), config, **kwargs)))

    def batch(self, step: Any, inputs: Any, config: Any = None, **kwargs: Any) -> list[Any]:
        return asyncio.run(step.abatch(inputs, config, **kwargs))

    def completed(self, step: Any, inputs: Any, config: Any = None, **kwargs: Any) -> list[Any]:
        return asyncio.run(_all(lambda: step.abatch_as_completed(inputs, config, **kwargs)))

    def read(self, step: Any, input: Any, count: int, config: Any = None) -> list[Any]:
        return asyncio.run(_all(lambda: step.astream(input, config), count))


async def _each(chunks: Any) -> Any:
    for chunk in chunks:
        yield chunk


async def _all(open: Any, count: int | None = None) -> list[Any]:
    found: list[Any] = []
    async with open() as chunks:
        if count == 0:
            return found
        async for chunk in chunks:
            found.append(chunk)
            if len(found) == count:
                break
    return found


# Of the session, as it holds no state: hypothesis may then use it too.
@pytest.fixture(params=[Sync(), Async()], ids=["sync", "async"], scope="session")
def world(request: pytest.FixtureRequest) -> Any:
    return request.param
