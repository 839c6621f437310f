"""Messages and settings as a Responses request.

Source: https://developers.openai.com/api/reference/resources/responses (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.errors import InputError
from headrace.messages import AIMessage
from headrace.tools import strict_schema
from headrace.transport import names_of
from headrace_openai.caching import cache_prompt
from headrace_openai.dialects import OPENAI, Dialect
from headrace_openai.responses.history import InputHistory

if TYPE_CHECKING:
    from headrace.chat_models import ResponseFormat, Settings
    from headrace.messages import BaseMessage
    from headrace.tools import WireNames

# Parameters that go out under their own name.
SAME = (
    "temperature", "top_p", "top_logprobs", "parallel_tool_calls", "service_tier", "store",
    "user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
    "prompt_cache_options", "moderation", "truncation", "previous_response_id", "conversation",
    "context_management", "background", "max_tool_calls", "prompt",
)  # fmt: skip
# What only this API takes: asked for, it is chosen by itself.
ONLY_HERE = frozenset(
    {
        "include", "truncation", "previous_response_id", "conversation", "context_management",
        "background", "max_tool_calls", "prompt", "reasoning_summary",
        "use_previous_response_id",
    }
)  # fmt: skip
ENCRYPTED = "reasoning.encrypted_content"
_LOGPROBS = "message.output_text.logprobs"


def encode(
    messages: Sequence[BaseMessage],
    settings: Settings,
    dialect: Dialect = OPENAI,
    *,
    stream: bool = False,
    profile: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The body of a request; the messages are not changed.

    Unless `store` says otherwise nothing is stored, and reasoning comes encrypted, so that it
    can go back. Raises UnsupportedContentError for blocks with no place.
    """
    params, notes = dict(settings.params), settings.notes
    store = params.setdefault("store", _store(params))
    if params.get("use_previous_response_id"):
        messages, params["previous_response_id"] = _after_last(messages, params, dialect)
    request: dict[str, Any] = {"model": params["model"]} if params.get("model") else {}
    request["input"] = InputHistory(dialect, notes, stored=store is not False).write(messages)
    for name in SAME:
        if params.get(name) is not None:
            request[name] = params[name]
    if params.get("max_tokens") is not None:
        request["max_output_tokens"] = params["max_tokens"]
    if reasoning := _reasoning(params):
        request["reasoning"] = reasoning
    if include := _include(params, store, profile or {}):
        request["include"] = include
    if text := _text(params, settings.response_format):
        request["text"] = text
    names = names_of(settings)
    request.update(_tools(settings, names))
    for item in request["input"]:
        if item.get("type") in ("function_call", "custom_tool_call"):
            item["name"] = names.out(item["name"])
    cache_prompt(request, settings, dialect)
    if stream:
        request["stream"] = True
        if params.get("stream_options") is not None:
            request["stream_options"] = params["stream_options"]
    request.update(params.get("model_kwargs") or {})
    request.update(params.get("extra_body") or {})
    return request


def needs_responses(params: Mapping[str, Any], tools: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a request asks for what only the Responses API has."""
    if any(params[name] not in (None, False) for name in ONLY_HERE.intersection(params)):
        return True
    return any(is_hosted(tool) for tool in tools)


def is_hosted(tool: Mapping[str, Any]) -> bool:
    """Whether a tool is one that the service runs, in the form of the Responses API."""
    kind = tool.get("type")
    return kind is not None and kind not in ("function", "custom") and "parameters" not in tool


def _store(params: Mapping[str, Any]) -> bool | None:
    """False, unless what is asked for lives on what is stored."""
    kept = ("previous_response_id", "conversation", "background", "use_previous_response_id")
    return None if any(params.get(name) for name in kept) else False


def _after_last(
    messages: Sequence[BaseMessage], params: Mapping[str, Any], dialect: Dialect
) -> tuple[Sequence[BaseMessage], Any]:
    """The messages after the last stored answer of this service, and that answer's id."""
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        ours = message.response_metadata.get("model_provider") == dialect.id
        if isinstance(message, AIMessage) and ours and str(message.id or "").startswith("resp"):
            return messages[place + 1 :], message.id
    return messages, params.get("previous_response_id")


def _reasoning(params: Mapping[str, Any]) -> dict[str, Any]:
    effort, summary = params.get("reasoning_effort"), params.get("reasoning_summary")
    found: dict[str, Any] = {}
    if effort is not None:
        off = effort is False or effort in ("none", 0)
        found["effort"] = "none" if off else effort
    if summary is not None:
        found["summary"] = summary
    return found


def _include(
    params: Mapping[str, Any], store: bool | None, profile: Mapping[str, Any]
) -> list[str]:
    include = list(params.get("include") or ())
    if (params.get("logprobs") or params.get("top_logprobs")) and _LOGPROBS not in include:
        include.append(_LOGPROBS)
    reasons = profile.get("reasoning_output") or params.get("reasoning_effort") is not None
    if store is False and reasons and ENCRYPTED not in include:
        include.append(ENCRYPTED)
    return include


def _text(params: Mapping[str, Any], wanted: ResponseFormat | None) -> dict[str, Any]:
    text: dict[str, Any] = {}
    if wanted is not None:
        if wanted.method == "json_mode" or wanted.schema is None:
            text["format"] = {"type": "json_object"}
        else:
            form = {"type": "json_schema", "name": wanted.name, "schema": wanted.schema}
            text["format"] = {**form, "strict": bool(wanted.strict)}
    if params.get("verbosity") is not None:
        text["verbosity"] = params["verbosity"]
    return text


def _tools(settings: Settings, names: WireNames) -> dict[str, Any]:
    if not settings.tools:
        return {}
    wire: dict[str, Any] = {"tools": [_tool(tool, names) for tool in settings.tools]}
    choice = settings.tool_choice
    if choice is not None:
        wire["tool_choice"] = _choice(choice, settings, names)
    return wire


def _tool(tool: Mapping[str, Any], names: WireNames) -> dict[str, Any]:
    """A function tool, flat; a dict in the service's own form passes as it is."""
    if is_hosted(tool) or tool.get("type") == "custom" or "name" not in tool:
        return _flat_custom(tool)
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    if tool.get("strict"):
        try:
            parameters = strict_schema(parameters)
        except InputError as error:
            raise InputError(f"tool `{tool['name']}` cannot be strict: {error}") from error
    wire = {"type": "function", "name": names.out(str(tool["name"])), "parameters": parameters}
    if tool.get("description") is not None:
        wire["description"] = tool["description"]
    # Left out it would mean true here, unlike in Chat Completions.
    return {**wire, "strict": bool(tool.get("strict")), **(tool.get("extras") or {})}


def _flat_custom(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A custom tool, also in the nested form of Chat Completions."""
    nested = tool.get("custom")
    return {"type": "custom", **nested} if isinstance(nested, Mapping) else dict(tool)


def _choice(choice: str | tuple[str, ...], settings: Settings, names: WireNames) -> Any:
    if isinstance(choice, tuple):
        allowed = [_chosen(name, settings, names) for name in choice]
        return {"type": "allowed_tools", "mode": "required", "tools": allowed}
    if choice in ("auto", "none"):
        return choice
    return "required" if choice in ("any", "required") else _chosen(choice, settings, names)


def _chosen(name: str, settings: Settings, names: WireNames) -> dict[str, Any]:
    for tool in settings.tools:
        if tool.get("name", tool.get("type")) != name:
            continue
        if is_hosted(tool):
            return {"type": tool["type"]}
        if tool.get("type") == "custom":
            return {"type": "custom", "name": name}
    return {"type": "function", "name": names.out(name)}
