"""The Responses API the other way round, for `headrace.testing.loopback`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headrace.messages import AIMessage, AIMessageChunk, message_chunk_to_message, sum_chunks
from headrace.testing.loopback import Asked, Received

Item = dict[str, Any]


class ResponsesWire:
    """Reads requests to `/responses` and writes responses and their events."""

    base = "/v1"
    stream_type = "text/event-stream"

    def read(self, request: Received) -> Asked | None:
        body = request.body
        if not request.path.partition("?")[0].endswith("/responses"):
            return None
        form = (body.get("text") or {}).get("format") or {}
        schema = None
        if form.get("type") == "json_schema":
            schema = {"title": form["name"], **form["schema"]}
        return Asked(
            messages=[_message(item) for item in body["input"] if item.get("type") != "reasoning"],
            tools=[tool for tool in body.get("tools") or () if tool["type"] == "function"],
            tool_choice=_choice(body.get("tool_choice")),
            max_tokens=body.get("max_output_tokens"),
            schema=schema,
            stream=bool(body.get("stream")),
        )

    def whole(self, request: Received, message: AIMessage) -> dict[str, Any]:
        return _response(request.body, message, _items(message))

    def events(self, request: Received, chunks: Iterable[AIMessageChunk]) -> Iterator[bytes]:
        """Text as it comes; what else the answer holds when it is whole."""
        seen: list[AIMessageChunk] = []
        yield _event("response.created", response=_head(request.body))
        for chunk in chunks:
            seen.append(chunk)
            if isinstance(chunk.content, str) and chunk.content:
                yield _event("response.output_text.delta", output_index=0, delta=chunk.content)
        message = message_chunk_to_message(sum_chunks(seen))
        assert isinstance(message, AIMessage)
        items = _items(message)
        for place, item in enumerate(items):
            yield _event("response.output_item.done", output_index=place, item=item)
        yield _event("response.completed", response=_response(request.body, message, items))

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = "invalid_request_error" if status == 400 else "not_found_error"
        return {"error": {"message": message, "type": kind, "code": None}}


def _event(kind: str, **fields: Any) -> bytes:
    return f"data: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _message(item: Mapping[str, Any]) -> dict[str, Any]:
    """An input item as a message that `convert_to_messages` reads."""
    match item.get("type", "message"):
        case "function_call":
            call = {"id": item["call_id"], "name": item["name"], "args": _args(item["arguments"])}
            return {"role": "assistant", "content": "", "tool_calls": [call]}
        case "function_call_output":
            return {
                "role": "tool",
                "content": item["output"],
                "tool_call_id": item["call_id"],
            }
    return {"role": item["role"], "content": item["content"]}


def _args(text: str) -> Any:
    return json.loads(text or "{}")


def _choice(choice: Any) -> Any:
    match choice:
        case {"type": "allowed_tools", "tools": tools}:
            return [tool["name"] for tool in tools]
        case {"type": "function", "name": name}:
            return name
    return choice


def _items(message: AIMessage) -> list[Item]:
    """The output items of an answer: text first, where a stream has begun to tell it."""
    blocks: Any = message.content_blocks
    items: list[Item] = []
    for number, block in enumerate(blocks):
        match block["type"]:
            case "text" if block["text"]:
                part = {"type": "output_text", "text": block["text"], "annotations": []}
                items.append({"type": "message", "role": "assistant", "content": [part]})
            case "reasoning":
                part = {"type": "summary_text", "text": block["reasoning"]}
                items.append({"type": "reasoning", "id": f"rs_{number}", "summary": [part]})
            case "tool_call" | "invalid_tool_call":
                args = block["args"] or {}
                text = args if isinstance(args, str) else json.dumps(args)
                items.append(
                    {
                        "type": "function_call",
                        "call_id": block["id"],
                        "name": block["name"],
                        "arguments": text,
                        "status": "completed",
                    }
                )
    return items


def _head(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": "resp_loopback",
        "object": "response",
        "model": body.get("model", "loopback"),
        "tools": body.get("tools") or [],
        "status": "in_progress",
        "output": [],
    }


def _response(body: Mapping[str, Any], message: AIMessage, items: list[Item]) -> dict[str, Any]:
    cut = message.response_metadata.get("finish_reason") == "length"
    used = message.usage_metadata
    return {
        **_head(body),
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": items,
        "usage": None
        if used is None
        else {
            "input_tokens": used["input_tokens"],
            "output_tokens": used["output_tokens"],
            "total_tokens": used["total_tokens"],
        },
    }
