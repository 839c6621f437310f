"""Counting tokens and listing models, over the real SDK."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google_server import google

from headrace.errors import ModelAuthenticationError, WireError
from headrace.messages import HumanMessage, SystemMessage
from headrace_google import ChatGoogleGenerativeAI, GoogleCredential
from headrace_google.asking import read_count, read_models

TALK = [SystemMessage("Be brief."), HumanMessage("Why?")]


def model(url: str, **params: Any) -> ChatGoogleGenerativeAI:
    given = {"model": "gemini-2.5-flash", "api_key": "none-needed", "max_retries": 0, **params}
    return ChatGoogleGenerativeAI(base_url=url, **given)


@pytest.mark.parametrize("world", ["sync", "async"])
def test_an_exact_count_asks_the_service_for_the_whole_request(world: str) -> None:
    with google({"totalTokens": 31, "promptTokensDetails": []}) as server:
        asked = model(server.url, thinking_budget=0)
        if world == "sync":
            assert asked.get_num_tokens(TALK, exact=True) == 31
        else:
            assert asyncio.run(asked.aget_num_tokens(TALK, exact=True)) == 31
    assert server.last["path"] == "/v1/models/gemini-2.5-flash:countTokens"
    assert server.body == {
        "generateContentRequest": {
            "model": "models/gemini-2.5-flash",
            "contents": [{"role": "user", "parts": [{"text": "Why?"}]}],
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
        }
    }


@pytest.mark.parametrize("world", ["sync", "async"])
def test_a_live_list_has_all_pages_of_the_models_that_make_messages(world: str) -> None:
    row = {"supportedGenerationMethods": ["generateContent", "countTokens"]}
    first = {"models": [{"name": "models/b", **row}], "nextPageToken": "x&y"}
    second = {
        "models": [
            {"name": "models/a", **row},
            {"name": "models/e", "supportedGenerationMethods": ["embedContent"]},
        ]
    }
    with google(first, second) as server:
        credential = GoogleCredential(api_key="none-needed", base_url=server.url)
        if world == "sync":
            cards = credential.list_models(live=True)
        else:
            cards = asyncio.run(credential.alist_models(live=True))
    assert [card.name for card in cards] == ["a", "b"]
    assert server.last["path"] == "/v1/models?pageSize=1000&pageToken=x%26y"


def test_a_key_that_is_refused_is_said_so_in_a_list_too() -> None:
    details = [{"@type": "…/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
    error = {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}
    with google((400, {"error": {**error, "details": details}}, {})) as server:
        credential = GoogleCredential(api_key="none-needed", base_url=server.url)
        with pytest.raises(ModelAuthenticationError, match="API key not valid"):
            credential.list_models(live=True)


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"totalTokens": "7"}'])
def test_a_count_that_is_none_is_an_error(data: bytes) -> None:
    with pytest.raises(WireError):
        read_count(data)


@pytest.mark.parametrize("data", [b"[]", b'{"models": 1}', b'{"models": [1]}'])
def test_a_list_that_is_none_is_an_error(data: bytes) -> None:
    with pytest.raises(WireError):
        read_models(data)
