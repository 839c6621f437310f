"""Messages as the `input` items of a Responses request.

Source: https://developers.openai.com/api/docs/guides/conversation-state (read 2026-11)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from headrace.chat_models import Notes
from headrace.errors import InputError
from headrace.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from headrace.transport import CallIds, leave_name_out, unsendable
from headrace_openai.call_ids import SIXTY_FOUR
from headrace_openai.dialects import Dialect
from headrace_openai.responses.items import ANSWERED_HERE, server_item
from headrace_openai.responses.parts import InputParts

Item = dict[str, Any]
Blocks = Sequence[Mapping[str, Any]]

_ROLES: Mapping[type[BaseMessage], str] = {
    HumanMessage: "user", SystemMessage: "system", DeveloperMessage: "developer",
}  # fmt: skip
# Their call's `call_id` is repeated; an approval has a form of its own.
_OUTPUTS = {kind: f"{kind}_output" for kind in ANSWERED_HERE if kind.endswith("_call")}


class InputHistory:
    """Writes one conversation; the messages themselves are only read.

    `stored`: the service keeps its answers, so reasoning may go back by its id alone.
    """

    def __init__(self, dialect: Dialect, notes: Notes, *, stored: bool) -> None:
        self.dialect, self.notes, self.stored = dialect, notes, stored
        self.parts = InputParts(dialect, notes)
        self._ids = CallIds(SIXTY_FOUR, notes)
        self._waiting: dict[str, str] = {}  # id of a call -> type of item that answers it

    def write(self, messages: Sequence[BaseMessage]) -> list[Item]:
        items: list[Item] = []
        for message in messages:
            items += self._items(message)
        return items

    def _items(self, message: BaseMessage) -> list[Item]:
        if not isinstance(message, ToolMessage):
            leave_name_out(message, "the Responses API", self.notes)
        match message:
            case AIMessage():
                return self._assistant(message)
            case ToolMessage():
                return [self._result(message)]
            case ChatMessage():
                return [self._said(message.role, message)]
        role = _ROLES.get(type(message))
        if role is None:
            raise unsendable(message)
        return [self._said(role, message)]

    def _said(self, role: str, message: BaseMessage) -> Item:
        if isinstance(message.content, str):
            return {"role": role, "content": message.content}
        blocks = cast("Blocks", message.content_blocks)
        own = [b["value"] for b in blocks if b["type"] == "non_standard"]
        items = [item for item in own if not str(item.get("type", "input_")).startswith("input_")]
        if items and len(items) == len(blocks):
            # The answer to an approval, and other items that stand for themselves.
            return dict(items[0]) if len(items) == 1 else self._several(items)
        return {"role": role, "content": self.parts.content(blocks)}

    def _several(self, items: Sequence[Mapping[str, Any]]) -> Item:
        kinds = ", ".join(str(item["type"]) for item in items)
        raise InputError(f"one message holds one item of the service's own, not {kinds}")

    # What the model said, item by item in its order.

    def _assistant(self, message: AIMessage) -> list[Item]:
        blocks = cast("Blocks", message.content_blocks)
        ours = message.response_metadata.get("model_provider") == self.dialect.id
        results = {b["tool_call_id"]: b for b in blocks if b["type"] == "server_tool_result"}
        items: list[Item] = []
        for block in blocks:
            match block["type"]:
                case "text" | "refusal":
                    self._add_text(items, block, message)
                case "reasoning":
                    self._add_reasoning(items, block, ours)
                case "tool_call" | "invalid_tool_call":
                    items.append(self._call(block))
                case "server_tool_call":
                    self._add_server_call(items, block, results.get(block["id"]), ours)
                case "server_tool_result" if ours:
                    pass  # it went with its call
                case "image" if ours and self._made_image(items, block):
                    pass
                case "non_standard" if ours:
                    items.append(dict(block["value"]))
                case kind:
                    self._lose(kind, "an answer of the model cannot carry it")
        return items

    def _add_text(self, items: list[Item], block: Mapping[str, Any], message: AIMessage) -> None:
        """Text goes to the message before it, if that is of the same phase."""
        text = block.get("text") if block["type"] == "text" else block["refusal"]
        phase = (block.get("extras") or {}).get("phase") or message.response_metadata.get("phase")
        kind = "output_text" if block["type"] == "text" else "refusal"
        if not text:
            return
        part = {"type": kind, "text" if kind == "output_text" else "refusal": text}
        last = items[-1] if items else {}
        if last.get("role") == "assistant" and last.get("phase") == phase:
            last["content"].append(part)
            return
        item: Item = {"role": "assistant", "content": [part]}
        items.append({**item, "phase": phase} if phase else item)

    def _add_reasoning(self, items: list[Item], block: Mapping[str, Any], ours: bool) -> None:
        extras, id = block.get("extras") or {}, block.get("id")
        last = items[-1] if items else {}
        if ours and id and last.get("type") == "reasoning" and last.get("id") == id:
            self._add_part(last, block)
            return
        if not ours or not id or not (self.stored or extras.get("encrypted_content")):
            reason = (
                "it was made by another service" if not ours
                else "without its encrypted content it cannot go back unless it was stored"
            )  # fmt: skip
            self._lose("reasoning", reason)
            return
        item: Item = {"type": "reasoning", "id": id, "summary": []}
        if extras.get("encrypted_content"):
            item["encrypted_content"] = extras["encrypted_content"]
        self._add_part(item, block)
        items.append(item)

    def _add_part(self, item: Item, block: Mapping[str, Any]) -> None:
        text = block.get("reasoning")
        if not text:
            return
        if (block.get("extras") or {}).get("part") == "content":
            item.setdefault("content", []).append({"type": "reasoning_text", "text": text})
        else:
            item["summary"].append({"type": "summary_text", "text": text})

    def _call(self, call: Mapping[str, Any]) -> Item:
        extras, args = call.get("extras") or {}, call.get("args")
        head: Item = {"call_id": self._ids.of_call(call["id"]), "name": call["name"] or ""}
        if extras.get("type") == "custom":
            self._waiting[head["call_id"]] = "custom_tool_call_output"
            text = args.get("input", "") if isinstance(args, dict) else args or ""
            return {"type": "custom_tool_call", **head, "input": text}
        text = args if isinstance(args, str) else self.parts.json(args or {})
        more = {key: extras[key] for key in ("namespace", "caller") if key in extras}
        return {"type": "function_call", **head, "arguments": text, **more}

    def _add_server_call(
        self, items: list[Item], call: Mapping[str, Any], result: Any, ours: bool
    ) -> None:
        if not ours:
            self._lose("server_tool_call", "another service ran it")
            return
        item = server_item(call, result)
        if item["type"] in _OUTPUTS and result is None:
            self._waiting[str(call["id"])] = _OUTPUTS[item["type"]]
        items.append(item)

    def _made_image(self, items: list[Item], block: Mapping[str, Any]) -> bool:
        """Puts an image back into the call that made it."""
        for item in reversed(items):
            if item.get("type") == "image_generation_call" and item.get("id") == block.get("id"):
                item["result"] = block.get("base64")
                return True
        return False

    def _lose(self, kind: str, reason: str) -> None:
        self.notes.record(kind, kind, None, "left out", reason)

    # What a tool gave back.

    def _result(self, message: ToolMessage) -> Item:
        id = self._ids.of_result(message.tool_call_id)
        kind = self._waiting.get(id, "function_call_output")
        blocks = cast("Blocks", message.content_blocks)
        own = next((b["value"] for b in blocks if b["type"] == "non_standard"), None)
        if own is not None and str(own.get("type", "")).endswith("_output"):
            return {"call_id": id, **own}
        output: Any = message.content
        if not isinstance(output, str):
            output = self.parts.content(blocks)
        if kind == "computer_call_output" and isinstance(output, list):
            output = _screenshot(output)
        item: Item = {"type": kind, "call_id": id, "output": output}
        if kind == "local_shell_call_output":
            item["id"] = item.pop("call_id")
        if kind == "apply_patch_call_output":
            item["status"] = "failed" if message.status == "error" else "completed"
        return item


def _screenshot(parts: list[Item]) -> Item:
    """What a computer shows, of the first image of a result."""
    shown: Item = next((part for part in parts if part["type"] == "input_image"), {})
    found: Item = {key: shown[key] for key in ("image_url", "file_id") if key in shown}
    return {"type": "computer_screenshot", **found}
