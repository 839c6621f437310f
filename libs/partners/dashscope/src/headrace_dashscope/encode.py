"""Messages and settings as a request to DashScope. Pure: no SDK, no I/O.

Source: https://help.aliyun.com/en/model-studio/qwen-api-via-dashscope (read 2026-11)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from headrace.chat_models.prompt_caching import MARK, SWITCH, mark_value, put_marks
from headrace.chat_models.settings import tool_name
from headrace.transport import names_of
from headrace_dashscope.history import History
from headrace_dashscope.parameters import SAME, spell_thinking

if TYPE_CHECKING:
    from headrace.chat_models import Notes, ResponseFormat, Settings
    from headrace.messages import BaseMessage

# Models whose names tell that they see or hear, for where no profile does.
_SEES = re.compile(r"(^|[-/.\d])(vl|qvq|omni|audio|ocr|asr|captioner)(?=[-\d.]|$)")
_SIGHTS = ("image_inputs", "video_inputs", "audio_inputs", "audio_outputs", "image_outputs")


def encode(
    messages: Sequence[BaseMessage],
    settings: Settings,
    *,
    stream: bool = False,
    multimodal: bool = False,
) -> dict[str, Any]:
    """The body of a request; the messages are not changed.

    `multimodal`: as that endpoint wants it, all content in lists of parts. `model_kwargs` go to
    the parameters, `extra_body` goes beside them. Raises UnsupportedContentError for blocks with
    no place.
    """
    params, names = settings.params, names_of(settings)
    wire = History(names, settings.notes).write(messages)
    sent: dict[str, Any] = {"result_format": "message"}
    for name in SAME:
        if params.get(name) is not None:
            sent[name] = params[name]
    if "top_logprobs" in sent:
        sent.setdefault("logprobs", True)
    if params.get("reasoning_effort") is not None:
        sent.update(spell_thinking(params["reasoning_effort"]))
    if settings.stop:
        sent["stop"] = list(settings.stop)
    sent.update(_tools(settings))
    if settings.response_format is not None:
        sent["response_format"] = _response_format(settings.response_format)
    if params.get(SWITCH):
        _cache(wire, params[SWITCH], settings.notes)
    sent.update(params.get("model_kwargs") or {})
    body: dict[str, Any] = {"model": params["model"]} if params.get("model") else {}
    body.update(input={"messages": wire}, parameters=sent)
    for name, value in (params.get("extra_body") or {}).items():
        inner = body.get(name)
        if isinstance(inner, dict) and isinstance(value, Mapping):
            inner.update(value)
        else:
            body[name] = value
    spelled = _in_parts if multimodal or is_multimodal(body) else _with_types
    body["input"]["messages"] = [spelled(message) for message in body["input"]["messages"]]
    if stream:
        _stream(body["parameters"], settings.notes)
    return body


def _cache(wire: Sequence[dict[str, Any]], asked: bool | str, notes: Notes) -> None:
    """Marks the end of the instructions, and of what the user or a tool said last.

    Source: https://help.aliyun.com/en/model-studio/context-cache (read 2026-11)
    """
    told = list(takewhile(lambda message: message["role"] == "system", wire))
    said = [message for message in wire if message["role"] in ("user", "tool")]
    contents = [m["content"] for m in wire if isinstance(m["content"], list)]
    taken = sum(MARK in part for content in contents for part in content)
    places: list[dict[str, Any]] = []
    for message in (*told[-1:], *said[-1:]):
        if isinstance(message["content"], str) and message["content"]:
            message["content"] = [{"text": message["content"]}]
        if isinstance(message["content"], list):
            places += message["content"][-1:]
    put_marks(places, taken, (MARK, mark_value(asked)), asked, notes)


def sees(model: str, facts: Mapping[str, Any]) -> bool:
    """Whether a model is one of those that the multimodal endpoint serves."""
    known = [facts[name] for name in _SIGHTS if facts.get(name) is not None]
    return any(known) if known else _SEES.search(model.lower()) is not None


def is_multimodal(body: Mapping[str, Any]) -> bool:
    """Whether there is more than text in a request, which the endpoint of texts cannot read."""
    return any(
        "text" not in part
        for message in body["input"].get("messages") or ()
        if isinstance(message.get("content"), list)
        for part in message["content"]
    )


def _in_parts(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content") or ""
    return {**message, "content": [{"text": content}] if isinstance(content, str) else content}


def _with_types(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message whose texts have marks, as the endpoint of texts spells its parts.

    Source: github.com/dashscope/dashscope-sdk-java, GenerationCallWithCacheControl (read 2026-11)
    """
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    return {**message, "content": [{"type": "text", **part} for part in content]}


def _stream(parameters: dict[str, Any], notes: Notes) -> None:
    if parameters.get("incremental_output") is False:
        reason = "streams are read piece by piece"
        notes.record("incremental_output", False, True, "translated", reason)
    parameters["incremental_output"] = True


def _tools(settings: Settings) -> dict[str, Any]:
    if not settings.tools:
        return {}
    names, tools = names_of(settings), settings.tools
    choice, notes = settings.tool_choice, settings.notes
    if isinstance(choice, tuple):
        tools = tuple(tool for tool in tools if tool_name(tool) in choice)
        reason = "DashScope names no subset; the other tools are left out"
        notes.record("tool_choice", choice, "any", "translated", reason)
        choice = "any"
    if choice == "any":
        choice = _forced(tools, notes)
    wire: dict[str, Any] = {"tools": [_tool(tool, settings) for tool in tools]}
    if choice in ("auto", "none"):
        wire["tool_choice"] = choice
    elif choice is not None:
        wire["tool_choice"] = {"type": "function", "function": {"name": names.out(choice)}}
    if settings.params.get("parallel_tool_calls") is not None:
        wire["parallel_tool_calls"] = settings.params["parallel_tool_calls"]
    return wire


def _forced(tools: Sequence[Mapping[str, Any]], notes: Notes) -> str | None:
    """What stands in for "any", which the API has not: the only tool, or the model's choice."""
    reason = 'DashScope has no "any"'
    if len(tools) == 1:
        name = tool_name(tools[0])
        notes.revise("tool_choice", "any", name, "translated", f"{reason}; there is one tool")
        return name
    sent = notes.change("tool_choice", "any", "auto", "translated", f"{reason}; the model decides")
    return sent if sent is None else "auto"


def _tool(tool: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    if "name" not in tool:
        return dict(tool)  # in the service's own form
    if tool.get("strict"):
        name, reason = f"strict of tool {tool['name']}", "DashScope is not known to take it"
        settings.notes.change(name, True, None, "left out", reason)
    function = {"name": names_of(settings).out(str(tool["name"]))}
    for key in ("description", "parameters"):
        if tool.get(key) is not None:
            function[key] = tool[key]
    return {"type": "function", "function": function}


def _response_format(wanted: ResponseFormat) -> dict[str, Any]:
    if wanted.method == "json_mode" or wanted.schema is None:
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": wanted.name, "schema": wanted.schema}
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    return {"type": "json_schema", "json_schema": schema}
