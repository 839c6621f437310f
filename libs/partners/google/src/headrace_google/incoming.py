"""The parts of an answer as content blocks.

A thought signature rides in `extras["thought_signature"]` of whatever it came with.
Source: https://ai.google.dev/api/caching#Part (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Block = dict[str, Any]

SIGNATURE = "thought_signature"
CODE = "code_execution"
_MEDIA = ("image", "audio", "video")


class PartReader:
    """Reads the parts of one candidate, one after the other.

    Calls of the service's own tools have ids only since Gemini 3; others get `code_execution_0`
    and so on, which say which result belongs to which call and never go back out.
    """

    __slots__ = ("_codes", "_results")

    def __init__(self) -> None:
        self._codes = self._results = 0

    def block(self, part: Mapping[str, Any]) -> Block | None:
        """The block of a part that is no function call; None for an empty one."""
        if "text" in part:
            block = self._text(part)
        elif "inlineData" in part:
            block = _inline(part["inlineData"])
        elif "fileData" in part:
            block = _file(part["fileData"])
        elif "executableCode" in part:
            block = self._code(part["executableCode"])
        elif "codeExecutionResult" in part:
            block = self._code_result(part["codeExecutionResult"])
        elif "toolCall" in part:
            block = _tool_call(part["toolCall"])
        elif "toolResponse" in part:
            block = _tool_response(part["toolResponse"])
        elif part.keys() <= {"thoughtSignature", "thought"}:
            block = {"type": "text", "text": ""}  # what a signature at the end hangs on
        else:
            return {"type": "non_standard", "value": dict(part)}
        return _signed(block, part)

    def _text(self, part: Mapping[str, Any]) -> Block:
        text = part["text"]
        if text.__class__ is not str:
            raise TypeError(f"the text of a part is {text!r}")
        if part.get("thought"):
            return {"type": "reasoning", "reasoning": text}
        return {"type": "text", "text": text}

    def _code(self, code: Mapping[str, Any]) -> Block:
        id = code.get("id") or f"{CODE}_{self._codes}"
        self._codes += 1
        args = {key: code[key] for key in ("language", "code") if key in code}
        return {"type": "server_tool_call", "id": id, "name": CODE, "args": args}

    def _code_result(self, result: Mapping[str, Any]) -> Block:
        id = result.get("id") or f"{CODE}_{self._results}"
        self._results += 1
        outcome = result.get("outcome")
        return {
            "type": "server_tool_result",
            "tool_call_id": id,
            "status": "success" if outcome == "OUTCOME_OK" else "error",
            "output": result.get("output", ""),
            "extras": {"outcome": outcome},
        }


def _signed(block: Block, part: Mapping[str, Any]) -> Block | None:
    """The block with what else the part says; None if that is nothing at all."""
    signature = part.get("thoughtSignature")
    if signature:
        block["extras"] = {**block.get("extras", {}), SIGNATURE: signature}
    elif block.get("text") == "" or block.get("reasoning") == "":
        return None
    if part.get("thought") and block["type"] in (*_MEDIA, "file"):
        block["extras"] = {**block.get("extras", {}), "thought": True}
    return block


def _inline(blob: Mapping[str, Any]) -> Block:
    mime = blob.get("mimeType") or ""
    return {"type": _kind(mime), "base64": blob["data"], "mime_type": mime}


def _file(data: Mapping[str, Any]) -> Block:
    mime = data.get("mimeType") or ""
    block = {"type": _kind(mime), "url": data["fileUri"]}
    return {**block, "mime_type": mime} if mime else block


def _kind(mime: str) -> str:
    kind = mime.partition("/")[0]
    return kind if kind in _MEDIA else "file"


def _tool_call(call: Mapping[str, Any]) -> Block:
    tool = call.get("toolType") or ""
    return {
        "type": "server_tool_call",
        "id": call.get("id"),
        "name": tool.lower(),
        "args": dict(call.get("args") or {}),
        "extras": {"tool_type": tool},
    }


def _tool_response(answer: Mapping[str, Any]) -> Block:
    return {
        "type": "server_tool_result",
        "tool_call_id": answer.get("id") or "",
        "status": "success",
        "output": answer.get("response"),
        "extras": {"tool_type": answer.get("toolType")},
    }
