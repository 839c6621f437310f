"""Messages as `system` and `messages` of a request.

Neighbouring turns of one role become one, results of tools first. What only the service that
said it understands (signed reasoning, calls of its server tools) goes back to it alone.
Source: https://platform.claude.com/docs/en/api/messages (read 2026-11)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, cast

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
from headrace.transport import CallIds, IdRule, leave_name_out, unsendable
from headrace_anthropic.incoming import Block
from headrace_anthropic.outgoing import Parts, plain, said, server_call, server_result

if TYPE_CHECKING:
    from headrace.chat_models import Notes

Blocks = Sequence[Mapping[str, Any]]

# The providers whose answers Claude wrote: signatures hold on all its platforms.
OWN = frozenset({"anthropic", "anthropic_bedrock", "anthropic_vertex"})
_IDS = IdRule(re.compile(r"[a-zA-Z0-9_-]+"), "an id has letters, digits, `_` and `-`")
_MEDIA = frozenset({"image", "audio", "video", "file"})


class History:
    """Writes one conversation; the messages themselves are only read."""

    def __init__(self, notes: Notes) -> None:
        self.notes, self.parts = notes, Parts(notes)
        self.system: list[Block] = []
        self.turns: list[Block] = []
        self._ids = CallIds(_IDS, notes)
        self._answered: set[str] = set()
        self._waiting: list[Block] = []  # instructions that must not follow an answer

    def write(self, messages: Sequence[BaseMessage]) -> None:
        self._answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
        for message, after in zip_longest(messages, messages[1:]):
            self._add(message)
            heard = self.turns and self.turns[-1]["role"] == "user"
            if self._waiting and heard and not isinstance(after, HumanMessage | ToolMessage):
                self._say("system", self._take_waiting())
        if self._waiting:
            self._say("system", self._take_waiting())
        for turn in self.turns:
            if turn["role"] == "user":
                blocks = turn["content"]
                results = [b for b in blocks if b["type"] == "tool_result"]
                turn["content"] = results + [b for b in blocks if b["type"] != "tool_result"]
            turn["content"] = plain(turn["content"])

    def _add(self, message: BaseMessage) -> None:
        match message:
            case AIMessage():
                self._say("assistant", self._assistant(message))
            case ToolMessage():
                self._say("user", [self._result(message)])
            case HumanMessage():
                self._say("user", self._content(message))
            case SystemMessage() | DeveloperMessage():
                self._instruct(message)
            case ChatMessage() if message.role in ("user", "assistant"):
                self._say(message.role, self._content(message))
            case ChatMessage():
                raise InputError(
                    f"the Messages API has no role {message.role!r}; it takes user and assistant"
                )
            case _:
                raise unsendable(message)
        if not isinstance(message, ToolMessage):
            leave_name_out(message, "the Messages API", self.notes)

    def _take_waiting(self) -> list[Block]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def _say(self, role: str, blocks: list[Block]) -> None:
        if not blocks:
            reason = "the Messages API takes no empty messages"
            self.notes.record(f"{role} message", "", None, "left out", reason)
        elif self.turns and self.turns[-1]["role"] == role:
            self.turns[-1]["content"] += blocks
        else:
            self.turns.append({"role": role, "content": blocks})

    def _instruct(self, message: BaseMessage) -> None:
        if isinstance(message, DeveloperMessage):
            reason = "the Messages API has no such role"
            self.notes.record("developer message", "developer", "system", "translated", reason)
        blocks = self._content(message)
        if not self.turns:
            self.system += blocks
        elif not blocks:
            return
        elif self.turns[-1]["role"] == "assistant":
            # "immediately after a user turn": …/models/whats-new-claude-4-8 (read 2026-11)
            self._waiting += blocks
            reason = "it may stand only after what the user says"
            self.notes.record(
                "system message", "after an answer", "after the next turn", "translated", reason
            )
        else:
            self._say("system", blocks)

    def _content(self, message: BaseMessage) -> list[Block]:
        if isinstance(message.content, str):
            return [{"type": "text", "text": message.content}] if message.content else []
        return self.parts.content(cast("Blocks", message.content_blocks))

    # What Claude said.

    def _assistant(self, message: AIMessage) -> list[Block]:
        whose = message.response_metadata.get("model_provider")
        own = whose is None or whose in OWN
        wire = []
        for block in cast("Blocks", message.content_blocks):
            part = self._spoken(block, own)
            if part is not None:
                wire.append(part)
        return wire

    def _spoken(self, block: Mapping[str, Any], own: bool) -> Block | None:
        extras = block.get("extras") or {}
        match block["type"]:
            case "text":
                part = self.parts.text({**block, "extras": extras if own else _portable(extras)})
                return part and (said(block, part) if own else part)
            case "reasoning":
                return self._reasoning(block, own)
            case "tool_call":
                return self._call(block, own)
            case "invalid_tool_call" if block.get("id") in self._answered:
                args = {"INVALID_JSON": block.get("args") or ""}
                return self._call({**block, "args": args}, own)
            case "invalid_tool_call":
                return self._foreign("invalid tool call", "nothing answers it")
            case "refusal":
                return self.parts.text({"type": "text", "text": block["refusal"]})
            case "server_tool_call" if own:
                return server_call(block)
            case "server_tool_result" if own and extras.get("block_type"):
                return server_result(block)
            case "non_standard" if own:
                return dict(block["value"])
            case kind if kind in _MEDIA:
                return self.parts.lost(block, f"`{kind}` in what the model said")
            case kind:
                return self._foreign(str(kind), "it is another service's own")

    def _reasoning(self, block: Mapping[str, Any], own: bool) -> Block | None:
        extras = block.get("extras") or {}
        if own and extras.get("redacted_data"):
            return {"type": "redacted_thinking", "data": extras["redacted_data"]}
        if own and extras.get("signature"):
            signature = extras["signature"]
            thought = block.get("reasoning") or ""
            return {"type": "thinking", "thinking": thought, "signature": signature}
        return self._foreign("reasoning", "Claude takes back only what it signed itself")

    def _foreign(self, what: str, reason: str) -> Block | None:
        self.notes.record(what, what, None, "left out", reason)
        return None

    def _call(self, block: Mapping[str, Any], own: bool) -> Block:
        id = self._ids.of_call(block.get("id"))
        args = block.get("args") or {}
        part = {"type": "tool_use", "id": id, "name": block["name"], "input": args}
        extras = block.get("extras") or {}
        kept = extras if own else _portable(extras)
        return self.parts.marked(part, {**block, "extras": kept})

    # What tools gave back.

    def _result(self, message: ToolMessage) -> Block:
        id = self._ids.of_result(message.tool_call_id)
        part: Block = {"type": "tool_result", "tool_use_id": id}
        blocks = self._content(message)
        marker = _marker(message)
        if blocks:
            part["content"] = plain(blocks)
        if message.status == "error":
            part["is_error"] = True
        return {**part, "cache_control": marker} if marker else part


def _marker(message: ToolMessage) -> Any:
    """A cache marker on the whole result."""
    return message.additional_kwargs.get("cache_control")


def _portable(extras: Mapping[str, Any]) -> dict[str, Any]:
    """Of another service's extras only the marker that means the same everywhere."""
    return {k: v for k, v in extras.items() if k == "cache_control"}


def write_history(messages: Iterable[BaseMessage], notes: Notes) -> tuple[list[Block], list[Block]]:
    """(system, messages) of a conversation, as blocks and as turns."""
    history = History(notes)
    history.write(list(messages))
    return history.system, history.turns
