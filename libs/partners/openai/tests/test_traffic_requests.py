"""Recorded conversations through the encoder, against the requests that were really sent."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from recorded import FOLDER, load_cases, neutral_message

from headrace.chat_models import ResponseFormat, Settings, Timeout, Watch
from headrace.messages import convert_to_messages
from headrace_openai.dialects import COMPATIBLE, DIALECTS, Dialect
from headrace_openai.encode import encode

ROWS = {"mistral": "mistral_openai", "dashscope": "dashscope_openai", "google": "gemini_openai"}
CASES = [
    case
    for case in load_cases("openai-chat")
    if case["request"] and case["conversation"] and not case["conversation"]["unsupported"]
]
pytestmark = pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")


def settings_of(conversation: dict[str, Any]) -> Settings:
    params = dict(conversation["params"])
    choice = params.pop("tool_choice", None)
    if isinstance(choice, dict):
        choice = choice["function"]["name"]
    stop = params.pop("stop", None) or ()
    wanted = params.pop("response_format", None) or {"type": "text"}
    schema = wanted.get("json_schema")
    form = None
    if schema:
        form = ResponseFormat(schema["name"], schema["schema"], strict=schema.get("strict"))
    elif wanted["type"] == "json_object":
        form = ResponseFormat("", None, "json_mode")
    return Settings(
        {**params, "model": conversation["model"]},
        Watch(Timeout()),
        tuple(conversation["tools"] or ()),
        choice,
        form,
        (stop,) if isinstance(stop, str) else tuple(stop),
    )


def said(request: dict[str, Any]) -> dict[str, Any]:
    """What a request says, free of the choices of spelling that mean the same."""
    result: dict[str, Any] = {
        "messages": [said_message(message) for message in request["messages"]]
    }
    limit = request.get("max_completion_tokens") or request.get("max_tokens")
    stop = request.get("stop")
    result.update(
        model=request.get("model"),
        max_tokens=limit,
        stop=[stop] if isinstance(stop, str) else stop or None,
        tools=[said_tool(tool) for tool in request.get("tools") or ()],
        seed=request.get("seed", request.get("random_seed")),
        response_format=said_format(request.get("response_format")),
        stream=bool(request.get("stream")),
        **{k: request.get(k) for k in ("temperature", "top_p")},
    )
    if request.get("tools"):
        result["tool_choice"] = request.get("tool_choice")
    return result


def said_message(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content") or ""
    parts: Any = [{"type": "text", "text": content}] if isinstance(content, str) else content
    texts = "".join(part["text"] for part in parts if part["type"] == "text")
    images = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    calls = [
        (c["id"], c["function"]["name"], json.loads(c["function"]["arguments"] or "{}"))
        for c in message.get("tool_calls") or ()
    ]
    role = {"developer": "system"}.get(message["role"], message["role"])
    return {
        "role": role, "text": texts, "images": images, "calls": calls,
        "tool_call_id": message.get("tool_call_id"),
    }  # fmt: skip


def said_tool(tool: dict[str, Any]) -> Any:
    function = tool["function"]
    return function["name"], function.get("description") or "", function.get("parameters") or {}


def said_format(form: Any) -> Any:
    if not form or form["type"] == "text":
        return None
    schema = form.get("json_schema") or {}
    return form["type"], schema.get("name"), schema.get("schema")


def dialect_for(case: dict[str, Any]) -> Dialect:
    provider = case["provider"]
    return DIALECTS.get(ROWS.get(provider, provider), COMPATIBLE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_every_recorded_conversation_encodes_to_what_was_sent(case: dict[str, Any]) -> None:
    messages = convert_to_messages([neutral_message(m) for m in case["conversation"]["messages"]])
    before = copy.deepcopy(messages)
    settings = settings_of(case["conversation"])
    sent = encode(messages, settings, dialect_for(case), stream=case["stream"])
    assert said(sent) == said(case["request"])
    assert messages == before
