"""What goes wrong: typed errors, retries, timeouts, streams that break or are left."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import Any

import pytest

from headrace.errors import (
    ContextOverflowError,
    InputError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
    StreamInterruptedError,
)
from headrace.messages import AIMessageChunk
from headrace.testing.conformance.hooks import WAYS, WORLDS, ConformanceHooks, Serve, ask
from headrace.testing.offline import OfflineChatModel

KINDS: list[tuple[int, type[ModelError]]] = [
    (400, ModelInvalidRequestError),
    (401, ModelAuthenticationError),
    (403, ModelPermissionDeniedError),
    (404, ModelNotFoundError),
    (429, ModelRateLimitError),
    (500, ModelAPIError),
    (503, ModelAPIError),
]


def failing(status: int, message: str = "no", **more: Any) -> ModelError:
    """What a scripted provider answers with this status."""
    return ModelError(message, status=status, **more)


class FailureTests(ConformanceHooks):
    @WAYS
    @pytest.mark.parametrize(("status", "kind"), KINDS, ids=[str(status) for status, _ in KINDS])
    def test_each_status_has_its_error(
        self, serve: Serve, way: str, status: int, kind: type[ModelError]
    ) -> None:
        with pytest.raises(kind, match="out of order") as caught:
            ask(serve(failing(status, "out of order")).model(), way, "hi")
        assert caught.value.status == status

    def test_a_key_never_stands_in_an_error(self, serve: Serve) -> None:
        model = serve(failing(401, "bad key sk-conformance-12345678")).model(
            api_key="sk-conformance-12345678"
        )
        with pytest.raises(ModelAuthenticationError) as caught:
            model.invoke("hi")
        assert "sk-conformance-12345678" not in f"{caught.value}{caught.value!r}{model!r}"

    def test_a_context_that_overflows_has_its_own_error(self, serve: Serve) -> None:
        told = failing(400, "prompt is too long: 210000 tokens > 200000 maximum")
        with pytest.raises(ContextOverflowError):
            serve(told).model().invoke("hi")

    @WAYS
    def test_a_rate_limit_is_waited_for_and_tried_again(self, serve: Serve, way: str) -> None:
        limited = failing(429, "slow down", retry_after=0.01)
        served = serve(limited, limited, "hello")
        assert ask(served.model(max_retries=2), way, "hi").text == "hello"
        assert served.server is not None
        assert len(served.server.requests) == 3

    @WAYS
    def test_a_bad_request_is_not_tried_again(self, serve: Serve, way: str) -> None:
        served = serve(failing(400), "never")
        with pytest.raises(ModelInvalidRequestError):
            ask(served.model(max_retries=5), way, "hi")
        assert served.server is not None
        assert len(served.server.requests) == 1

    @WORLDS
    def test_a_stream_that_breaks_is_an_error_with_what_came(
        self, serve: Serve, world: str
    ) -> None:
        chunks = [AIMessageChunk("one "), AIMessageChunk("two "), failing(500, "gone")]
        served = serve(chunks)
        way = "stream" if world == "sync" else "astream"
        with pytest.raises((StreamInterruptedError, ModelAPIError)) as caught:
            ask(served.model(), way, "count")
        if isinstance(caught.value, StreamInterruptedError) and caught.value.partial is not None:
            assert "one" in caught.value.partial.text

    @WORLDS
    def test_leaving_a_stream_closes_the_connection(self, serve: Serve, world: str) -> None:
        served = serve(provider=OfflineChatModel(), chunk_delay=0.02)
        model, text = served.model(), "word " * 400
        if world == "sync":
            with model.stream(text) as chunks:
                next(iter(chunks))
        else:
            asyncio.run(_first(model, text))
        assert served.server is not None
        deadline = time.monotonic() + 5
        while not served.server.closed_early and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(served.server.closed_early) == 1

    @WAYS
    def test_a_silent_provider_is_given_up(self, serve: Serve, way: str) -> None:
        bounds = {"connect": 5, "first_chunk": 0.3, "idle": 0.3, "total": 5}
        provider = OfflineChatModel(chunk_delay=30)
        served = serve(provider=provider)
        with pytest.raises(ModelTimeoutError):
            ask(served.model(timeout=bounds), way.replace("invoke", "stream"), "hi")

    @WAYS
    def test_a_provider_that_is_not_there_is_a_connection_error(
        self, serve: Serve, way: str
    ) -> None:
        serve("skips where there is no wire")
        model: Any = self.model_at("http://127.0.0.1:9/x", max_retries=0)
        with pytest.raises(ModelConnectionError):
            ask(model, way, "hi")

    def test_an_unknown_parameter_is_an_error_that_names_the_nearest(self, serve: Serve) -> None:
        with pytest.raises(InputError, match="temperature"):
            serve("never").model(temperatur=1)


async def _first(model: Any, text: str) -> None:
    async with model, aclosing(model.astream(text)) as chunks:
        await anext(aiter(chunks))
