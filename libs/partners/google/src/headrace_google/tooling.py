"""Tools and the choice among them, as `tools` and `toolConfig`.

Source: https://ai.google.dev/gemini-api/docs/function-calling and
https://ai.google.dev/gemini-api/docs/tool-combination (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headrace.errors import InputError
from headrace.tools import WireNames, compile_schema
from headrace.tools.dialects import SCHEMA_DIALECTS

if TYPE_CHECKING:
    from headrace.chat_models import Settings

Body = dict[str, Any]


def write_tools(settings: Settings, names: WireNames, *, mixed: bool = False) -> Body:
    """The `tools` and `toolConfig` of a request; neither where there are no tools.

    `mixed`: functions beside tools of the service need a word that the calls of these are shown.
    """
    functions: list[Body] = []
    served: list[Body] = []
    for tool in settings.tools:
        if is_function(tool):
            functions.append(_declaration(tool, names))
        else:
            served.append(server_tool(tool))
    wire: Body = {}
    config: Body = {}
    if functions and served and mixed:
        config["includeServerSideToolInvocations"] = True
    if functions:
        served.append({"functionDeclarations": functions})
    if served:
        wire["tools"] = served
    if functions:
        calling = _calling(settings, names)
        if calling:
            config["functionCallingConfig"] = calling
    raw = settings.params.get("tool_config")
    if raw:
        merge(config, camel(raw))
    if config:
        wire["toolConfig"] = config
    return wire


def is_function(tool: Mapping[str, Any]) -> bool:
    """Whether a tool is a function of the caller's; others are run by the service."""
    return "name" in tool and ("parameters" in tool or "type" not in tool)


def server_tool(tool: Mapping[str, Any]) -> Body:
    """A tool of the service: {"type": "google_search", …options} or {"google_search": {…}}."""
    given = dict(tool)
    kind = given.pop("type", None)
    if kind is None:
        return {_camel(name): camel(value) for name, value in given.items()}
    if set(given) == {kind} and isinstance(given[kind], Mapping):
        given = given[kind]
    return {_camel(str(kind)): camel(given)}


def tool_names(body: Mapping[str, Any]) -> set[str]:
    """The kinds of tools in a request, as it spells them."""
    return {name for tool in body.get("tools") or () for name in tool}


def _declaration(tool: Mapping[str, Any], names: WireNames) -> Body:
    wire: Body = {"name": names.out(str(tool["name"])), "description": tool.get("description", "")}
    parameters = tool.get("parameters") or {}
    if parameters.get("properties") or parameters.keys() - {"type", "properties"}:
        wire["parametersJsonSchema"] = _schema(tool)
    return {**wire, **camel(tool.get("extras") or {})}


def _schema(tool: Mapping[str, Any]) -> Body:
    if tool.get("strict"):
        return dict(tool["parameters"])  # the core compiled it
    try:
        return compile_schema(tool["parameters"], SCHEMA_DIALECTS["google"]).schema
    except InputError:
        return dict(tool["parameters"])  # not enforced without `strict`: the service may cope


def _calling(settings: Settings, names: WireNames) -> Body:
    """How functions are to be called: AUTO is the service's own default and is not sent."""
    match settings.tool_choice:
        case "none":
            return {"mode": "NONE"}
        case "any":
            return {"mode": "ANY"}
        case "auto" | None if any(tool.get("strict") for tool in settings.tools):
            return {"mode": "VALIDATED"}  # the arguments then keep to their schemas
        case "auto":
            return {"mode": "AUTO"}
        case None:
            return {}
        case str(name):
            return {"mode": "ANY", "allowedFunctionNames": [names.out(name)]}
        case chosen:
            return {"mode": "ANY", "allowedFunctionNames": [names.out(name) for name in chosen]}


def camel(value: Any) -> Any:
    """The same with the keys of all its dicts as the wire spells them."""
    if isinstance(value, Mapping):
        return {_camel(str(key)): camel(item) for key, item in value.items()}
    return [camel(item) for item in value] if isinstance(value, list | tuple) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def merge(into: Body, other: Mapping[str, Any]) -> None:
    """Lays a dict over another, dict by dict all the way down."""
    for key, value in other.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
