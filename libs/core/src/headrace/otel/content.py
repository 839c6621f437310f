"""What was said, in the form in which the conventions record it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import to_json

from headrace.callbacks.recording import Recording
from headrace.messages import AIMessage, BaseMessage, ToolMessage, convert_to_messages
from headrace.otel.names import FINISH, ROLES

# Keys of known forms are redacted here as in the event log; nothing is cut.
_WHOLE = Recording(max_chars=None, max_items=None, max_depth=None)
_MODALITIES = {"image": "image", "audio": "audio", "video": "video", "file": "document"}


def as_json(value: Any) -> str:
    """A value as the text of an attribute, for spans hold no structures."""
    found = _WHOLE.record({"value": value})
    assert found is not None  # nobody redacts here
    return to_json(found["value"], inf_nan_mode="null").decode()


def input_messages(messages: Iterable[Any]) -> list[dict[str, Any]]:
    """The conversation, message by message, by the conventions' JSON Schema."""
    return [_message(message) for message in convert_to_messages(messages)]


def output_messages(answer: BaseMessage) -> list[dict[str, Any]]:
    """The answer: the one choice that a message is."""
    reason = str(answer.response_metadata.get("finish_reason") or "unknown")
    return [{**_message(answer), "finish_reason": FINISH.get(reason, reason)}]


def definitions(tools: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What tools are called and for; their parameters may be large and are left out."""
    return [
        {
            "type": "function" if "name" in tool else str(tool.get("type")),
            "name": str(tool.get("name") or tool.get("type")),
            "description": tool.get("description"),
        }
        for tool in tools
    ]


def _message(message: BaseMessage) -> dict[str, Any]:
    role = ROLES.get(message.type, message.type)
    if isinstance(message, AIMessage):  # chunks too
        role = "assistant"
    found: dict[str, Any] = {"role": role, "parts": _parts(message)}
    if message.name:
        found["name"] = message.name
    return found


def _parts(message: BaseMessage) -> list[dict[str, Any]]:
    if isinstance(message, ToolMessage):
        told = {"type": "tool_call_response", "id": message.tool_call_id}
        return [{**told, "response": message.content}]
    return [_part(block) for block in message.content_blocks]


def _part(block: Mapping[str, Any]) -> dict[str, Any]:
    kind = block["type"]
    match kind:
        case "text" | "text-plain":
            return {"type": "text", "content": block.get("text") or ""}
        case "reasoning":
            return {"type": "reasoning", "content": block.get("reasoning") or ""}
        case "tool_call" | "invalid_tool_call" | "tool_call_chunk":
            called = {"type": "tool_call", "id": block.get("id"), "name": block.get("name") or ""}
            return {**called, "arguments": block.get("args")}
    if kind in _MODALITIES:
        return _medium(block, _MODALITIES[kind])
    return {key: value for key, value in block.items() if key != "extras"}


def _medium(block: Mapping[str, Any], modality: str) -> dict[str, Any]:
    about = {"modality": modality, "mime_type": block.get("mime_type")}
    if (url := block.get("url")) is not None:
        return {"type": "uri", **about, "uri": url}
    if (file_id := block.get("file_id")) is not None:
        return {"type": "file", **about, "file_id": file_id}
    size = len(block.get("base64") or "")
    return {"type": "blob", **about, "content": f"<{size} characters of base64>"}
