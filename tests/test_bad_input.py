"""Bad input and bad providers: each a typed error that says where and what to do; no hang."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from headrace import RunnableLambda, StrOutputParser
from headrace.errors import (
    InputError,
    ModelAPIError,
    ModelRateLimitError,
    ModelTimeoutError,
    StepError,
    StreamInterruptedError,
    SuspendedError,
    WireError,
)
from headrace_openai import ChatOpenAI


class Doors:
    def __init__(self, is_async: bool) -> None:
        self.is_async = is_async

    def invoke(self, step: Any, input: Any) -> Any:
        return asyncio.run(self._ainvoke(step, input)) if self.is_async else step.invoke(input)

    def stream(self, step: Any, input: Any) -> list[Any]:
        return asyncio.run(self._all(step, input)) if self.is_async else list(step.stream(input))

    def batch(self, step: Any, inputs: Any) -> Any:
        return asyncio.run(step.abatch(inputs)) if self.is_async else step.batch(inputs)

    async def _ainvoke(self, step: Any, input: Any) -> Any:
        return await step.ainvoke(input)

    async def _all(self, step: Any, input: Any) -> list[Any]:
        return [chunk async for chunk in step.astream(input)]


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def doors(request: pytest.FixtureRequest) -> Doors:
    return Doors(request.param)


def sse(*lines: str, ends: bool = True) -> Any:
    def answer(handler: Any) -> None:
        handler.head(200, "text/event-stream", transfer_encoding="chunked")
        for line in lines:
            handler.piece(line.encode() + b"\n\n")
        if ends:
            handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = True

    return answer


def whole(status: int, text: str, kind: str = "application/json", **headers: str) -> Any:
    return lambda handler: handler.whole(status, text, kind, **headers)


def hanging(handler: Any) -> None:
    time.sleep(1.5)
    handler.close_connection = True


def delta(text: str) -> str:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return "data: " + json.dumps({"id": "c", "model": "m", "choices": [choice]})


HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
BUSY = json.dumps({"error": {"message": "slow down", "type": "rate_limit", "code": "rate_limit"}})
IN_STREAM = 'data: {"error": {"message": "the engine is overloaded", "code": "overloaded"}}'

# name: (answer, how it is called, error, what the message says)
BAD_PROVIDERS: dict[str, tuple[Any, str, type[Exception], str]] = {
    "a chunk that is not JSON": (sse(delta("a"), "data: {nope"), "stream", WireError, "JSON"),
    "a stream cut in the middle": (
        sse(delta("half"), ends=False), "stream", StreamInterruptedError, "",
    ),
    "a stream that ends without its end": (
        sse(delta("half")), "stream", StreamInterruptedError, "",
    ),
    "an error inside a stream": (sse(delta("a"), IN_STREAM), "stream", ModelAPIError, "overloaded"),
    "an HTML page for a stream": (whole(200, HTML, "text/html"), "stream", WireError, "text/html"),
    "an HTML page for an answer": (whole(200, HTML, "text/html"), "invoke", WireError, "<html>"),
    "an HTML error page": (whole(502, HTML, "text/html"), "invoke", ModelAPIError, "502"),
    "an answer that is not JSON": (whole(200, "{nope"), "invoke", WireError, "JSON"),
    "an answer without choices": (whole(200, "{}"), "invoke", WireError, "no chat compl"),
    "a 429 with Retry-After": (
        whole(429, BUSY, retry_after="7"), "invoke", ModelRateLimitError, "slow down",
    ),
    "a server that never answers": (hanging, "invoke", ModelTimeoutError, "timeout"),
    "a server that never streams": (hanging, "stream", ModelTimeoutError, "timeout"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_PROVIDERS)
def test_a_bad_provider_is_a_typed_error_that_names_the_step(
    name: str, doors: Doors, serve: Any
) -> None:
    answer, door, error, says = BAD_PROVIDERS[name]
    patience = 0.3 if answer is hanging else 20
    model = ChatOpenAI(
        model="m", api_key="k", base_url=serve(answer).url, timeout=patience, max_retries=0
    )
    chain = RunnableLambda(lambda x: x) | model | StrOutputParser()
    with pytest.raises(error) as found:
        getattr(doors, door)(chain, "hi")
    assert found.value.step == "1:ChatOpenAI"
    assert says.lower() in str(found.value).lower()
    model.close()


def test_retry_after_is_in_seconds_on_the_error(doors: Doors, serve: Any) -> None:
    wire = serve(whole(429, BUSY, retry_after="7"))
    model = ChatOpenAI(model="m", api_key="k", base_url=wire.url, max_retries=0)
    with pytest.raises(ModelRateLimitError) as found:
        doors.invoke(model, "hi")
    assert (found.value.retry_after, found.value.status) == (7, 429)
    assert found.value.is_retryable


def test_after_a_429_the_request_is_made_again_once(doors: Doors, serve: Any) -> None:
    good = {"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop", "index": 0}
    answer = whole(200, json.dumps({"id": "c", "model": "m", "choices": [good]}))
    wire = serve(whole(429, BUSY, retry_after="0"), answer)
    model = ChatOpenAI(model="m", api_key="k", base_url=wire.url)
    assert doors.invoke(model, "hi").text == "yes"
    assert len(wire.requests) == 2


def test_an_interrupted_stream_keeps_the_text_so_far(doors: Doors, serve: Any) -> None:
    wire = serve(sse(delta("half "), delta("an answer")))
    model = ChatOpenAI(model="m", api_key="k", base_url=wire.url, max_retries=0)
    with pytest.raises(StreamInterruptedError) as found:
        doors.stream(model, "hi")
    assert found.value.partial.text == "half an answer"


async def awaits(x: Any) -> Any:
    await asyncio.sleep(0)
    return x


def stops(x: Any) -> Any:
    raise StopIteration(x)


BAD_STEPS: dict[str, tuple[Any, Any, type[Exception], str, str]] = {
    "an unknown role": (
        lambda: RunnableLambda(lambda x: x) | ChatOpenAI(model="m", api_key="k"),
        [("narrator", "hi")], InputError, "1:ChatOpenAI", "narrator",
    ),
    "StopIteration from a function": (
        lambda: RunnableLambda(lambda x: x) | stops, 1, StepError, "1:stops", "StopIteration",
    ),
    "a dict for a parser of text": (
        lambda: RunnableLambda(lambda x: {"a": x}) | StrOutputParser(), 1,
        InputError, "1:StrOutputParser", "not {'a': 1}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_STEPS)
def test_bad_input_of_a_step_is_a_typed_error_that_names_it(name: str, doors: Doors) -> None:
    make, given, error, step, says = BAD_STEPS[name]
    with pytest.raises(error) as found:
        doors.invoke(make(), given)
    assert found.value.step == step
    assert says in str(found.value)


def test_a_coroutine_that_waits_in_a_sync_run_says_use_ainvoke() -> None:
    with pytest.raises(SuspendedError, match="`ainvoke`") as found:
        (RunnableLambda(lambda x: x) | awaits).invoke(1)
    assert found.value.step == "1:awaits"


def test_an_empty_batch_is_an_empty_list_without_a_request(doors: Doors) -> None:
    assert doors.batch(ChatOpenAI(model="m", api_key="k"), []) == []


def test_what_is_no_step_is_refused_when_the_pipe_is_made() -> None:
    with pytest.raises(InputError, match="not int 3"):
        RunnableLambda(lambda x: x) | 3  # type: ignore[operator]  # that is the point
