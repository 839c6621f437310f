"""Recorded conversations through the encoder, against the requests that were really sent."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from recorded import FOLDER, load_cases

from headrace.chat_models import Settings, Timeout, Watch
from headrace.chat_models.settings import neutral_choice, neutral_tools
from headrace.messages import convert_to_messages
from headrace_huggingface.dialect import encode

SERVED_BY = ("huggingface", "cerebras", "groq", "together")
EVERY = [c for c in load_cases("openai-chat") if c["provider"] in SERVED_BY and c["request"]]
CASES = [
    case
    for case in EVERY
    if case["conversation"]
    and not case["conversation"]["unsupported"]
    and '"detail"' not in json.dumps(case["request"])  # of an image, which this form lacks
]
pytestmark = pytest.mark.skipif(not EVERY, reason=f"no recorded traffic in {FOLDER}")
SETTINGS = {"messages", "tools", "tool_choice", "stop", "stream", "stream_options"}
PARAMETERS = {
    "model", "max_tokens", "temperature", "top_p", "top_k", "min_p", "repetition_penalty",
    "presence_penalty", "frequency_penalty", "n", "logprobs", "logit_bias", "reasoning_effort",
}  # fmt: skip


def settings_of(asked: dict[str, Any], tools: list[Any]) -> Settings:
    given = {name: value for name, value in asked.items() if value is not None}
    params = {name: given[name] for name in given if name in PARAMETERS}
    rest = {name: given[name] for name in given if name not in PARAMETERS | SETTINGS}
    stop = given.get("stop") or ()
    return Settings(
        {**params, "stream_usage": False, **({"extra_body": rest} if rest else {})},
        Watch(Timeout()),
        neutral_tools(tools),
        neutral_choice(given.get("tool_choice")) if tools else None,
        None,
        (stop,) if isinstance(stop, str) else tuple(stop),
    )


def said(request: dict[str, Any]) -> dict[str, Any]:
    """What a request says, free of the choices of spelling that mean the same."""
    kept = {k: v for k, v in request.items() if v is not None and k not in SETTINGS}
    choice = request.get("tool_choice")
    return {
        **kept,
        "messages": [said_message(message) for message in request["messages"]],
        "tools": [said_tool(tool) for tool in request.get("tools") or ()],
        "choice": "auto" if choice is None else neutral_choice(choice),
        "stop": request.get("stop") or [],
        "stream": bool(request.get("stream")),
    }


def said_message(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content") or ""
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    calls = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"] or "{}"))
        for call in message.get("tool_calls") or ()
    ]
    return {
        "role": message["role"],
        "content": [part for part in parts if part.get("text") != ""],
        "calls": calls,
        "answers": message.get("tool_call_id"),
    }


def said_tool(tool: dict[str, Any]) -> Any:
    function = tool["function"]
    parameters = function.get("parameters") or {}
    return function["name"], function.get("description") or "", parameters.get("properties") or {}


def neutral_message(message: dict[str, Any]) -> dict[str, Any]:
    """A message of the corpus' neutral form in one that `convert_to_messages` reads."""
    made = {"role": message["role"], "content": [neutral_part(p) for p in message["content"]]}
    return {**made, **{k: message[k] for k in ("tool_calls", "tool_call_id") if message.get(k)}}


def neutral_part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] != "image":
        return part
    if "url" in part:
        return {"type": "image", "url": part["url"]}
    return {"type": "image", "base64": part["b64"], "mime_type": part["mime"]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_every_recorded_conversation_encodes_to_what_was_sent(case: dict[str, Any]) -> None:
    talk = case["conversation"]
    messages = convert_to_messages([neutral_message(m) for m in talk["messages"]])
    before = copy.deepcopy(messages)
    settings = settings_of(case["request"], talk["tools"] or [])
    sent = encode(messages, settings, stream=case["stream"])
    assert said(sent) == said({**case["request"], "stream": case["stream"]})
    assert messages == before


@pytest.mark.parametrize("case", EVERY, ids=lambda case: str(case["id"]))
def test_every_recorded_request_read_as_messages_encodes_to_itself(case: dict[str, Any]) -> None:
    request = case["request"]
    messages = convert_to_messages(request["messages"])
    settings = settings_of(request, request.get("tools") or [])
    assert said(encode(messages, settings, stream=bool(request.get("stream")))) == said(request)
