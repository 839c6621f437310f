"""Recorded requests, read into messages and written again, against what was really sent."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from recorded import FOLDER, load_cases

from headrace.chat_models import ResponseFormat, Settings, Timeout, Watch
from headrace.chat_models.settings import neutral_tools
from headrace.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from headrace_aws.encode import encode
from headrace_aws.families import family_of
from headrace_aws.formats import DocumentNames
from headrace_aws.loopback import ConverseWire

CASES = [case for case in load_cases("bedrock-converse") if case["request"]]
pytestmark = pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")


def messages_of(request: dict[str, Any]) -> list[BaseMessage]:
    """The conversation of a request; its blocks stay in Converse's own spelling."""
    found: list[BaseMessage] = [SystemMessage(request["system"])] if request.get("system") else []
    for turn in request["messages"]:
        rest = [part for part in turn["content"] if "toolResult" not in part]
        if turn["role"] == "assistant":
            about = {"model_provider": "bedrock_converse"}
            found.append(AIMessage(turn["content"], response_metadata=about))
            continue
        for part in turn["content"]:
            if (result := part.get("toolResult")) is not None:
                status = result.get("status", "success")
                found.append(ToolMessage(result["content"], result["toolUseId"], status=status))
        if rest:
            found.append(HumanMessage(rest))
    return found


def settings_of(case: dict[str, Any], request: dict[str, Any]) -> Settings:
    numbers = request.get("inferenceConfig") or {}
    params = {
        "model": case["conversation"]["model"],
        "max_tokens": numbers.get("maxTokens"),
        "temperature": numbers.get("temperature"),
        "top_p": numbers.get("topP"),
        "guardrail_config": request.get("guardrailConfig"),
        "additional_model_request_fields": request.get("additionalModelRequestFields"),
    }
    config = request.get("toolConfig") or {}
    choice = config.get("toolChoice")
    form = (request.get("outputConfig") or {}).get("textFormat")
    wanted = None
    if form:
        schema = form["structure"]["jsonSchema"]
        wanted = ResponseFormat(schema["name"], ConverseWire().read(asked(request)).schema)  # type: ignore[union-attr]  # the path is right
    return Settings(
        {name: value for name, value in params.items() if value is not None},
        Watch(Timeout()),
        neutral_tools(native(tool) for tool in config.get("tools") or ()),
        choice_of(choice),
        wanted,
        tuple(numbers.get("stopSequences") or ()),
    )


def choice_of(choice: dict[str, Any] | None) -> str | None:
    if not choice:
        return None
    kind = next(iter(choice))
    return str(choice["tool"]["name"]) if kind == "tool" else kind


def asked(request: dict[str, Any]) -> Any:
    from headrace.testing.loopback import Received

    return Received("POST", "/model/m/converse", {}, request)


def native(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool as a caller gives it: those of the service by their type."""
    if "systemTool" in tool:
        return {"type": "system_tool", **tool["systemTool"]}
    return {"type": "cache_point", **tool} if "cachePoint" in tool else tool


def said(request: dict[str, Any]) -> dict[str, Any]:
    """A request without what means nothing, or the same in another spelling."""
    found = {key: value for key, value in request.items() if value not in ([], {}, None)}
    names = DocumentNames()
    turns: list[dict[str, Any]] = []
    for turn in request["messages"]:
        parts = [plain(part, names) for part in turn["content"]]
        if turns and turns[-1]["role"] == turn["role"]:
            turns[-1]["content"] += parts
        else:
            turns.append({**turn, "content": parts})
    found["messages"] = turns
    form = found.pop("outputConfig", None)
    found["form"] = bool(form) and ConverseWire().read(asked(request)).schema  # type: ignore[union-attr]  # the path is right
    for tool in (found.get("toolConfig") or {}).get("tools") or ():
        schema = tool.get("toolSpec", {}).get("inputSchema", {}).get("json", {})
        schema.pop("title", None)
        if not schema.get("required"):
            schema.pop("required", None)
    found.pop("modelId", None)
    return found


def plain(part: dict[str, Any], names: DocumentNames) -> dict[str, Any]:
    part = copy.deepcopy(part)
    inner = part.get("toolResult")
    for place in inner["content"] if inner else [part]:
        if document := place.get("document"):
            document["name"] = names.give(document["name"], document["format"])
    if video := part.get("video"):
        video["format"] = video["format"].removeprefix("video/")
    if inner and not inner.get("type") and inner.get("status") == "success":
        del inner["status"]
    return part


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_every_recorded_request_is_written_as_it_was_sent(case: dict[str, Any]) -> None:
    request = copy.deepcopy(case["request"])
    messages = messages_of(request)
    before = copy.deepcopy(messages)
    family = family_of(case["conversation"]["model"])
    sent = encode(messages, settings_of(case, request), family, stream=case["stream"])
    assert said(sent) == said(case["request"])
    assert messages == before
