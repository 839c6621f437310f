"""What the tests here share: a service that is a function, and requests that are not sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx2

from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from headrace_anthropic import ChatAnthropic
from headrace_anthropic.decode import Decoder

Handler = Callable[[httpx2.Request], httpx2.Response]
HEAD = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5"}
USAGE = {"input_tokens": 3, "output_tokens": 2}
ANSWER = {
    **HEAD,
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": USAGE,
}


def events_of(
    *blocks: tuple[Mapping[str, Any], Iterable[Mapping[str, Any]]],
    stop_reason: str = "end_turn",
    **delta: Any,
) -> list[dict[str, Any]]:
    """A stream of these blocks: what each begins with, and its deltas."""
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**HEAD, "content": [], "usage": dict(USAGE)}}
    ]
    for index, (start, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
        events.append({"type": "content_block_stop", "index": index})
    end = {"stop_reason": stop_reason, "stop_sequence": None, **delta}
    events.append({"type": "message_delta", "delta": end, "usage": {"output_tokens": 7}})
    return [*events, {"type": "message_stop"}]


def text_block(*texts: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return {"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in texts]


def sse(events: Iterable[Mapping[str, Any]]) -> str:
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


def answering(request: httpx2.Request) -> httpx2.Response:
    """A service that says hi, in the form asked for."""
    if json.loads(request.content).get("stream"):
        head = {"content-type": "text/event-stream", "request-id": "req_1"}
        return httpx2.Response(200, headers=head, text=sse(events_of(text_block("h", "i"))))
    return httpx2.Response(200, json=ANSWER, headers={"request-id": "req_1"})


def model_at(handler: Handler = answering, **given: Any) -> ChatAnthropic:
    """A model whose requests a function answers."""
    transport = httpx2.MockTransport(handler)
    asked = {"model": "claude-haiku-4-5", "api_key": "sk-ant-secret", "max_tokens": 100}
    return ChatAnthropic(
        http_client=httpx2.Client(transport=transport),
        http_async_client=httpx2.AsyncClient(transport=transport),
        **{**asked, "max_retries": 0, **given},
    )


def request_of(input: Any = "hi", model: Any = None, **given: Any) -> dict[str, Any]:
    """The body that would be sent, and `betas`; nothing is sent."""
    if model is None:
        model = ChatAnthropic(**{"model": "claude-haiku-4-5", "max_tokens": 100, **given})
    looked = model.preflight(input)
    assert looked.errors == ()
    return dict(looked.request)


def adapted(input: Any = "hi", model: Any = None, **given: Any) -> dict[str, Any]:
    """{name: sent} of what a request would change."""
    if model is None:
        model = ChatAnthropic(**{"model": "claude-haiku-4-5", "max_tokens": 100, **given})
    return {record["name"]: record["sent"] for record in model.preflight(input).adapted}


def streamed(events: Iterable[Any], **given: Any) -> AIMessage:
    """The message that the events of a stream add up to."""
    decoder = Decoder(**given)
    chunks = [chunk for event in events for chunk in decoder.feed(event)]
    total = sum([*chunks, *decoder.finish(), AIMessageChunk(chunk_position="last")])
    message = message_chunk_to_message(total)  # type: ignore[arg-type]  # sum starts from 0
    assert isinstance(message, AIMessage)
    return message


def in_both(model: Any, input: Any = "hi") -> list[AIMessage]:
    """The answers by all four doors."""

    async def each() -> list[Any]:
        chunks = [chunk async for chunk in model.astream(input)]
        return [await model.ainvoke(input), sum(chunks)]

    return [model.invoke(input), sum(model.stream(input)), *asyncio.run(each())]
