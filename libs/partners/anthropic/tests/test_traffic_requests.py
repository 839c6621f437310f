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
from headrace_anthropic.encode import encode
from headrace_anthropic.parameters import read_thinking

EVERY = [case for case in load_cases("anthropic") if case["request"]]
CASES = [
    case
    for case in EVERY
    if case["conversation"]
    and not case["conversation"]["unsupported"]
    and '"url": null' not in json.dumps(case["conversation"])  # a file id, which this form lacks
]
pytestmark = pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")
KEPT = ("model", "max_tokens", "temperature", "top_p", "top_k", "output_config", "container",
        "context_management", "mcp_servers")  # fmt: skip


def settings_of(asked: dict[str, Any], tools: list[Any]) -> Settings:
    params = {name: asked[name] for name in KEPT if asked.get(name) is not None}
    if asked.get("thinking"):
        params |= read_thinking(asked["thinking"])
    choice = dict(asked.get("tool_choice") or {})
    if "disable_parallel_tool_use" in choice:
        params["parallel_tool_calls"] = not choice["disable_parallel_tool_use"]
    return Settings(
        params,
        Watch(Timeout()),
        neutral_tools(tools),
        choice.get("name") or choice.get("type"),
        None,
        tuple(asked.get("stop_sequences") or ()),
    )


def said(request: dict[str, Any]) -> dict[str, Any]:
    """What a request says, free of the choices of spelling that mean the same."""
    system = request.get("system") or ""
    result: dict[str, Any] = {
        "system": system if isinstance(system, str) else "".join(b["text"] for b in system),
        "turns": joined(request["messages"]),
        "tools": [said_tool(tool) for tool in request.get("tools") or ()],
        "stop": request.get("stop_sequences"),
        "thinking": request.get("thinking"),
        **{name: request.get(name) for name in KEPT},
    }
    if request.get("tools"):
        choice = request.get("tool_choice") or {}
        result["choice"] = choice.get("type"), choice.get("name")
    return result


def joined(turns: list[dict[str, Any]]) -> list[Any]:
    """Neighbouring turns of one role together, as the service joins them."""
    found: list[Any] = []
    for turn in turns:
        content = turn["content"]
        blocks: Any = [{"type": "text", "text": content}] if isinstance(content, str) else content
        blocks = [said_block(block) for block in blocks]
        if found and found[-1][0] == turn["role"]:
            found[-1][1].extend(blocks)
        else:
            found.append((turn["role"], blocks))
    return found


def said_block(block: dict[str, Any]) -> dict[str, Any]:
    block = {k: v for k, v in block.items() if k not in ("cache_control", "citations")}
    if block["type"] == "tool_result":
        content = block.get("content") or ""
        if isinstance(content, str):
            content = [{"type": "text", "text": content}] if content else []
        failed = bool(block.get("is_error"))
        return {
            "id": block["tool_use_id"],
            "failed": failed,
            "content": list(map(said_block, content)),
        }
    if block["type"] == "tool_use":
        return {k: block[k] for k in ("type", "id", "name", "input")}
    return block


def said_tool(tool: dict[str, Any]) -> Any:
    if "input_schema" not in tool:
        return tool
    return tool["name"], tool.get("description") or "", tool["input_schema"].get("properties", {})


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_every_recorded_conversation_encodes_to_what_was_sent(case: dict[str, Any]) -> None:
    talk = case["conversation"]
    messages = convert_to_messages([neutral_message(m, flat=False) for m in talk["messages"]])
    before = copy.deepcopy(messages)
    settings = settings_of(case["request"], talk["tools"] or [])
    sent = encode(messages, settings, stream=case["stream"])
    assert said(sent) == said(case["request"])
    assert messages == before


@pytest.mark.parametrize("case", EVERY, ids=lambda case: str(case["id"]))
def test_every_recorded_request_read_as_messages_encodes_to_itself(case: dict[str, Any]) -> None:
    request = case["request"]
    system = [{"role": "system", "content": request["system"]}] if request.get("system") else []
    messages = convert_to_messages([*system, *request["messages"]])
    settings = settings_of(request, request.get("tools") or [])
    assert said(encode(messages, settings)) == said(request)
    assert not settings.notes.records
