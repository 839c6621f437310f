"""Recorded conversations through the Responses encoder, against what was really sent."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from recorded import FOLDER, load_cases, neutral_message

from headrace.chat_models import ResponseFormat, Settings, Timeout, Watch
from headrace.messages import convert_to_messages
from headrace_openai.responses import encode

CASES = [
    case
    for case in load_cases("openai-responses")
    if case["request"] and case["conversation"] and not case["conversation"]["unsupported"]
]
pytestmark = pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")


def settings_of(conversation: dict[str, Any], wanted: dict[str, Any]) -> Settings:
    """`wanted`: the form of the answer, which the neutral form does not hold."""
    params = dict(conversation["params"])
    choice = params.pop("tool_choice", None)
    form = None
    if wanted.get("type") == "json_schema":
        form = ResponseFormat(wanted["name"], wanted["schema"], strict=wanted.get("strict"))
    elif wanted.get("type") == "json_object":
        form = ResponseFormat("", None, "json_mode")
    return Settings(
        {**params, "model": conversation["model"]},
        Watch(Timeout()),
        tuple(conversation["tools"] or ()),
        choice.get("name") if isinstance(choice, dict) else choice,
        form,
    )


def said(request: dict[str, Any]) -> dict[str, Any]:
    """What a request says, free of the choices of spelling that mean the same."""
    items = request["input"]
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    found = [one for item in items if (one := said_item(item)) is not None]
    if request.get("instructions"):
        found.insert(0, ("system", request["instructions"]))
    tools = [
        (tool["type"], tool.get("name"), tool.get("parameters") or {})
        for tool in request.get("tools") or ()
    ]
    form = (request.get("text") or {}).get("format") or {"type": "text"}
    return {
        "items": found, "tools": tools, "model": request.get("model"),
        "max": request.get("max_output_tokens"), "format": form["type"],
        "schema": form.get("schema"), "stream": bool(request.get("stream")),
        **{key: request.get(key) for key in ("temperature", "top_p")},
    }  # fmt: skip


def said_item(item: dict[str, Any]) -> Any:
    match item.get("type", "message"):
        case "function_call":
            return "call", item["call_id"], item["name"], json.loads(item["arguments"] or "{}")
        case "function_call_output":
            return "output", item["call_id"], text_of(item["output"])
        case "reasoning":
            return None  # the neutral form leaves it out
    role = {"developer": "system"}.get(item["role"], item["role"])
    text = text_of(item["content"])
    return (role, text) if text else None


def text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(p.get("text") or p.get("image_url") or p.get("file_url") or "" for p in content)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_every_recorded_conversation_encodes_to_what_was_sent(case: dict[str, Any]) -> None:
    messages = convert_to_messages([neutral_message(m) for m in case["conversation"]["messages"]])
    before = copy.deepcopy(messages)
    wanted = (case["request"].get("text") or {}).get("format") or {}
    sent = encode(messages, settings_of(case["conversation"], wanted), stream=case["stream"])
    assert said(sent) == said(case["request"])
    assert messages == before
