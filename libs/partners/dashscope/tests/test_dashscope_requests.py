"""Recorded conversations through the encoder, against the requests that were really sent."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from recorded import FOLDER, load_cases, neutral_message

from headrace.chat_models import Settings, Timeout, Watch
from headrace.chat_models.settings import neutral_tools
from headrace.messages import convert_to_messages
from headrace_dashscope.encode import encode, sees
from headrace_dashscope.place import MULTIMODAL

CASES = [case for case in load_cases("dashscope") if case["request"] and case["conversation"]]
pytestmark = pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")
# What is always asked for, so that answers are messages and streams come piece by piece.
OURS = frozenset({"result_format", "incremental_output"})
KEPT = frozenset({"temperature", "top_p", "top_k", "max_tokens", "presence_penalty", "seed"})


def settings_of(conversation: dict[str, Any]) -> Settings:
    params = {k: v for k, v in conversation["params"].items() if k not in OURS}
    stop = tuple(params.pop("stop", ()))
    more = {name: params.pop(name) for name in params.keys() - KEPT}
    given = {**params, "model": conversation["model"], "model_kwargs": more}
    tools = neutral_tools(conversation["tools"])
    return Settings(given, Watch(Timeout()), tools, None, None, stop)


def said(request: dict[str, Any]) -> dict[str, Any]:
    """What a request says, free of the choices of spelling that mean the same."""
    asked = request["input"]
    talk = asked.get("messages") or [{"role": "user", "content": asked["prompt"]}]
    parameters = {k: v for k, v in request["parameters"].items() if k not in OURS}
    tools = [said_tool(tool["function"]) for tool in parameters.pop("tools", ())]
    return {
        "model": request["model"], "messages": [said_message(message) for message in talk],
        "tools": tools, "parameters": parameters,
    }  # fmt: skip


def said_tool(function: dict[str, Any]) -> Any:
    """Without parameters where they are the list of qwen-agent, which is no JSON Schema."""
    known = function["parameters"]
    schema = known if isinstance(known, dict) and known["properties"] else None
    return function["name"], function["description"], schema


def said_message(message: dict[str, Any]) -> Any:
    content = message.get("content") or ""
    parts = [{"text": content}] if isinstance(content, str) else content
    calls = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls") or ()
    ]
    answered = message.get("tool_call_id") or message.get("id")
    return message["role"], [part for part in parts if part != {"text": ""}], calls, answered


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_every_recorded_conversation_encodes_to_what_was_sent(case: dict[str, Any]) -> None:
    talk = case["conversation"]
    told = case["request"]["input"].get("messages") or talk["messages"]
    messages = convert_to_messages(
        # The neutral form has lost which call a result of qwen-agent answers.
        neutral_message({**neutral, "tool_call_id": neutral.get("tool_call_id") or raw.get("id")})
        for neutral, raw in zip(talk["messages"], told, strict=True)
    )
    before = copy.deepcopy(messages)
    wants = sees(talk["model"], {})
    sent = encode(messages, settings_of(talk), stream=case["stream"], multimodal=wants)
    assert said(sent) == said(case["request"])
    assert sent["parameters"].get("incremental_output", False) is case["stream"]
    assert wants is case["path"].endswith(MULTIMODAL)
    assert messages == before
