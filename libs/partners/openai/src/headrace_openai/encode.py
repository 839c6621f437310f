"""Messages and settings as a Chat Completions request. Pure: no SDK, no I/O.

Source: https://developers.openai.com/api/reference/resources/chat (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from headrace.errors import InputError, UnsupportedParameterError
from headrace_openai.dialects import OPENAI, Dialect, ReasoningField
from headrace_openai.history import write_history
from headrace_openai.outgoing import Note, note

if TYPE_CHECKING:
    from headrace.chat_models.settings import ResponseFormat, Settings
    from headrace.messages import BaseMessage

# Parameters that go out under their own name.
SAME = (
    "temperature", "top_p", "n", "logprobs", "top_logprobs", "logit_bias", "presence_penalty",
    "frequency_penalty", "verbosity", "service_tier", "store", "user", "safety_identifier",
    "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "modalities", "audio",
    "prediction", "web_search_options", "moderation",
)  # fmt: skip
# Tokens of thought that an effort word stands for, where a service takes one but not the other.
_BUDGETS = {
    "minimal": 512, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 65536,
}  # fmt: skip


def encode(
    messages: Iterable[BaseMessage],
    settings: Settings,
    dialect: Dialect = OPENAI,
    *,
    stream: bool = False,
    profile: Mapping[str, Any] | None = None,
    notes: list[Note] | None = None,
) -> dict[str, Any]:
    """The body of a request; the messages are not changed.

    `notes` gets a record {name, asked, sent, action, reason} of all that is not sent as asked.
    Raises UnsupportedContentError or UnsupportedParameterError for what cannot be sent at all.
    """
    notes = [] if notes is None else notes
    params = settings.params
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
        request.update(_effort(params["reasoning_effort"], dialect, notes))
    if settings.stop:
        request["stop"] = list(settings.stop)
    request.update(_tools(settings, dialect, notes))
    if settings.response_format is not None:
        request["response_format"] = _response_format(settings.response_format, dialect, notes)
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
    """The field that carries reasoning back, if the model's profile names one.

    models.dev says it as `interleaved: {"field": "reasoning_content"}`.
    """
    interleaved = (profile or {}).get("interleaved")
    field = interleaved.get("field") if isinstance(interleaved, Mapping) else None
    match field:
        case "reasoning_content":
            return "reasoning_content"
        case "reasoning":
            return "reasoning"
        case "reasoning_details":
            return "reasoning_details"
        case _:
            return None


def _tools(settings: Settings, dialect: Dialect, notes: list[Note]) -> dict[str, Any]:
    params = settings.params
    parallel = params.get("parallel_tool_calls")
    if not settings.tools:
        if parallel is not None:
            notes.append(
                note("parallel_tool_calls", parallel, None, "dropped", "there are no tools")
            )
        return {}
    if not dialect.tools:
        raise UnsupportedParameterError(f"`{dialect.id}` takes no `tools`; leave them out")
    wire: dict[str, Any] = {"tools": [_tool(tool, dialect, notes) for tool in settings.tools]}
    if settings.tool_choice is not None:
        _choose(wire, settings.tool_choice, dialect)
    if parallel is not None and dialect.parallel_tool_calls:
        wire["parallel_tool_calls"] = parallel
    elif parallel is not None:
        reason = f"`{dialect.id}` has no such parameter"
        notes.append(note("parallel_tool_calls", parallel, None, "dropped", reason))
    return wire


def _tool(tool: Mapping[str, Any], dialect: Dialect, notes: list[Note]) -> dict[str, Any]:
    """A function tool; a dict in the service's own form passes as it is."""
    if ("type" in tool and "parameters" not in tool) or "name" not in tool:
        return dict(tool)
    function: dict[str, Any] = {"name": tool["name"]}
    for key in ("description", "parameters"):
        if tool.get(key) is not None:
            function[key] = tool[key]
    strict = tool.get("strict")
    if strict is not None and (dialect.strict or not strict):
        if dialect.strict:
            function["strict"] = strict
    elif strict:
        reason = f"`{dialect.id}` is not known to take it"
        notes.append(note(f"strict of tool {tool['name']}", True, None, "dropped", reason))
    return {"type": "function", "function": function, **(tool.get("extras") or {})}


def _choose(wire: dict[str, Any], choice: str | tuple[str, ...], dialect: Dialect) -> None:
    """Adds `tool_choice`; where a subset cannot be named, the other tools are left out."""
    if isinstance(choice, tuple):
        names = [_named(name) for name in choice]
        if dialect.allowed_tools:
            allowed = {"mode": "required", "tools": names}
            wire["tool_choice"] = {"type": "allowed_tools", "allowed_tools": allowed}
            return
        wire["tools"] = [t for t in wire["tools"] if _name_of(t) in choice]
        wire["tool_choice"] = "required"
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


def _response_format(wanted: ResponseFormat, dialect: Dialect, notes: list[Note]) -> dict[str, Any]:
    if wanted.method == "json_mode" or wanted.schema is None:
        return {"type": "json_object"}
    if not dialect.json_schema:
        raise UnsupportedParameterError(
            f"`{dialect.id}` takes no JSON schema; use method='function_calling' or 'json_mode'"
        )
    schema: dict[str, Any] = {"name": wanted.name, "schema": wanted.schema}
    if wanted.strict is not None and dialect.strict:
        schema["strict"] = wanted.strict
    elif wanted.strict:
        reason = f"`{dialect.id}` is not known to take it"
        notes.append(note("strict of response_format", True, None, "dropped", reason))
    return {"type": "json_schema", "json_schema": schema}


def _effort(effort: str | int, dialect: Dialect, notes: list[Note]) -> dict[str, Any]:
    """`reasoning_effort` as the dialect says it: a word, an object, or a budget in tokens."""
    is_count = isinstance(effort, int)
    if isinstance(effort, int) and effort < 0:
        raise InputError(f"`reasoning_effort` in tokens must not be negative; found {effort}")
    match dialect.effort:
        case "object":
            return {"reasoning": {"max_tokens": effort} if is_count else {"effort": effort}}
        case "budget":
            if effort in ("none", 0):
                return {"enable_thinking": False}
            budget = effort if is_count else _BUDGETS.get(str(effort))
            sent = {"enable_thinking": True}
            return sent if budget is None else {**sent, "thinking_budget": budget}
        case None:
            reason = f"`{dialect.id}` has no such parameter"
            notes.append(note("reasoning_effort", effort, None, "dropped", reason))
            return {}
        case style:
            word = _word(effort)
            if is_count:
                reason = f"`{dialect.id}` takes a word, not a number of tokens"
                notes.append(note("reasoning_effort", effort, word, "translated", reason))
            if style == "toggle" and word == "none":
                return {"thinking": {"type": "disabled"}}
            return {"reasoning_effort": word}


def _word(effort: str | int) -> str:
    if not isinstance(effort, int):
        return effort
    if effort == 0:
        return "none"
    return next((word for word in ("low", "medium", "high") if effort <= _BUDGETS[word]), "high")
