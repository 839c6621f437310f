"""Tool calls: their normal form, and the strict reading of streamed arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from headrace.deferred import pydantic_core
from headrace.errors import InputError
from headrace.messages.blocks import InvalidToolCall, ToolCall, ToolCallChunk
from headrace.messages.canonical import canonical_block
from headrace.messages.growing import partial_json

_CALLS = frozenset({"tool_call", "invalid_tool_call", "tool_use", "function_call"})
_PIECE = frozenset({"type", "name", "args", "id", "index"})
_CALL_KEYS = frozenset({"type", "name", "args", "id", "index", "extras", "error"})


def tool_call(
    *,
    name: str,
    args: Mapping[str, Any],
    id: str | None = None,
    extras: Mapping[str, Any] | None = None,
) -> ToolCall:
    """A tool call block."""
    return read_tool_call({"name": name, "args": args, "id": id, "extras": extras})


def tool_call_chunk(
    *,
    name: str | None = None,
    args: str | None = None,
    id: str | None = None,
    index: int | str | None = None,
    extras: Mapping[str, Any] | None = None,
) -> ToolCallChunk:
    """A piece of a streamed tool call."""
    piece = {"name": name, "args": args, "id": id, "index": index, "extras": extras}
    return read_tool_call_chunk(piece)


def invalid_tool_call(
    *,
    name: str | None = None,
    args: str | None = None,
    id: str | None = None,
    error: str | None = None,
    extras: Mapping[str, Any] | None = None,
) -> InvalidToolCall:
    """A tool call that cannot run, with the reason."""
    call = {"name": name, "args": args, "id": id, "error": error, "extras": extras}
    return read_invalid_tool_call(call)


def read_tool_call(call: Mapping[str, Any]) -> ToolCall:
    """The normal form of a call; keys it does not know move to `extras`.

    Raises InputError unless `name` is a non-empty str and `args` a mapping.
    """
    if not isinstance(call, Mapping):
        raise InputError(f"a tool call must be a dict with `name` and `args`, not {call!r}")
    name, args = call.get("name"), call.get("args")
    if isinstance(call.get("function"), Mapping):
        raise InputError(
            "`tool_calls` takes {'name', 'args', 'id'}; this one has the wire shape with "
            "`function`: read it with `convert_to_messages`"
        )
    if not isinstance(name, str) or not name:
        raise InputError(f"a tool call needs a `name`; found {name!r} in {dict(call)!r}")
    if args is None:
        args = {}
    if not isinstance(args, Mapping):
        raise InputError(f"`args` of the tool call `{name}` must be a dict, not {args!r}")
    result: dict[str, Any] = {
        "type": "tool_call", "name": name, "args": dict(args), "id": _id(call.get("id")),
    }  # fmt: skip
    return cast("ToolCall", _with_extras(result, call))


def read_tool_call_chunk(piece: Mapping[str, Any]) -> ToolCallChunk:
    """The normal form of a piece: every key present, an empty `id` or `name` is None."""
    if piece.__class__ is not dict and not isinstance(piece, Mapping):
        raise InputError(f"a tool call chunk must be a dict, not {piece!r}")
    args = piece.get("args")
    if args is not None and args.__class__ is not str:
        args = pydantic_core.to_json(args).decode()
    index = piece.get("index")
    if index.__class__ is not int and index is not None and not isinstance(index, int | str):
        raise InputError(f"`index` of a tool call chunk must be an int or a str, not {index!r}")
    name = piece.get("name")
    if name is not None and not isinstance(name, str):
        raise InputError(f"`name` of a tool call chunk must be a str, not {name!r}")
    id = piece.get("id")
    result: ToolCallChunk = {
        "type": "tool_call_chunk",
        "name": name or None,
        "args": args,
        "id": None if id is None else _id(id),
        "index": index,
    }
    if piece.keys() <= _PIECE:
        return result
    return cast("ToolCallChunk", _with_extras(cast("dict[str, Any]", result), piece))


def read_invalid_tool_call(call: Mapping[str, Any]) -> InvalidToolCall:
    """The normal form of an invalid call: every key present."""
    if not isinstance(call, Mapping):
        raise InputError(f"an invalid tool call must be a dict, not {call!r}")
    args = call.get("args")
    if args is not None and not isinstance(args, str):
        args = pydantic_core.to_json(args).decode()
    result: dict[str, Any] = {
        "type": "invalid_tool_call",
        "name": call.get("name"),
        "args": args,
        "id": _id(call.get("id")),
        "error": call.get("error"),
    }
    return cast("InvalidToolCall", _with_extras(result, call))


def read_wire_call(call: Mapping[str, Any]) -> ToolCall | InvalidToolCall:
    """A call in the wire shape {"id", "function": {"name", "arguments"}}, read strictly."""
    function = call["function"]
    arguments = function.get("arguments")
    if isinstance(arguments, Mapping):
        arguments = pydantic_core.to_json(arguments).decode()
    piece = tool_call_chunk(name=function.get("name"), args=arguments, id=call.get("id"))
    extras = {k: v for k, v in call.items() if k not in ("id", "type", "function", "index")}
    if extras:
        piece["extras"] = extras
    return cast("ToolCall | InvalidToolCall", resolve(piece))


def resolve(
    piece: ToolCallChunk, *, final: bool = True, reason: str = ""
) -> ToolCall | InvalidToolCall | None:
    """The call that a joined piece makes, None while it is unfinished and not `final`.

    Only a strict JSON object counts as arguments; nothing is repaired. When `final`, no
    arguments mean {} and anything else is an invalid call; `reason` is added to its error.
    """
    text, name = piece["args"] or "", piece["name"]
    error = None
    args: Any = None
    if text.strip():
        # An object ends with a brace: unfinished text is not parsed at every look.
        if not final and not text.rstrip().endswith("}"):
            return None
        try:
            args = pydantic_core.from_json(text.encode(), allow_inf_nan=False)
        except ValueError as exc:
            error = f"the arguments are not valid JSON: {exc}"
        else:
            if not isinstance(args, dict):
                error = f"the arguments must be a JSON object, not {type(args).__name__}"
    elif final:
        args = {}
    if error is None and not name:
        error = "the call has no name"
    if error is None and args is not None:
        return cast("ToolCall", _carry(piece, {"type": "tool_call", "name": name, "args": args}))
    if not final:
        return None
    bad = {"type": "invalid_tool_call", "name": name, "args": piece["args"]}
    carried = _carry(piece, bad)
    carried["error"] = f"{error}; {reason}" if reason else error
    return cast("InvalidToolCall", carried)


def partial_args(text: str | None) -> dict[str, Any]:
    """What can be read so far of cut JSON arguments; {} if nothing can."""
    args = partial_json(text or "{}")
    return args if isinstance(args, dict) else {}


def split_calls(
    blocks: Iterable[Any],
) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """The tool calls that stand in a content list, in any shape that is known."""
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for block in blocks:
        if block.__class__ is str or (block.get("type") not in _CALLS and "toolUse" not in block):
            continue
        found = canonical_block(block)
        if found["type"] == "tool_call":
            calls.append(read_tool_call(found))
        elif found["type"] == "invalid_tool_call":
            invalid.append(read_invalid_tool_call(found))
        elif found["type"] == "non_standard":
            raise InputError(f"this block is not a readable tool call: {block!r}")
    return calls, invalid


def _carry(piece: ToolCallChunk, call: dict[str, Any]) -> dict[str, Any]:
    call["id"] = piece["id"]
    if piece.get("extras"):
        call["extras"] = dict(piece["extras"])
    return call


def _with_extras(result: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    own = given.get("extras") or {}
    if not isinstance(own, Mapping):
        raise InputError(f"`extras` of a tool call must be a dict, not {own!r}")
    extras = dict(own)
    for key, value in given.items():
        if key not in _CALL_KEYS and value is not None:
            extras[key] = value
    if extras:
        result["extras"] = extras
    if result["type"] == "tool_call" and given.get("index") is not None:
        result["index"] = given["index"]
    return result


def _id(value: Any) -> str | None:
    return value or None if value is None or value.__class__ is str else str(value)
