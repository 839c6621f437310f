"""Whatever describes a tool, as one provider-neutral dict."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from pydantic import BaseModel

from headrace.errors import InputError
from headrace.runnables.base import Runnable
from headrace.tools.docstring import read_docstring
from headrace.tools.inference import arguments_in, is_fields
from headrace.tools.tool import Tool

# Under which keys tool formats keep the JSON Schema of the arguments.
_PARAMETERS = ("parameters", "input_schema", "inputSchema")
_OWN_KEYS = frozenset({"type", "name", "description", "strict", *_PARAMETERS})


def convert_to_tool(tool: Any, *, strict: bool | None = None) -> dict[str, Any]:
    """A tool as {"name", "description", "parameters", "strict"?, "extras"?}; a new dict.

    Takes a Tool, a function, a pydantic model, TypedDict or dataclass, and dicts: of the
    common formats, or a JSON Schema with a `title`. A dict with a `type` and no parameters, or
    of one key with a dict ({"search": {}}), is a tool that the provider runs, and passes
    unchanged. Raises InputError for others.
    """
    found = _converted(tool)
    if strict is None or "parameters" not in found:
        return found
    if found.get("strict", strict) != strict:
        raise InputError(
            f"tool `{found['name']}` says strict={found['strict']}, the call strict={strict}"
        )
    return {**found, "strict": strict}


def tool_inside(step: Any) -> Tool | None:
    """The Tool in a step, also under a config, retries or the like; None if there is none."""
    while isinstance(step, Runnable):
        if isinstance(step, Tool):
            return step
        step = getattr(step, "bound", None)
    return None


def _converted(tool: Any) -> dict[str, Any]:
    found = tool_inside(tool)
    if found is not None:
        return found.definition()
    if isinstance(tool, Mapping):
        return _from_mapping(tool)
    if is_fields(tool) or (isinstance(tool, type) and issubclass(tool, BaseModel)):
        return _from_class(tool)
    if isinstance(tool, Runnable | type) or not callable(tool):
        raise InputError(
            f"cannot make a tool of {tool!r}; give a function, a Tool, a pydantic model, a "
            "TypedDict, a dataclass or a dict"
        )
    return Tool(tool).definition()


def _from_class(kind: type) -> dict[str, Any]:
    parameters = arguments_in(kind.__name__, kind, {}).parameters
    said = parameters.pop("description", "")
    if is_fields(kind):
        said = read_docstring(_own_doc(kind)).text
    return {"name": kind.__name__, "description": said, "parameters": parameters}


def _own_doc(kind: type) -> str | None:
    """The docstring that was written; not the one that `dataclass` makes up."""
    doc = kind.__dict__.get("__doc__")
    return None if doc and doc.startswith(f"{kind.__name__}(") else doc


def _from_mapping(tool: Mapping[str, Any]) -> dict[str, Any]:
    for key in ("function", "toolSpec"):
        if isinstance(tool.get(key), Mapping):
            around = {name: value for name, value in tool.items() if name not in ("type", key)}
            return _flat({**around, **tool[key]})
    if any(isinstance(tool.get(key), Mapping) for key in _PARAMETERS) and "name" in tool:
        return _flat(tool)
    kind = tool.get("type")
    if "properties" in tool or kind == "object":
        return _from_schema(tool)
    if isinstance(kind, str) and kind != "function":
        return dict(tool)
    if len(tool) == 1 and isinstance(next(iter(tool.values())), Mapping):
        return dict(tool)
    if isinstance(tool.get("name"), str) and (kind == "function" or "description" in tool):
        return _flat(tool)
    raise InputError(
        f"cannot read a tool in a dict with the keys {sorted(map(str, tool))}; it needs `name` "
        "and `parameters` (or `input_schema`), or `type`, or to be a JSON Schema with a `title`"
    )


def _flat(tool: Mapping[str, Any]) -> dict[str, Any]:
    given = (tool[key] for key in _PARAMETERS if isinstance(tool.get(key), Mapping))
    parameters: Mapping[str, Any] = next(given, {})
    if isinstance(parameters.get("json"), Mapping):  # the toolSpec format wraps it once more
        parameters = parameters["json"]
    found = {
        "name": _checked_name(tool.get("name")),
        "description": tool.get("description") or "",
        "parameters": {"type": "object", "properties": {}, **parameters},
    }
    if tool.get("strict") is not None:
        found["strict"] = tool["strict"]
    extras = {key: value for key, value in tool.items() if key not in _OWN_KEYS}
    if extras:
        found["extras"] = {**(extras.pop("extras", None) or {}), **extras}
    return deepcopy(found)


def _from_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(schema.get("title"), str):
        raise InputError("a JSON Schema needs a `title` to be a tool: the tool's name")
    rest = {key: value for key, value in schema.items() if key not in ("title", "description")}
    return _flat(
        {
            "name": schema["title"],
            "description": schema.get("description"),
            "parameters": rest,
        }
    )


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise InputError(f"a tool needs a `name`, a str that is not empty; found {name!r}")
    return name
