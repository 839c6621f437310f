"""`generateContent` the other way round, for `headrace.testing.loopback`.

with LoopbackServer(init_chat_model("offline:demo"), GenerateContentWire()) as server:
    ChatGoogleGenerativeAI(model="m", base_url=server.base_url)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headrace.messages import AIMessage, AIMessageChunk
from headrace.testing.loopback import Asked, Received

_FINISH = {"length": "MAX_TOKENS", "content_filter": "SAFETY"}
_ROLES = {"user": "human", "model": "ai"}


class GenerateContentWire:
    """Reads requests to `:generateContent` and its stream, and writes answers and events."""

    base = ""
    stream_type = "text/event-stream"
    carries_cut_arguments = False

    def read(self, request: Received) -> Asked | None:
        way = request.path.partition("?")[0].rpartition(":")[2]
        if way not in ("generateContent", "streamGenerateContent"):
            return None
        body = request.body
        config = body.get("generationConfig") or {}
        schema = config.get("responseJsonSchema")
        return Asked(
            messages=_messages(body),
            tools=[_tool(tool) for tool in _declared(body)],
            tool_choice=_choice(body),
            stop=config.get("stopSequences"),
            max_tokens=config.get("maxOutputTokens"),
            schema=schema,
            stream=way == "streamGenerateContent",
        )

    def whole(self, request: Received, message: AIMessage) -> dict[str, Any]:
        parts = [part for block in message.content_blocks if (part := _part(block))]
        parts += [_call(call) for call in message.tool_calls]
        return _event(request, message, parts, _finish(message) or "STOP")

    def events(self, request: Received, chunks: Iterable[AIMessageChunk]) -> Iterator[bytes]:
        total = AIMessageChunk()
        for chunk in chunks:
            total = total + chunk
            parts = [part for block in chunk.content_blocks if (part := _part(block))]
            if parts:
                yield _data(_event(request, chunk, parts, None))
        total = total + AIMessageChunk(chunk_position="last")
        calls = [_call(call) for call in total.tool_calls]  # the service sends calls whole
        yield _data(_event(request, total, calls, _finish(total) or "STOP"))

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = "NOT_FOUND" if status == 404 else "INVALID_ARGUMENT"
        return {"error": {"code": status, "message": message, "status": kind}}


def _messages(body: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    system = body.get("systemInstruction")
    if system:
        text = "".join(part.get("text", "") for part in system["parts"])
        found.append({"type": "system", "content": text})
    for content in body["contents"]:
        blocks, calls, results = [], [], []
        for part in content["parts"]:
            if "functionCall" in part:
                calls.append({"id": None, "args": {}, **part["functionCall"]})
            elif "functionResponse" in part:
                results.append(_result(part["functionResponse"]))
            elif "text" in part:
                blocks.append({"type": "text", "text": part["text"]})
            else:
                blocks.append(part)
        found.extend(results)
        if blocks or calls:
            message = {"type": _ROLES[content["role"]], "content": blocks}
            found.append({**message, "tool_calls": calls} if calls else message)
    return found


def _result(answer: Mapping[str, Any]) -> dict[str, Any]:
    response = answer.get("response") or {}
    text = response.get("output", response.get("error", ""))
    return {
        "type": "tool", "content": text if isinstance(text, str) else json.dumps(text),
        "tool_call_id": answer.get("id") or "", "name": answer["name"],
        "status": "error" if "error" in response else "success",
    }  # fmt: skip


def _declared(body: Mapping[str, Any]) -> list[Any]:
    return [tool for one in body.get("tools") or () for tool in one.get("functionDeclarations", ())]


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    parameters = tool.get("parametersJsonSchema") or {"type": "object", "properties": {}}
    return {
        "name": tool["name"], "description": tool.get("description", ""), "parameters": parameters,
    }  # fmt: skip


def _choice(body: Mapping[str, Any]) -> Any:
    config = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    allowed = config.get("allowedFunctionNames")
    if allowed:
        return allowed[0] if len(allowed) == 1 else allowed
    return {"ANY": "any", "NONE": "none"}.get(config.get("mode", ""))


def _part(block: Mapping[str, Any]) -> dict[str, Any] | None:
    match block["type"]:
        case "text":
            return {"text": block["text"]} if block["text"] else None
        case "reasoning":
            return {"text": block["reasoning"], "thought": True}
        case "image" | "audio" | "video" | "file" if block.get("base64"):
            return {"inlineData": {"mimeType": block.get("mime_type"), "data": block["base64"]}}
    return None


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    wire = {"name": call["name"], "args": call["args"]}
    return {"functionCall": {**wire, "id": call["id"]} if call["id"] else wire}


def _data(event: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\r\n\r\n"


def _finish(message: AIMessage) -> str | None:
    said = message.response_metadata.get("finish_reason")
    return _FINISH.get(said, "STOP") if said else None


def _event(
    request: Received, message: AIMessage, parts: list[Any], finish: str | None
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
    if finish:
        candidate["finishReason"] = finish
    event: dict[str, Any] = {
        "candidates": [candidate],
        "modelVersion": request.path.rpartition("/")[2].partition(":")[0],
        "responseId": message.id or "loopback",
    }
    used = message.usage_metadata
    if used:
        event["usageMetadata"] = {
            "promptTokenCount": used["input_tokens"],
            "candidatesTokenCount": used["output_tokens"],
            "totalTokenCount": used["total_tokens"],
        }
    return event
