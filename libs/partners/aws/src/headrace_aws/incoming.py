"""Blocks of an answer as content blocks, whole or put together from a stream."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, cast

from headrace.messages.canonical import canonical_block

Block = dict[str, Any]


def read_block(block: Mapping[str, Any]) -> Block:
    """The content block of one block that is no call of the caller's own tools."""
    match block:
        case {"text": str(text)}:
            return {"type": "text", "text": text}
        case {"reasoningContent": dict(inner)}:
            return reasoning_block(inner)
        case {"citationsContent": dict(inner)}:
            return cited_block(inner)
        case {"toolUse": {"type": "server_tool_use"} as call}:
            return server_call(call, call.get("input"))
        case {"toolResult": dict(result)}:
            return server_result(result, result.get("content"))
    found = cast("Block", canonical_block(dict(block)))
    return found if found["type"] != "tool_call" else {"type": "non_standard", "value": dict(block)}


def reasoning_block(inner: Mapping[str, Any]) -> Block:
    """A reasoning block; its signature, or what is encrypted, in `extras`."""
    said = inner.get("reasoningText") or {}
    found: Block = {"type": "reasoning", "reasoning": _text(said.get("text"))}
    extras = {}
    if said.get("signature"):
        extras["signature"] = _text(said["signature"])
    if inner.get("redactedContent"):
        extras["redactedContent"] = _text(inner["redactedContent"])
    return {**found, "extras": extras} if extras else found


def cited_block(inner: Mapping[str, Any]) -> Block:
    """A text block with the sources that its text is from."""
    text = "".join(_text(part.get("text")) for part in inner.get("content") or ())
    notes = [citation(source) for source in inner.get("citations") or ()]
    return {"type": "text", "text": text, "annotations": notes}


def citation(source: Mapping[str, Any]) -> Block:
    """One citation; where in its source it stands rides in `extras`."""
    found: Block = {"type": "citation"}
    location = source.get("location") or {}
    url = (location.get("web") or {}).get("url")
    for name, value in (("title", source.get("title")), ("url", url)):
        if value:
            found[name] = _text(value)
    parts = source.get("sourceContent") or []
    cited = "".join(_text(part.get("text")) for part in parts)
    if cited:
        found["cited_text"] = cited
    extras = {key: source[key] for key in ("source", "location") if source.get(key)}
    if len(parts) > 1:
        extras["sourceContent"] = parts
    return {**found, "extras": extras} if extras else found


def server_call(call: Mapping[str, Any], args: Any) -> Block:
    """A call of a tool that the service runs itself."""
    return {
        "type": "server_tool_call",
        "id": _text(call.get("toolUseId")),
        "name": _text(call.get("name")),
        "args": args if isinstance(args, dict) else {"input": args},
    }


def server_result(result: Mapping[str, Any], output: Any) -> Block:
    """What such a tool gave back."""
    found: Block = {
        "type": "server_tool_result",
        "tool_call_id": _text(result.get("toolUseId")),
        "status": "error" if result.get("status") == "error" else "success",
        "output": output,
    }
    if result.get("type"):
        found["extras"] = {"block_type": _text(result["type"])}
    return found


def joined_base64(parts: Iterable[str]) -> str:
    """Pieces of base64, each padded on its own, as one."""
    pieces = list(parts)
    if len(pieces) == 1:
        return pieces[0]
    return b64encode(b"".join(b64decode(piece) for piece in pieces)).decode()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"a text was expected, not {value!r}")
    return value
