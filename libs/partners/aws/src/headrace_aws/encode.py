"""Messages and settings as a Converse request. Pure: no SDK, no I/O.

The body is the JSON that goes out, bytes as base64, and `modelId`, which goes into the path.
Source: the service model of botocore 1.44, `bedrock-runtime` 2023-09-30 (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from headrace.chat_models.prompt_caching import MARK, MOST, SWITCH, mark_value
from headrace.errors import InputError
from headrace.messages import SystemMessage
from headrace.tools import strict_schema
from headrace.transport import names_of
from headrace_aws.families import UNKNOWN, Family
from headrace_aws.history import History, put_cache_point
from headrace_aws.outgoing import Part, guarded

if TYPE_CHECKING:
    from headrace.chat_models import Notes, ResponseFormat, Settings
    from headrace.messages import BaseMessage

# Parameters that go out as they are: ours, and the wire's name.
SAME = {
    "additional_model_response_field_paths": "additionalModelResponseFieldPaths",
    "performance_config": "performanceConfig",
    "request_metadata": "requestMetadata",
    "project_identifier": "projectIdentifier",
}
_NUMBERS = {"max_tokens": "maxTokens", "temperature": "temperature", "top_p": "topP"}
_ANY_OBJECT: dict[str, Any] = {"type": "object", "properties": {}}


def encode(
    messages: Iterable[BaseMessage],
    settings: Settings,
    family: Family = UNKNOWN,
    *,
    stream: bool = False,
    profile: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The body of a request; the messages are not changed.

    What the model takes was seen to before, by the core; what is still not written as asked is
    recorded in `settings.notes`. Raises UnsupportedContentError for blocks with no place.
    """
    params, notes = settings.params, settings.notes
    history = History(family, profile or {}, notes)
    history.write([*_instructions(params.get("system")), *messages])
    request: dict[str, Any] = {"modelId": params["model"]} if params.get("model") else {}
    request["messages"] = history.messages
    if history.system:
        request["system"] = history.system
    numbers = {wire: params[ours] for ours, wire in _NUMBERS.items() if ours in params}
    if settings.stop:
        numbers["stopSequences"] = list(settings.stop)
    if numbers:
        request["inferenceConfig"] = numbers
    tools = Tools(settings, family, history).write()
    if tools:
        request["toolConfig"] = tools
    for ours, wire in SAME.items():
        if params.get(ours) is not None:
            request[wire] = params[ours]
    _merge(request, _options(settings, family, profile or {}, stream=stream))
    if params.get(SWITCH):
        _cache(request, history, params[SWITCH], notes)
    if params.get("guard_last_turn_only"):
        _guard_last(request)
    _merge(request, params.get("model_kwargs") or {})
    _merge(request, params.get("extra_body") or {})
    return request


def _instructions(system: Any) -> list[BaseMessage]:
    if not system:
        return []
    return [SystemMessage(system if isinstance(system, str) else list(system))]


def _options(
    settings: Settings, family: Family, facts: Mapping[str, Any], *, stream: bool
) -> dict[str, Any]:
    """What is written in a form of its own."""
    params = settings.params
    found: dict[str, Any] = {}
    if params.get("reasoning_effort") is not None:
        adaptive = facts.get("reasoning_adaptive") is not False
        found.update(family.spell(params["reasoning_effort"], adaptive=adaptive))
    if params.get("top_k") is not None:
        fields: Any = params["top_k"]
        for key in reversed(("additionalModelRequestFields", *family.top_k)):
            fields = {key: fields}
        _merge(found, fields)
    if fields := params.get("additional_model_request_fields"):
        _merge(found, {"additionalModelRequestFields": fields})
    if guardrail := params.get("guardrail_config"):
        kept = {k: v for k, v in guardrail.items() if stream or k != "streamProcessingMode"}
        found["guardrailConfig"] = kept
    if tier := params.get("service_tier"):
        found["serviceTier"] = {"type": tier}
    if variables := params.get("prompt_variables"):
        told = {k: {"text": v} if isinstance(v, str) else v for k, v in variables.items()}
        found["promptVariables"] = told
    if settings.response_format is not None:
        _merge(found, {"outputConfig": {"textFormat": _text_format(settings.response_format)}})
    return found


def _text_format(wanted: ResponseFormat) -> dict[str, Any]:
    schema: Mapping[str, Any] = wanted.schema or _ANY_OBJECT
    told = {"name": wanted.name or "answer", "schema": to_json(schema).decode()}
    if schema.get("description"):
        told["description"] = schema["description"]
    return {"type": "json_schema", "structure": {"jsonSchema": told}}


class Tools:
    """Writes `toolConfig`: the tools, those that the history needs, and the choice."""

    def __init__(self, settings: Settings, family: Family, history: History) -> None:
        self.settings, self.family, self.history = settings, family, history
        self.names = names_of(settings)

    def write(self) -> dict[str, Any]:
        notes, choice = self.settings.notes, self.settings.tool_choice
        self._rename(self.history.messages)
        named = _called(self.history.messages)
        tools = [*self.settings.tools]
        if choice == "none" and tools and not named:
            notes.record("tool_choice", "none", None, "translated", "the tools are left out")
            return {}
        kind: dict[str, Any] | None = None
        if choice is not None:
            tools, kind = self._chosen(tools, choice)
        wire = [part for tool in tools for part in self._tool(tool)]
        known = {part["toolSpec"]["name"] for part in wire if "toolSpec" in part}
        if not wire:
            for name in (name for name in named if name not in known):
                # The service refuses calls in a history without a list of tools.
                wire.append({"toolSpec": {"name": name, "inputSchema": {"json": _ANY_OBJECT}}})
                reason = "the history holds calls of it"
                notes.record(f"tool {name}", None, "any arguments", "added", reason)
        return {"tools": wire, **({"toolChoice": kind} if kind else {})} if wire else {}

    def _chosen(self, tools: list[Any], choice: Any) -> tuple[list[Any], dict[str, Any] | None]:
        """The tools to send and the kind of choice; a subset is said by leaving others out."""
        notes, kinds = self.settings.notes, self.family.choices
        if choice == "none":
            reason = "Converse cannot forbid calls where the history holds some"
            return tools, notes.change("tool_choice", choice, None, "left out", reason)
        if choice == "auto":
            return tools, {"auto": {}}
        named = isinstance(choice, str) and choice != "any"
        wanted = "tool" if named else "any"
        if kinds is not None and "any" not in kinds:
            reason = f"`{notes.model}` cannot be made to call a tool"
            kept = notes.change("tool_choice", choice, None, "left out", reason)
            if kept is None:
                return tools, None
        elif named and kinds is not None and "tool" not in kinds:
            choice, wanted = (choice,), "any"
        if isinstance(choice, tuple):
            reason = "Converse names no subset; the other tools are left out"
            notes.record("tool_choice", choice, "any", "translated", reason)
            tools = [tool for tool in tools if tool.get("name") in choice]
        if wanted == "tool":
            return tools, {"tool": {"name": self.names.out(choice)}}
        return tools, {"any": {}}

    def _tool(self, tool: Mapping[str, Any]) -> list[Part]:
        """A tool and its cache point; a dict in the service's own form passes as it is."""
        if tool.get("type") == "system_tool":
            return [{"systemTool": {"name": tool["name"]}}]
        if "parameters" not in tool and "name" not in tool:
            return [{key: value for key, value in tool.items() if key != "type"}]
        spec: dict[str, Any] = {"name": self.names.out(str(tool["name"]))}
        if tool.get("description"):
            spec["description"] = tool["description"]
        schema = tool.get("parameters") or _ANY_OBJECT
        if tool.get("strict"):
            schema, spec["strict"] = _closed(tool, schema), True
        spec["inputSchema"] = {"json": schema}
        return [{"toolSpec": spec}, *self.history.parts.cache_point(tool.get("extras"))]

    def _rename(self, messages: list[dict[str, Any]]) -> None:
        for call in _calls(messages):
            call["name"] = self.names.out(str(call["name"]))


def _closed(tool: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a strict tool, as strict mode takes them."""
    try:
        return strict_schema(schema)
    except InputError as error:
        raise InputError(f"tool `{tool['name']}` cannot be strict: {error}") from error


def _calls(messages: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The calls of the caller's tools in a written history."""
    parts = [part for message in messages for part in message["content"]]
    calls = [part["toolUse"] for part in parts if "toolUse" in part]
    return [call for call in calls if call.get("type") != "server_tool_use"]


def _called(messages: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the tools that a history calls, each once."""
    return list(dict.fromkeys(call["name"] for call in _calls(messages)))


def _cache(request: dict[str, Any], history: History, asked: bool | str, notes: Notes) -> None:
    """Cache points behind the tools, the instructions and the last message of the user."""
    (point,) = history.parts.cache_point({MARK: mark_value(asked)})
    caches = history.family.caches
    last = [message for message in request["messages"] if message["role"] == "user"][-1:]
    tools: list[Part] = (request.get("toolConfig") or {}).get("tools") or []
    system: list[Part] = request.get("system") or []
    everything = (tools, system, *(message["content"] for message in request["messages"]))
    room = MOST - sum("cachePoint" in part for parts in everything for part in parts)
    places = (
        ("tools", tools),
        ("system", system),
        ("messages", last[0]["content"] if last else []),
    )
    for place, parts in places:
        takes = caches is None or place in caches
        if not (parts and takes) or any("cachePoint" in part for part in parts):
            continue
        if room <= 0:
            reason = f"a request has at most {MOST} cache points"
            notes.record(SWITCH, asked, None, "left out", reason)
            return
        put_cache_point(parts, [point])
        room -= 1


def _guard_last(request: dict[str, Any]) -> None:
    """Shows the guardrail the last message of the user alone."""
    for message in reversed(request["messages"]):
        if message["role"] == "user":
            seen = {"extras": {"guard": True}}
            message["content"] = [
                guarded(part, seen) if part.keys() & {"text", "image"} else part
                for part in message["content"]
            ]
            return


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Adds keys, dicts within dicts; the later value stands. Nothing given is changed."""
    for key, value in more.items():
        old = into.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            inner = dict(old)
            _merge(inner, value)
            into[key] = inner
        else:
            into[key] = value
