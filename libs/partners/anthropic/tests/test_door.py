"""The SDK's lower door: what really goes out through the installed version, and what comes in."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from typing import Any

import httpx2
import pytest
from claude_service import ANSWER, answering, events_of, in_both, model_at, sse, text_block

from headrace.errors import (
    ContextOverflowError,
    HeadraceError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    WireError,
)

KEY = "sk-ant-secret"


def seen(**given: Any) -> list[httpx2.Request]:
    """The requests of all four doors."""
    requests: list[httpx2.Request] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return answering(request)

    in_both(model_at(handler, **given))
    return requests


def test_requests_have_the_sdks_path_version_and_key_in_every_door() -> None:
    for request in seen():
        assert request.url == "https://api.anthropic.com/v1/messages"
        assert request.headers["anthropic-version"] == "2026-10-21"
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert "anthropic-beta" not in request.headers
        assert json.loads(request.content)["model"] == "claude-haiku-4-5"


def test_sampling_parameters_ask_for_the_version_that_has_them() -> None:
    for request in seen(temperature=0.5, top_k=3):
        assert request.headers["anthropic-version"] == "2023-06-01"
        assert json.loads(request.content)["temperature"] == 0.5


def test_betas_go_into_their_header_and_not_into_the_body() -> None:
    for request in seen(betas=["a-1", "b-2"], context_management={"edits": []}):
        assert request.headers["anthropic-beta"] == "a-1,b-2,context-management-2025-06-27"
        assert "betas" not in json.loads(request.content)


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_key_that_is_a_function_is_asked_for_each_request(kind: str) -> None:
    keys = iter(f"key-number-{n}" for n in range(9))

    async def waits() -> str:
        return next(keys)

    requests: list[Any] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        requests.append(request.headers["authorization"])
        return answering(request)

    model = model_at(handler, api_key=waits if kind == "async" else lambda: next(keys))

    async def twice() -> None:
        await model.ainvoke("a")
        await model.ainvoke("b")

    asyncio.run(twice())
    if kind == "plain":
        model.invoke("c")
    assert requests == [f"Bearer key-number-{n}" for n in range(len(requests))]


def test_all_doors_give_the_same_answer_with_its_facts() -> None:
    for message in in_both(model_at()):
        assert message.text == "hi"
        assert message.id == "msg_1"
        meta = message.response_metadata
        assert meta["model_provider"] == "anthropic"
        assert meta["model_name"] == "claude-haiku-4-5"
        assert (meta["finish_reason"], meta["finish_reason_raw"]) == ("stop", "end_turn")
        assert meta["request_id"] == "req_1"
        assert message.usage_metadata is not None
        assert message.usage_metadata["input_tokens"] == 3


STATUSES = [
    (400, "invalid_request_error", "max_tokens: wrong", ModelInvalidRequestError, False),
    (400, "invalid_request_error", "prompt is too long: 9 > 8", ContextOverflowError, False),
    (401, "authentication_error", "invalid x-api-key", ModelAuthenticationError, False),
    (402, "billing_error", "no money", ModelPermissionDeniedError, False),
    (403, "permission_error", "not yours", ModelPermissionDeniedError, False),
    (404, "not_found_error", "model: x", ModelNotFoundError, False),
    (413, "request_too_large", "too large", ModelInvalidRequestError, False),
    (429, "rate_limit_error", "slower", ModelRateLimitError, True),
    (500, "api_error", "internal", ModelAPIError, True),
    (529, "overloaded_error", "Overloaded", ModelAPIError, True),
]


@pytest.mark.parametrize(("status", "kind", "told", "error", "again"), STATUSES)
def test_each_status_has_its_error(
    status: int, kind: str, told: str, error: type[ModelError], again: bool
) -> None:
    body = {"type": "error", "error": {"type": kind, "message": told}}
    head = {"request-id": "req_9", "retry-after": "7"}
    refusing = model_at(lambda request: httpx2.Response(status, json=body, headers=head))
    with pytest.raises(error, match=told.split(":")[0]) as caught:
        refusing.invoke("hi")
    found = caught.value
    assert (found.status, found.code, found.request_id) == (status, kind, "req_9")
    assert (found.retry_after, found.is_retryable) == (7, again)


@pytest.mark.parametrize(
    ("kind", "error"),
    [("overloaded_error", ModelAPIError), ("rate_limit_error", ModelRateLimitError)],
)
def test_an_error_event_in_a_stream_is_a_typed_error(kind: str, error: type[ModelError]) -> None:
    event = {"type": "error", "error": {"type": kind, "message": "busy"}, "request_id": "req_7"}
    head = {"content-type": "text/event-stream"}
    broken = model_at(lambda _: httpx2.Response(200, headers=head, text=sse([event])))
    with pytest.raises(error, match="busy") as caught:
        list(broken.stream("hi"))
    assert caught.value.is_retryable
    assert caught.value.request_id == "req_7"


def test_an_error_after_text_comes_after_the_text() -> None:
    events = events_of(text_block("so"))[:3]
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    head = {"content-type": "text/event-stream"}
    broken = model_at(lambda _: httpx2.Response(200, headers=head, text=sse([*events, error])))
    chunks = iter(broken.stream("hi"))
    assert next(chunk for chunk in chunks if chunk.text).text == "so"
    with pytest.raises(ModelAPIError, match="busy"):
        next(chunks)


@pytest.mark.parametrize(
    ("body", "error"),
    [("<html>", WireError), ("{}", WireError), ('{"content": [{"type": 1}]}', WireError)],
)
def test_what_is_no_message_is_a_wire_error(body: str, error: type[HeadraceError]) -> None:
    head = {"content-type": "application/json"}
    with pytest.raises(error):
        model_at(lambda _: httpx2.Response(200, headers=head, text=body)).invoke("hi")


def test_no_connection_is_an_error_that_may_be_tried_again() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    with pytest.raises(ModelConnectionError, match=r"api\.anthropic\.com") as caught:
        model_at(refuse).invoke("hi")
    assert caught.value.is_retryable


def test_the_sdk_tries_nothing_again_by_itself() -> None:
    calls: list[int] = []

    def busy(request: httpx2.Request) -> httpx2.Response:
        calls.append(1)
        return httpx2.Response(529, json={"type": "error", "error": {"type": "overloaded_error"}})

    with pytest.raises(ModelAPIError):
        model_at(busy).invoke("hi")
    assert len(calls) == 1


def test_a_long_answer_is_streamed_inside_an_invoke() -> None:
    asked: list[bool] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(bool(json.loads(request.content).get("stream")))
        return answering(request)

    short = model_at(handler, max_tokens=21_333).invoke("hi")
    long = model_at(handler, max_tokens=21_334).invoke("hi")
    assert asked == [False, True]
    assert (short.text, long.text) == ("hi", "hi")
    assert type(long) is type(short)


def test_the_key_is_in_no_repr_error_pickle_or_dump() -> None:
    body = {"type": "error", "error": {"type": "x", "message": f"bad key {KEY}"}}
    model = model_at(lambda _: httpx2.Response(401, json=body))
    with pytest.raises(ModelAuthenticationError) as caught:
        model.invoke("hi")
    bare = model.model_copy(update={"http_client": None, "http_async_client": None})
    texts = [str(caught.value), repr(caught.value), repr(model), repr(model._exchange())]
    texts += [str(bare.model_dump()), bare.model_dump_json(), repr(bare._client_settings())]
    texts += [repr(pickle.dumps(bare)), repr(copy.deepcopy(bare))]
    assert not [text for text in texts if KEY in text]


def test_a_whole_answer_to_a_stream_is_read_as_one() -> None:
    model = model_at(lambda _: httpx2.Response(200, json=ANSWER))
    total = sum(model.stream("hi"))
    assert total.text == "hi"  # type: ignore[attr-defined]  # sum starts from 0
