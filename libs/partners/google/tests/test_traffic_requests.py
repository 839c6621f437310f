"""Recorded conversations through the encoder, against the requests that were really sent."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from recorded import FOLDER, load_cases, neutral_message

from headrace.chat_models import ResponseFormat, Settings, Timeout, Watch
from headrace.messages import convert_to_messages
from headrace_google.encode import encode
from headrace_google.tooling import camel

# What the corpus' neutral form leaves out, and what is therefore not compared.
LEFT_OUT = {"thoughtSignature in history"}
CASES = [
    case
    for case in load_cases("google")
    if case["request"] and case["conversation"]
    and set(case["conversation"]["unsupported"]) <= LEFT_OUT
    and "response_schema" not in case["request"].get("generationConfig", {})  # left out as well
]  # fmt: skip
pytestmark = pytest.mark.skipif(not CASES, reason=f"no recorded traffic in {FOLDER}")


def settings_of(conversation: dict[str, Any]) -> Settings:
    params = dict(conversation["params"])
    choice = params.pop("tool_choice", None)
    if isinstance(choice, dict):
        calling = choice["functionCallingConfig"]
        forced = tuple(calling.get("allowedFunctionNames", ())) or "any"
        choice = forced if calling["mode"] == "ANY" else None
    schema = params.pop("response_json_schema", None) or params.pop("response_schema", None)
    wanted = None
    if params.pop("response_mime", None) == "application/json":
        wanted = ResponseFormat("out", schema, "json_schema" if schema else "json_mode")
    stop = params.pop("stop", None) or ()
    if "modalities" in params:
        params["response_modalities"] = params.pop("modalities")
    given = {**params, "model": conversation["model"]}
    tools = tuple(conversation["tools"] or ())
    return Settings(given, Watch(Timeout()), tools, choice, wanted, tuple(stop))


def said(request: dict[str, Any]) -> dict[str, Any]:
    """What a request says, free of the choices of spelling that mean the same."""
    request = camel(request)
    config = request.get("generationConfig") or {}
    calling = (request.get("toolConfig") or {}).get("functionCallingConfig") or {}
    functions = [
        tool for one in request.get("tools") or () for tool in one.get("functionDeclarations", ())
    ]
    system = request.get("systemInstruction") or {}
    return {
        "contents": [
            (content["role"], joined([said_part(part) for part in content["parts"]]))
            for content in request["contents"]
        ],
        "system": [part["text"] for part in system.get("parts", ())],
        "tools": [(tool["name"], tool.get("description") or "") for tool in functions],
        "fields": [sorted(fields_of(tool)) for tool in functions],
        "mode": calling.get("mode") if calling.get("mode") in ("ANY", "NONE") else None,
        "allowed": calling.get("allowedFunctionNames"),
        **{k: config.get(k) for k in ("temperature", "topP", "maxOutputTokens", "seed", "topK")},
        "mime": config.get("responseMimeType"),
        "schema": config.get("responseJsonSchema", config.get("responseSchema")),
        "modalities": config.get("responseModalities"),
    }  # fmt: skip


def fields_of(tool: dict[str, Any]) -> list[str]:
    schema = tool.get("parametersJsonSchema") or tool.get("parameters") or {}
    return list(schema.get("properties") or ())


def said_part(part: dict[str, Any]) -> Any:
    if "functionCall" in part:
        call = part["functionCall"]
        return call["name"], call.get("args"), call.get("id")
    if "functionResponse" in part:
        answer = part["functionResponse"]
        response = answer["response"]
        if set(response) == {"output"} and isinstance(response["output"], str):
            response = json.loads(response["output"])  # the neutral form keeps it as text
        return answer["name"], answer.get("id"), camel(response)
    if "inlineData" in part:
        data = part["inlineData"]
        return data["mimeType"], data["data"].replace("-", "+").replace("_", "/")
    return part.get("text", part)


def joined(parts: list[Any]) -> list[Any]:
    """Texts that follow each other as one."""
    found: list[Any] = []
    for part in parts:
        if found and isinstance(part, str) and isinstance(found[-1], str):
            found[-1] += part
        else:
            found.append(part)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_every_recorded_conversation_encodes_to_what_was_sent(case: dict[str, Any]) -> None:
    messages = convert_to_messages([neutral_message(m) for m in case["conversation"]["messages"]])
    before = copy.deepcopy(messages)
    vertex = "vertex" in case["provider"]
    provider = "google_vertexai" if vertex else "google_genai"
    sent = encode(messages, settings_of(case["conversation"]), provider, stream=case["stream"])
    assert said(sent) == said(case["request"])
    assert bool(sent.get("stream")) == case["stream"]
    assert messages == before
