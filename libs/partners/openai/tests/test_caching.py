"""What `cache_prompt` and marks become at OpenAI; other services: tests/test_prompt_caching.py."""

from __future__ import annotations

from typing import Any

import pytest

from headrace import HumanMessage, SystemMessage, image
from headrace_openai import ChatOpenAI
from headrace_openai.caching import has_breakpoints

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # models that no profile knows
EXPLICIT = {"mode": "explicit"}
MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("gpt-5.6", True), ("gpt-5.6-sol", True), ("gpt-5.10", True), ("gpt-6", True),
        ("ft:gpt-5.6:org::id", True), ("openai/gpt-5.6-sol", True),
        ("gpt-5.5", False), ("gpt-5", False), ("gpt-5-mini", False), ("gpt-4.1", False),
        ("gpt-4o", False), ("gpt-35-turbo", False), ("gpt-oss-120b", False), ("o4-mini", False),
        ("my-gpt-9", False),
    ],
)  # fmt: skip
def test_breakpoints_are_known_by_the_version_in_the_name(name: str, takes: bool) -> None:
    assert has_breakpoints(name) is takes


@pytest.mark.parametrize("responses", [False, True])
def test_a_mark_becomes_a_breakpoint_and_says_so(responses: bool) -> None:
    model = ChatOpenAI(model="gpt-5.6", api_key="k", use_responses_api=responses)
    picture: Any = {**image(b"\x89PNG\r\n\x1a\n"), "extras": MARK}
    text = {"type": "text", "text": "a", "extras": MARK}
    report = model.preflight([HumanMessage([text, picture, "b"])])
    assert report.request is not None
    (turn,) = report.request["input" if responses else "messages"]
    marked = [part.get("prompt_cache_breakpoint") for part in turn["content"]]
    assert marked == [EXPLICIT, EXPLICIT, None]
    assert "cache_control" not in str(report.request)
    assert [(one["name"], one["action"]) for one in report.adapted] == [
        ("cache_control", "translated")
    ] * 2


def test_instructions_of_several_messages_end_in_one_breakpoint() -> None:
    model = ChatOpenAI(model="gpt-5.6", api_key="k", cache_prompt=True)
    report = model.preflight([SystemMessage("a"), SystemMessage("b"), HumanMessage("c")])
    assert report.request is not None
    assert [turn["content"] for turn in report.request["messages"]] == [
        "a", [{"type": "text", "text": "b", "prompt_cache_breakpoint": EXPLICIT}], "c",
    ]  # fmt: skip


def test_a_call_for_another_model_is_asked_as_that_model_is() -> None:
    model = ChatOpenAI(model="gpt-4.1", api_key="k", cache_prompt=True)
    report = model.bind(model="gpt-5.6").preflight([SystemMessage("a"), HumanMessage("b")])
    assert "prompt_cache_breakpoint" in str(report.request)
