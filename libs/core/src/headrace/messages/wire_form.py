"""Messages in the Chat Completions wire form, for datasets, other tools, and hand-made requests.

Source: https://platform.openai.com/docs/api-reference/chat/create (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from headrace.deferred import pydantic_core
from headrace.errors import InputError
from headrace.messages.canonical import canonical_block
from headrace.messages.chunks import message_chunk_to_message
from headrace.messages.coerce import convert_to_messages
from headrace.messages.kinds import ChatMessage, RemoveMessage, ToolMessage
from headrace.messages.message import BaseMessage

Wire: TypeAlias = dict[str, Any]

_ROLES = {"human": "user", "ai": "assistant"}
_FORMATS = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/x-wav": "wav", "audio/pcm": "pcm16"}


def convert_to_openai_messages(
    messages: Any,
    *,
    text_format: Literal["string", "block"] = "string",
    include_id: bool = False,
    pass_through_unknown_blocks: bool = True,
) -> Wire | list[Wire]:
    """The messages as Chat Completions dicts; for one message, one dict.

    "string" makes content that is text alone one str, "block" always makes a list of parts.
    Tool results inside a user's message become messages of their own. A block that the form
    cannot carry is passed on as it is, or an InputError.
    """
    if text_format not in ("string", "block"):
        raise InputError(f"`text_format` is 'string' or 'block', not {text_format!r}")
    single = isinstance(messages, BaseMessage | str | Mapping) or (
        isinstance(messages, tuple) and len(messages) == 2 and isinstance(messages[0], str)
    )
    result: list[Wire] = []
    for message in convert_to_messages(messages):
        writer = _Writer(text_format == "block", pass_through_unknown_blocks)
        result.extend(writer.write(message_chunk_to_message(message), include_id))
    return result[0] if single and len(result) == 1 else result


class _Writer:
    """Collects what the blocks of one message become."""

    def __init__(self, as_blocks: bool, pass_through: bool) -> None:
        self.as_blocks, self.pass_through = as_blocks, pass_through
        self.parts: list[Wire] = []
        self.calls: list[Wire] = []
        self.results: list[Wire] = []

    def write(self, message: BaseMessage, include_id: bool) -> list[Wire]:
        if isinstance(message, RemoveMessage):
            raise InputError("a RemoveMessage cannot be sent; apply it to the history first")
        role = message.role if isinstance(message, ChatMessage) else _ROLES.get(message.type)
        wire: Wire = {"role": role or message.type}
        if message.name:
            wire["name"] = message.name
        if include_id and message.id:
            wire["id"] = message.id
        for block in message.content_blocks:
            self._add(block)
        wire["content"] = self._content()
        if self.calls:
            wire["tool_calls"] = self.calls
        if isinstance(message, ToolMessage):
            wire["tool_call_id"] = message.tool_call_id
        says_nothing = self.results and not self.parts and not self.calls
        return self.results if says_nothing else [*self.results, wire]

    def _content(self) -> str | list[Wire]:
        if not self.as_blocks and all(part.get("type") == "text" for part in self.parts):
            return "\n".join(part["text"] for part in self.parts)
        return self.parts

    def _add(self, block: Any) -> None:
        kind = block["type"]
        if kind == "tool_call" or kind == "invalid_tool_call":
            self.calls.append(_call(block))
        elif kind == "server_tool_result" and _is_client_result(block):
            self.results.append(self._result(block))
        elif kind == "non_standard" and block["value"].keys() & {"cachePoint", "cache_point"}:
            return  # a marker, not content
        else:
            part = _WRITERS[kind](block) if kind in _WRITERS else None
            if part is None:
                part = self._unknown(block)
            self.parts.append(part)

    def _result(self, block: Any) -> Wire:
        output = block.get("output")
        inner = _Writer(self.as_blocks, self.pass_through)
        if not isinstance(output, list):
            output = [output] if output else []
        for part in output:
            inner._add(_json_text(part) or canonical_block(part))
        return {"role": "tool", "tool_call_id": block["tool_call_id"], "content": inner._content()}

    def _unknown(self, block: Any) -> Wire:
        if not self.pass_through:
            raise InputError(f"Chat Completions cannot carry a block of type `{block['type']}`")
        found: Wire = dict(block["value"] if block["type"] == "non_standard" else block)
        return found


def _call(block: Any) -> Wire:
    args = block["args"]
    text = args if isinstance(args, str) else pydantic_core.to_json(args or {}).decode()
    function = {"name": block["name"], "arguments": text}
    return {"type": "function", "id": block["id"], "function": function}


def _is_client_result(block: Any) -> bool:
    return (block.get("extras") or {}).get("block_type") in ("tool_result", "toolResult")


def _json_text(part: Any) -> Any:
    """The text block for a part {"json": …} of a result, or for one that is no block."""
    if isinstance(part, str):
        return None
    if isinstance(part, dict) and isinstance(part.get("type", ""), str):
        if "type" in part or "json" not in part:
            return None
        part = part["json"]
    return {"type": "text", "text": pydantic_core.to_json(part).decode()}


def _text(block: Any) -> Wire:
    return {"type": "text", "text": block.get("text") or ""}


def _refusal(block: Any) -> Wire:
    return {"type": "refusal", "refusal": block.get("refusal") or ""}


def _image(block: Any) -> Wire | None:
    url = block.get("url") or _data_url(block, "image/png")
    if url is None:
        return _file(block)
    image = {"url": url}
    detail = (block.get("extras") or {}).get("detail")
    if detail:
        image["detail"] = detail
    return {"type": "image_url", "image_url": image}


def _audio(block: Any) -> Wire | None:
    if not block.get("base64"):
        return _file(block)
    mime = block.get("mime_type") or "audio/wav"
    form = _FORMATS.get(mime, mime.partition("/")[2])
    return {"type": "input_audio", "input_audio": {"data": block["base64"], "format": form}}


def _file(block: Any) -> Wire | None:
    inner: Wire = {}
    if block.get("file_id"):
        inner["file_id"] = block["file_id"]
    elif block.get("base64"):
        inner["file_data"] = _data_url(block, "application/octet-stream")
        # The API refuses data without a name.
        inner["filename"] = block.get("filename") or "file"
    else:
        return None
    return {"type": "file", "file": inner}


def _plain(block: Any) -> Wire | None:
    return _text(block) if block.get("text") is not None else _file(block)


def _data_url(block: Any, default: str) -> str | None:
    data = block.get("base64")
    if not data or data.startswith("data:"):
        return data or None
    return f"data:{block.get('mime_type') or default};base64,{data}"


_WRITERS = {
    "text": _text,
    "refusal": _refusal,
    "image": _image,
    "audio": _audio,
    "file": _file,
    "text-plain": _plain,
}
