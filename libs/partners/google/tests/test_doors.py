"""The SDK's lower door, held against the installed version; and the public one beside it."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from headrace import init_chat_model
from headrace.chat_models import Model
from headrace.errors import ConfigurationError
from headrace.messages import AIMessage
from headrace.testing.loopback import LoopbackServer
from headrace.transport import Limits, RawRequest
from headrace_google import ChatGoogleGenerativeAI, client
from headrace_google.client import GoogleSettings, make_client
from headrace_google.loopback import GenerateContentWire


def settings(url: str = "http://127.0.0.1:9") -> GoogleSettings:
    return GoogleSettings(url, "none-needed")


def asked(model: Model[AIMessage], way: str) -> AIMessage:
    """The answer to `Why?` by one of the four doors of a model."""
    if way == "invoke":
        return model.invoke("Why?")
    if way == "ainvoke":
        return asyncio.run(model.ainvoke("Why?"))
    if way == "stream":
        return sum(model.stream("Why?"))  # type: ignore[arg-type, return-value]  # sums of chunks

    async def total() -> Any:
        return sum([chunk async for chunk in model.astream("Why?")])  # type: ignore[arg-type]  # as above

    found: AIMessage = asyncio.run(total())
    return found


def test_the_installed_sdk_has_the_lower_door() -> None:
    made = make_client(settings(), False)
    api: Any = made.sdk.api
    assert made.sdk.is_lower
    assert list(inspect.signature(api._request_once).parameters) == ["http_request", "stream"]
    names = ["http_request", "stream", "implicit_retry"]
    assert list(inspect.signature(api._async_request_once).parameters) == names
    request = api._build_request("post", "models/m:generateContent", {"contents": []})
    assert request.headers["x-goog-api-key"] == "none-needed"
    assert {"timeout", "headers", "url", "data"} <= set(vars(request))
    made.close()


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
def test_without_the_lower_door_the_public_one_gives_the_same(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline = init_chat_model("offline:demo")
    with LoopbackServer(offline, GenerateContentWire()) as server:
        model = ChatGoogleGenerativeAI(
            model="gemini-2.5-flash", base_url=server.base_url, api_key="none-needed", top_k=3
        )
        lower = asked(model, way)
        model.close()
        monkeypatch.setattr(client, "_LOWER", ("_gone",))
        again = model.model_copy(update={"default_headers": {"x-other": "1"}})
        public = asked(again, way)
    assert (public.text, public.usage_metadata) == (lower.text, lower.usage_metadata)
    first, second = server.requests
    assert second == first
    assert server.received[-1].headers["x-other"] == "1"


@pytest.mark.parametrize("is_async", [False, True])
def test_the_sdk_makes_no_ssl_context_of_its_own(
    is_async: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ssl

    import httpx2

    client.warm()
    made = []
    monkeypatch.setattr(ssl, "create_default_context", lambda *_, **__: made.append(1))
    monkeypatch.setattr(httpx2, "create_ssl_context", lambda *_, **__: made.append(1))
    make_client(settings(), is_async)
    assert made == []


def test_limits_reach_the_http_client() -> None:
    made = make_client(settings(), False)
    request = made.sdk.request(RawRequest("post", "models/m:generateContent"), Limits(3, 7), {})
    assert (request.timeout.connect, request.timeout.read) == (3, 7)
    made.close()


def test_the_reads_of_its_http_client_are_patient() -> None:
    made = make_client(settings(), False)
    pool: Any = made.http._transport._pool
    assert type(pool._network_backend).__module__ == "headrace.transport.patience"
    made.close()


def test_without_the_lower_door_other_requests_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LOWER", ("_gone",))
    model = ChatGoogleGenerativeAI(
        model="gemini-2.5-flash", base_url="http://127.0.0.1:9", api_key="none-needed"
    )
    with pytest.raises(ConfigurationError, match=r"countTokens.*3\.6"):
        model.get_num_tokens("hi", exact=True)
