"""One output item of a response, as pieces of a message.

Each item has its place: blocks of a list content carry it as `index`, so that a stream adds up.
Source: https://developers.openai.com/api/reference/resources/responses (read 2026-11)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from headrace.messages import AIMessageChunk

Item = Mapping[str, Any]
Block = dict[str, Any]

# What a tool that the service runs gave back; all else of its item says what was asked.
OUTPUTS = frozenset({"results", "outputs", "output", "result", "error"})
# Calls that somebody here must answer: they come without a result.
ANSWERED_HERE = frozenset(
    {"computer_call", "local_shell_call", "shell_call", "apply_patch_call", "mcp_approval_request"}
)
_OWN = frozenset({"type", "id", "status"})
_CALL = frozenset({"type", "id", "call_id", "name", "arguments", "input", "status"})


def is_server_call(kind: Any) -> bool:
    """Whether an item is a call of a tool that is not one of the caller's functions."""
    return isinstance(kind, str) and kind.endswith("_call") and kind not in CALLS


CALLS = frozenset({"function_call", "custom_tool_call"})


def server_blocks(item: Item, place: str) -> list[Block]:
    """The call of a server-side tool, and its result where there is one.

    `server_item` gives the item back.
    """
    kind = item["type"]
    id = item.get("call_id") or item.get("id") or place
    asked = {k: v for k, v in item.items() if k not in OUTPUTS | _OWN and v is not None}
    given = {k: v for k, v in item.items() if k in OUTPUTS and v is not None}
    extras = {k: item[k] for k in ("id", "status") if item.get(k) is not None}
    call: Block = {
        "type": "server_tool_call", "id": str(id), "name": kind.removesuffix("_call"),
        "args": asked, "extras": extras, "index": place,
    }  # fmt: skip
    if not given and (kind in ANSWERED_HERE or kind == "tool_search_call"):
        return [call]
    failed = item.get("status") in ("failed", "incomplete") or given.get("error") is not None
    result: Block = {
        "type": "server_tool_result", "tool_call_id": str(id),
        "status": "error" if failed else "success", "output": given, "index": f"{place}.result",
    }  # fmt: skip
    blocks = [call, result]
    if kind == "image_generation_call" and isinstance(given.get("result"), str):
        result["output"] = {}
        form = str(item.get("output_format") or "png")
        image = {"type": "image", "base64": given["result"], "mime_type": f"image/{form}"}
        blocks.append({**image, "id": str(id), "index": f"{place}.image"})
    return blocks


def server_item(call: Mapping[str, Any], result: Mapping[str, Any] | None) -> dict[str, Any]:
    """The item that `server_blocks` was given."""
    output = (result or {}).get("output")
    return {
        "type": f"{call['name']}_call",
        **(call.get("extras") or {}),
        **call["args"],
        **(output if isinstance(output, dict) else {}),
    }


def other_blocks(item: Item, place: str) -> list[Block]:
    """What has no place of its own: kept as it is, and sent back as it is."""
    return [{"type": "non_standard", "value": dict(item), "index": place}]


def reasoning_blocks(item: Item, place: str, seen: Iterable[str] = ()) -> list[Block]:
    """One block for each part of the reasoning; all bear the item's id.

    `seen`: places of parts whose text came before, which only get what was not known then.
    """
    known = set(seen)
    blocks: list[Block] = []
    for letter, parts in (("s", item.get("summary")), ("c", item.get("content"))):
        for number, part in enumerate(parts or ()):
            at = part_place(place, letter, number)
            text = "" if at in known else part.get("text") or ""
            blocks.append(reasoning_piece(at, text))
    blocks = blocks or [reasoning_piece(part_place(place, "s", 0), "")]
    extras = {
        k: v
        for k, v in item.items()
        if k not in ("type", "id", "summary", "content") and v is not None
    }
    for block in blocks:
        if item.get("id"):
            block["id"] = item["id"]
    if extras:
        blocks[0]["extras"] = {**blocks[0].get("extras", {}), **extras}
    return blocks


def part_place(place: str, letter: str, number: int) -> str:
    """The place of one part of a reasoning item: of its summary ("s") or its content ("c")."""
    return f"{place}.{letter}{number}"


def reasoning_piece(place: str, text: str) -> Block:
    """Text of one part; that of a `content` part is marked, for it goes back there."""
    block: Block = {"type": "reasoning", "reasoning": text, "index": place}
    if ".c" in place:
        block["extras"] = {"part": "content"}
    return block


def annotation(item: Item) -> Block:
    """A source of a text, in our form."""
    kind = item.get("type")
    if kind not in ("url_citation", "file_citation", "container_file_citation", "file_path"):
        return {"type": "non_standard_annotation", "value": dict(item)}
    found: Block = {"type": "citation"}
    for name in ("url", "title", "start_index", "end_index"):
        if item.get(name) is not None:
            found[name] = item[name]
    if kind != "url_citation" and item.get("filename"):
        found.setdefault("title", item["filename"])
    rest = {k: v for k, v in item.items() if k not in found and v is not None}
    found["extras"] = {**rest, "type": kind}
    return found


def call_piece(item: Item, place: int, arguments: str | None) -> Block:
    """The beginning of a call of one of the caller's tools, or all of it."""
    extras = {k: v for k, v in item.items() if k not in _CALL and v not in (None, {}, [])}
    if item["type"] == "custom_tool_call":
        extras["type"] = "custom"
    piece: Block = {
        "type": "tool_call_chunk", "name": item.get("name"), "args": arguments,
        "id": item.get("call_id") or item.get("id"), "index": place,
    }  # fmt: skip
    return {**piece, "extras": extras} if extras else piece


def call_chunk(piece: Block, placed: bool) -> AIMessageChunk:
    """A chunk of a piece; `placed`: it stands among the blocks, in the order of the items."""
    return AIMessageChunk([piece] if placed else "", tool_call_chunks=[piece])


def escaped(text: str) -> str:
    """The free text of a custom tool as a stretch of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
