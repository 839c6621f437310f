"""Messages and settings as a Chat Completions request. Pure: no SDK, no I/O.

Source: https://developers.openai.com/api/reference/resources/chat (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from headrace.errors import InputError
from headrace.tools import strict_schema
from headrace.transport import names_of
from headrace_openai.caching import cache_prompt
from headrace_openai.dialects import OPENAI, Dialect, ReasoningField
from headrace_openai.history import write_history
from headrace_openai.parameters import spell_effort
from headrace_openai.tool_names import spell_names

if TYPE_CHECKING:
    from headrace.chat_models import Notes, ResponseFormat, Settings
    from headrace.messages import BaseMessage

# Parameters that go out under their own name.
SAME = (
    "temperature", "top_p", "n", "logprobs", "top_logprobs", "logit_bias", "presence_penalty",
    "frequency_penalty", "verbosity", "service_tier", "store", "user", "safety_identifier",
    "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "modalities", "audio",
    "prediction", "web_search_options", "moderation",
)  # fmt: skip


def encode(
    messages: Iterable[BaseMessage],
    settings: Settings,
    dialect: Dialect = OPENAI,
    *,
    stream: bool = False,
    profile: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The body of a request; the messages are not changed.

    What the service takes was seen to before, by the core; what is still not written as asked
    is recorded in `settings.notes`. Raises UnsupportedContentError for blocks with no place.
    """
    params, notes = settings.params, settings.notes
    request: dict[str, Any] = {"model": params["model"]} if params.get("model") else {}
    request["messages"] = write_history(messages, dialect, notes, _reasoning_field(profile))
    for name in SAME:
        if params.get(name) is not None:
            request[name] = params[name]
    if "top_logprobs" in request:
        request.setdefault("logprobs", True)
    if params.get("max_tokens") is not None:
        request[dialect.max_tokens] = params["max_tokens"]
    if params.get("seed") is not None:
        request[dialect.seed] = params["seed"]
    if params.get("reasoning_effort") is not None:
        request.update(spell_effort(dialect, params["reasoning_effort"]))
    if settings.stop:
        request["stop"] = list(settings.stop)
    request.update(_tools(settings, dialect, notes))
    spell_names(request, names_of(settings))
    if settings.response_format is not None:
        request["response_format"] = _response_format(settings.response_format, dialect, notes)
    cache_prompt(request, settings, dialect)
    if stream:
        request.update(_streaming(params, dialect))
    request.update(params.get("model_kwargs") or {})
    request.update(params.get("extra_body") or {})
    return request


def _streaming(params: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    """`stream`, and the wish for usage at its end where the service takes one."""
    options = params.get("stream_options")
    if options is None and dialect.stream_options and params.get("stream_usage", True):
        options = {"include_usage": True}
    return {"stream": True} if options is None else {"stream": True, "stream_options": options}


def _reasoning_field(profile: Mapping[str, Any] | None) -> ReasoningField | None:
    """The field that carries reasoning back, if the model's profile names one we can write."""
    match (profile or {}).get("reasoning_field"):
        case "reasoning_content":
            return "reasoning_content"
        case "reasoning":
            return "reasoning"
        case "reasoning_details":
            return "reasoning_details"
        case _:
            return None


def _tools(settings: Settings, dialect: Dialect, notes: Notes) -> dict[str, Any]:
    parallel = settings.params.get("parallel_tool_calls")
    if not settings.tools:
        return {}
    wire: dict[str, Any] = {"tools": [_tool(tool, dialect, notes) for tool in settings.tools]}
    if settings.tool_choice is not None:
        _choose(wire, settings.tool_choice, dialect, notes)
    if parallel is not None:
        wire["parallel_tool_calls"] = parallel
    return wire


def _tool(tool: Mapping[str, Any], dialect: Dialect, notes: Notes) -> dict[str, Any]:
    """A function tool; a dict in the service's own form passes as it is."""
    if ("type" in tool and "parameters" not in tool) or "name" not in tool:
        return dict(tool)
    function: dict[str, Any] = {"name": tool["name"]}
    for key in ("description", "parameters"):
        if tool.get(key) is not None:
            function[key] = tool[key]
    strict = _strict(tool.get("strict"), f"strict of tool {tool['name']}", dialect, notes)
    if strict is not None:
        function["strict"] = strict
    if strict:
        function["parameters"] = _closed(tool)
    return {"type": "function", "function": function, **(tool.get("extras") or {})}


def _closed(tool: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a strict tool, as strict mode takes them."""
    try:
        return strict_schema(tool.get("parameters") or {"type": "object", "properties": {}})
    except InputError as error:
        raise InputError(f"tool `{tool['name']}` cannot be strict: {error}") from error


def _strict(asked: bool | None, name: str, dialect: Dialect, notes: Notes) -> Any:
    """`strict` where it is known to be taken; where it is not, false needs no word."""
    if dialect.strict or asked is None:
        return asked
    reason = f"`{dialect.id}` is not known to take it"
    return notes.change(name, True, None, "left out", reason) if asked else None


def _choose(
    wire: dict[str, Any], choice: str | tuple[str, ...], dialect: Dialect, notes: Notes
) -> None:
    """Adds `tool_choice`; where a subset cannot be named, the other tools are left out."""
    if isinstance(choice, tuple):
        names = [_named(name) for name in choice]
        if dialect.allowed_tools:
            allowed = {"mode": "required", "tools": names}
            wire["tool_choice"] = {"type": "allowed_tools", "allowed_tools": allowed}
            return
        wire["tools"] = [t for t in wire["tools"] if _name_of(t) in choice]
        wire["tool_choice"] = "required"
        reason = f"`{dialect.id}` names no subset; the other tools are left out"
        notes.record("tool_choice", choice, "required", "translated", reason)
    elif choice in ("auto", "none"):
        wire["tool_choice"] = choice
    elif choice in ("any", "required"):
        wire["tool_choice"] = "required"
    else:
        wire["tool_choice"] = _named(choice)


def _named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def _name_of(tool: Mapping[str, Any]) -> Any:
    return (tool.get("function") or tool.get("custom") or {}).get("name")


def _response_format(wanted: ResponseFormat, dialect: Dialect, notes: Notes) -> dict[str, Any]:
    if wanted.method == "json_mode" or wanted.schema is None:
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": wanted.name, "schema": wanted.schema}
    strict = _strict(wanted.strict, "strict of response_format", dialect, notes)
    if strict is not None:
        schema["strict"] = strict
    return {"type": "json_schema", "json_schema": schema}
