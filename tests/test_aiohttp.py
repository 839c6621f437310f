"""The SDK's transport over aiohttp keeps what headrace promises of async calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from faults import dripping_headers, garbage, good, half, kept_alive, reset, silent, stalled

from headrace.errors import (
    MissingPackageError,
    ModelConnectionError,
    ModelError,
    ModelTimeoutError,
    StreamInterruptedError,
)
from headrace_openai import ChatOpenAI, client

HANGS = [silent, dripping_headers, kept_alive, stalled]
LONG = 10.0  # seconds, by which a test that hangs has failed


@asynccontextmanager
async def asking(url: str, **more: Any) -> AsyncIterator[ChatOpenAI]:
    given: dict[str, Any] = {"max_retries": 0, "async_transport": "aiohttp", **more}
    async with ChatOpenAI(model="m", api_key="k", base_url=url, **given) as model:
        yield model


async def streamed(model: Any) -> str:
    async with model.astream("x") as chunks:
        return "".join([chunk.text async for chunk in chunks])


def left_alone(wire: Any) -> bool:
    """Whether the server saw all its connections closed."""
    end = time.monotonic() + LONG
    while len(wire.disconnected) < len(wire.requests) and time.monotonic() < end:
        time.sleep(0.005)
    return len(wire.disconnected) == len(wire.requests)


def failed(wire: Any, ask: str, **more: Any) -> ModelError:
    """The error of a request."""

    async def main() -> None:
        async with asking(wire.url, **more) as model:
            await (streamed(model) if ask == "astream" else model.ainvoke("x"))

    with pytest.raises(ModelError) as caught:
        asyncio.run(main())
    return caught.value


def test_its_client_is_the_one_over_aiohttp(serve: Any) -> None:
    async def main() -> None:
        async with asking(serve(good).url) as model:
            assert (await model.ainvoke("x")).text == await streamed(model) == "whole"
            made = model._exchange().make_client(True)
            assert isinstance(made.sdk._client, openai.DefaultAioHttpClient)
            await made.end()

    asyncio.run(main())


@pytest.mark.parametrize("ask", ["ainvoke", "astream"])
@pytest.mark.parametrize("hang", HANGS)
def test_each_way_to_hang_ends_in_time_and_closes_the_connection(
    hang: Any, ask: str, serve: Any
) -> None:
    wire, begun = serve(hang), time.monotonic()
    error = failed(wire, ask, timeout={"first_chunk": 0.1, "idle": 0.1, "total": 5})
    assert isinstance(error, ModelTimeoutError)
    assert time.monotonic() - begun < LONG
    assert left_alone(wire)


def test_a_stream_that_is_left_closes_its_connection_at_once(serve: Any, drip: Any) -> None:
    wire = serve(drip(0.02))

    async def main() -> None:
        async with asking(wire.url) as model:
            async with model.astream("x") as chunks:
                async for _ in chunks:
                    break
            assert await asyncio.to_thread(left_alone, wire)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "ask", "kind"),
    [
        (reset, "ainvoke", ModelConnectionError),
        (reset, "astream", ModelConnectionError),
        (garbage, "ainvoke", ModelConnectionError),
        (half, "ainvoke", StreamInterruptedError),
        (half, "astream", StreamInterruptedError),
    ],
)
def test_a_lost_connection_is_not_called_a_timeout(
    fault: Any, ask: str, kind: type[ModelError], serve: Any
) -> None:
    error = failed(serve(fault), ask)
    assert type(error) is kind
    assert error.is_retryable


def test_the_same_holds_for_a_request_that_repeats_one(serve: Any) -> None:
    """After a first request of its kind headrace sends to the SDK's HTTP client itself."""
    wire = serve(good, half, reset, silent)

    async def main() -> None:
        async with asking(wire.url) as model:
            assert (await model.ainvoke("x")).text == "whole"
            for kind in (StreamInterruptedError, ModelConnectionError):
                with pytest.raises(kind):
                    await model.ainvoke("x")
            with pytest.raises(ModelTimeoutError):
                await model.with_timeout(first_chunk=0.1).ainvoke("x")

    asyncio.run(main())


def test_a_port_where_nobody_listens_is_a_connection_error(serve: Any) -> None:
    wire = serve(good)
    wire.shutdown()
    wire.server_close()
    assert type(failed(wire, "ainvoke")) is ModelConnectionError


def test_a_batch_uses_as_many_connections_as_are_in_flight(serve: Any) -> None:
    senders = set()

    def noting(handler: Any) -> None:
        senders.add(handler.client_address)
        good(handler)

    async def main() -> None:
        async with asking(serve(noting).url) as model:
            answers = await model.abatch(["x"] * 40, {"max_concurrency": 8})
            assert [answer.text for answer in answers] == ["whole"] * 40

    asyncio.run(main())
    assert len(senders) <= 8


def test_a_proxy_is_gone_through(serve: Any) -> None:
    wire, hosts = serve(lambda handler: (hosts.append(handler.headers["host"]), good(handler))), []
    proxy = wire.url.removesuffix("/v1")

    async def main() -> None:
        async with asking("http://provider.invalid/v1", proxy=proxy) as model:
            assert (await model.ainvoke("x")).text == "whole"

    asyncio.run(main())
    assert hosts == ["provider.invalid"]


def test_without_the_package_the_error_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(client, "find_spec", lambda name: None)

    async def main() -> None:
        async with asking("http://127.0.0.1:9/v1") as model:
            await model.ainvoke("x")

    with pytest.raises(MissingPackageError, match=r"pip install \"headrace-openai\[aiohttp\]\""):
        asyncio.run(main())


def test_sync_calls_keep_the_usual_client(serve: Any) -> None:
    wire = serve(good)
    with ChatOpenAI(model="m", api_key="k", base_url=wire.url, async_transport="aiohttp") as model:
        assert model.invoke("x").text == "whole"
