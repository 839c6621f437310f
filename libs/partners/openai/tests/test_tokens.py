"""Counting the tokens of a request: texts, tools, pictures, and without a tokenizer."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import warnings
from base64 import b64encode
from struct import pack
from typing import Any

import httpx2
import pytest
import tiktoken
from tiktoken.registry import ENCODINGS

from headrace import tool
from headrace.errors import UnsupportedParameterError, WireError
from headrace.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage, image
from headrace_openai import ChatOpenAI, tokens
from headrace_openai.vision import image_tokens

CALL = {"type": "tool_call", "name": "look", "args": {"city": "Oslo"}, "id": "c1"}

PICTURE = image(b"\x89PNG\r\n\x1a\n" + pack(">I4sII", 13, b"IHDR", 64, 64))


@tool
def look(city: str) -> str:
    """Looks at a city."""
    return city


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real encoding in the place of o200k_base, that makes a token of each byte."""
    ranks = {bytes([number]): number for number in range(256)}
    encoding = tiktoken.Encoding(
        "o200k_base", pat_str=r"\S+|\s+", mergeable_ranks=ranks, special_tokens={}
    )
    monkeypatch.setitem(ENCODINGS, "o200k_base", encoding)


@pytest.fixture
def no_tokenizer(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.delitem(ENCODINGS, "o200k_base", raising=False)
    monkeypatch.setattr(tokens, "_told", set())


def model(name: str = "gpt-5", **given: Any) -> ChatOpenAI:
    return ChatOpenAI(model=name, api_key="k", **given)


def test_a_text_is_counted_by_the_tokenizer(letters: None) -> None:
    assert model().get_num_tokens("abcde fgh") == 9


def test_messages_count_with_roles_names_and_what_primes_the_answer(letters: None) -> None:
    messages = [SystemMessage("ab"), HumanMessage("cde", name="fg")]
    roles = len("system") + len("user")
    assert model().get_num_tokens(messages) == 3 + 2 * 3 + roles + 2 + 3 + 1 + 2


def test_calls_and_their_results_count(letters: None) -> None:
    history = [AIMessage("", tool_calls=[CALL]), ToolMessage("seen", tool_call_id="c1")]
    plain = [AIMessage(""), ToolMessage("", tool_call_id="")]
    more = model().get_num_tokens(history) - model().get_num_tokens(plain)
    assert more == 3 + len("look") + len('{"city":"Oslo"}') + len("seen") + len("c1")


def test_tools_count_as_the_cookbook_says(letters: None) -> None:
    messages = [HumanMessage("a")]
    more = model().get_num_tokens(messages, tools=[look]) - model().get_num_tokens(messages)
    assert more == 12 + 7 + len("look:Looks at a city") + 3 + 3 + len("city:string:")


def test_room_is_what_the_limit_leaves(letters: None) -> None:
    small, messages = model(profile={"max_input_tokens": 100}), [HumanMessage("a")]
    assert small.remaining_tokens(messages) == 100 - small.get_num_tokens(messages)


def test_without_a_tokenizer_it_is_approximate_and_says_so_once(no_tokenizer: None) -> None:
    with pytest.warns(UserWarning, match="`o200k_base` of tiktoken is not on this machine"):
        assert model().get_num_tokens("a" * 40) == 10
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model().get_num_tokens([HumanMessage("a" * 40)]) == 3 + 3 + 1 + 10


def test_without_tiktoken_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_told", set())
    monkeypatch.setattr(tokens, "find_spec", lambda name: None)
    with pytest.warns(UserWarning, match=r"pip install 'headrace-openai\[tiktoken\]'"):
        model().get_num_tokens("a")


def test_counting_opens_no_connection() -> None:
    code = (
        "import socket, warnings; warnings.simplefilter('ignore')\n"
        "def no(*args): raise SystemExit(9)\n"
        "socket.socket.connect = no; socket.getaddrinfo = no\n"
        "from headrace_openai import ChatOpenAI\n"
        "print(ChatOpenAI(model='gpt-5', api_key='k').get_num_tokens('hello'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0


def test_other_services_are_not_counted_by_openais_tokenizer(letters: None) -> None:
    other = ChatOpenAI(model="m", base_url="http://127.0.0.1:1/v1")
    assert other.get_num_tokens("a" * 40) == 10


def test_a_request_for_the_other_api_counts_alike(letters: None) -> None:
    history = [HumanMessage("abc"), AIMessage("", tool_calls=[CALL])]
    history += [ToolMessage("seen", tool_call_id="c1"), HumanMessage(["de", PICTURE])]
    found = {
        api: model(use_responses_api=api).get_num_tokens(history, tools=[look])
        for api in (False, True)
    }
    assert abs(found[True] - found[False]) < 40
    assert min(found.values()) > 12 + 140


# As the service counts.


def counting(requests: list[Any], answer: Any) -> dict[str, Any]:
    """HTTP clients of the SDK, for both worlds, whose requests are kept and answered."""

    def handle(request: httpx2.Request) -> httpx2.Response:
        requests.append((request.url.path, json.loads(request.content)))
        return httpx2.Response(200, json=answer)

    transport = httpx2.MockTransport(handle)
    return {
        "http_client": httpx2.Client(transport=transport),
        "http_async_client": httpx2.AsyncClient(transport=transport),
    }


COUNT = {"object": "response.input_tokens", "input_tokens": 42}


@pytest.mark.parametrize("is_async", [False, True])
def test_exact_asks_the_service_and_sends_all_that_counts(is_async: bool) -> None:
    requests: list[Any] = []
    bound = model(max_tokens=9, **counting(requests, COUNT)).bind_tools([look])
    if is_async:
        found = asyncio.run(bound.aget_num_tokens([HumanMessage("hi")], exact=True))
    else:
        found = bound.get_num_tokens([HumanMessage("hi")], exact=True)
    [(path, body)] = requests
    assert (found, path) == (42, "/v1/responses/input_tokens")
    assert body.keys() == {"model", "input", "tools"}
    assert body["tools"][0]["name"] == "look"


def test_an_answer_that_is_no_count_is_an_error() -> None:
    with pytest.raises(WireError, match="a count of input tokens was expected"):
        model(**counting([], {"tokens": 3})).get_num_tokens("hi", exact=True)


def test_exact_at_a_service_without_the_endpoint_is_an_error() -> None:
    other = ChatOpenAI(model="m", base_url="http://127.0.0.1:1/v1")
    with pytest.raises(UnsupportedParameterError, match="`exact=True`"):
        other.get_num_tokens("hi", exact=True)


# Pictures.


def part(width: int, height: int, detail: str | None = None) -> dict[str, Any]:
    data = b"\x89PNG\r\n\x1a\n" + pack(">I4sII", 13, b"IHDR", width, height)
    value = {"url": f"data:image/png;base64,{b64encode(data).decode()}"}
    return {"type": "image_url", "image_url": value | ({"detail": detail} if detail else {})}


@pytest.mark.parametrize(
    ("name", "size", "detail", "expected"),
    [
        # The documentation's own examples.
        ("gpt-4o", (1024, 1024), "high", 765),
        ("gpt-4o", (2048, 4096), "high", 1105),
        ("gpt-4o", (4096, 8192), "low", 85),
        ("gpt-4.1-mini", (1024, 1024), None, 1659),
        ("gpt-4.1-mini", (1800, 2400), None, 2353),
        # Small pictures are not enlarged; dated names are of their model.
        ("gpt-4o-2024-08-06", (512, 512), None, 255),
        ("gpt-4o-mini", (512, 512), None, 8500),
        ("gpt-5", (512, 512), None, 210),
        ("o3", (512, 512), None, 225),
        # Figures that users measured at the API: 432 patches with and without factor.
        ("gpt-5-nano", (768, 576), "low", 648),
        ("gpt-5.4-mini-2026-03-17", (768, 576), None, 519),
    ],
)
def test_pictures_take_what_the_rule_of_their_model_says(
    name: str, size: tuple[int, int], detail: Any, expected: int
) -> None:
    assert image_tokens(part(*size, detail), name) == expected


def test_a_picture_by_url_is_taken_for_one_of_usual_size() -> None:
    by_url = {"type": "image_url", "image_url": {"url": "https://h/a.png"}}
    assert image_tokens(by_url, "gpt-4o") == 765
    broken = {"type": "image_url", "image_url": {"url": "data:image/png;base64,@@@"}}
    assert image_tokens(broken, "gpt-4o") == 765


def test_no_picture_takes_more_patches_than_there_may_be() -> None:
    for width in range(900, 3000, 37):
        for height in (900, 1111, 2222, 5000):
            assert image_tokens(part(width, height), "o4-mini") <= 1536 * 1.72 + 1
