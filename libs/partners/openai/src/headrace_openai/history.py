"""Messages as the `messages` of a Chat Completions request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from headrace.chat_models import Notes
from headrace.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from headrace.transport import CallIds, unsendable
from headrace_openai.calls import wire_call
from headrace_openai.dialects import Dialect, ReasoningField
from headrace_openai.outgoing import Part, Parts
from headrace_openai.reasoning import reasoning_out, thinking_part

Blocks = Sequence[Mapping[str, Any]]

_BAD_NAME = re.compile(r"[\s<|\\/>]+")  # what OpenAI refuses in `name`
_MEDIA = frozenset({"image", "audio", "video", "file"})
_CARRIED = frozenset({"text", "refusal", "tool_call", "invalid_tool_call"})


class History:
    """Writes one conversation; the messages themselves are only read."""

    def __init__(self, dialect: Dialect, notes: Notes, reasoning: ReasoningField | None) -> None:
        self.dialect, self.notes, self.reasoning = dialect, notes, reasoning
        self.parts = Parts(dialect, notes)
        self._shown: list[Part] = []  # media of tool results, until the run of results ends
        self._answered: set[str] = set()
        self._ids = CallIds(dialect.call_ids, notes)

    def write(self, messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
        self._answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
        wire: list[dict[str, Any]] = []
        for message in messages:
            if self._shown and not isinstance(message, ToolMessage):
                wire.append(self._media_message())
            wire.append(self._message(message))
        if self._shown:
            wire.append(self._media_message())
        return wire

    def _message(self, message: BaseMessage) -> dict[str, Any]:
        match message:
            case AIMessage():
                wire = self._assistant(message)
            case ToolMessage():
                return self._tool(message)
            case HumanMessage():
                wire = {"role": "user", "content": self._content(message)}
            case SystemMessage():
                wire = {"role": "system", "content": self._content(message)}
            case DeveloperMessage():
                wire = {"role": self._developer(), "content": self._content(message)}
            case ChatMessage():
                wire = {"role": message.role, "content": self._content(message)}
            case _:
                raise unsendable(message)
        if message.name is not None:
            self._add_name(wire, message.name)
        return wire

    def _content(self, message: BaseMessage) -> str | list[Part]:
        if isinstance(message.content, str):
            return message.content
        return self.parts.content(cast("Blocks", message.content_blocks))

    def _developer(self) -> str:
        if self.dialect.developer_role:
            return "developer"
        reason = f"`{self.dialect.id}` has no such role"
        self.notes.record("developer message", "developer", "system", "translated", reason)
        return "system"

    def _add_name(self, wire: dict[str, Any], name: str) -> None:
        if not self.dialect.names:
            reason = f"`{self.dialect.id}` takes no names"
            kept = self.notes.change("name", name, None, "left out", reason, apart=True)
            if kept is None:
                return
        wire["name"] = _BAD_NAME.sub("_", name)
        if wire["name"] != name:
            reason = "a name has no spaces and none of < | \\ / >"
            self.notes.record("name", name, wire["name"], "translated", reason)

    def _assistant(self, message: AIMessage) -> dict[str, Any]:
        blocks: Blocks = (
            () if isinstance(message.content, str) and not message.additional_kwargs
            else cast("Blocks", message.content_blocks)
        )  # fmt: skip
        own = message.response_metadata.get("model_provider") in (None, self.dialect.id)
        wire: dict[str, Any] = {"role": "assistant", "content": message.text or None}
        said = [block for block in blocks if block["type"] == "reasoning"] if own else []
        if self.reasoning is not None:
            if said:
                self._add_reasoning(wire, said)
            elif self.dialect.reasoning_with_calls and message.tool_calls:
                wire[self.reasoning] = ""
        refusal = "".join(b["refusal"] for b in blocks if b["type"] == "refusal")
        if refusal:
            wire["refusal"] = refusal
        audio = next((b["id"] for b in blocks if b["type"] == "audio" and b.get("id")), None)
        if audio is not None and own:
            wire["audio"] = {"id": audio}
        for key in self.dialect.call_extras & message.additional_kwargs.keys():
            if own:
                wire[key] = message.additional_kwargs[key]
        self._tell_left_out(blocks, own, audio is not None)
        calls = self._calls(message, own)
        if calls:
            wire["tool_calls"] = calls
        elif wire["content"] is None and not refusal and audio is None:
            wire["content"] = ""
        return wire

    def _add_reasoning(self, wire: dict[str, Any], said: Blocks) -> None:
        field = cast("ReasoningField", self.reasoning)
        if field == "thinking":
            text = [{"type": "text", "text": wire["content"]}] if wire["content"] else []
            wire["content"] = [*(thinking_part(block) for block in said), *text]
        else:
            wire.update(reasoning_out(said, field))

    def _tell_left_out(self, blocks: Blocks, own: bool, spoken: bool) -> None:
        """Records what of an answer has no place in a message here; `spoken`: its audio has."""
        carried = set(_CARRIED)
        if own:
            carried |= {"reasoning"} if self.reasoning is not None else set()
            carried |= {"audio"} if spoken else set()
        reason = (
            f"`{self.dialect.id}` has no place for it in an answer" if own
            else "only the service that made it understands it"
        )  # fmt: skip
        for kind in sorted({str(b["type"]) for b in blocks} - carried):
            self.notes.record(kind, kind, None, "left out", reason)

    def _calls(self, message: AIMessage, own: bool) -> list[dict[str, Any]]:
        """All calls, and of the invalid ones those that a tool result answers."""
        calls: list[Mapping[str, Any]] = [*message.tool_calls]
        calls += [c for c in message.invalid_tool_calls if c["id"] in self._answered]
        extras = self.dialect.call_extras if own else ()
        return [wire_call(call, extras, self._ids.of_call(call["id"])) for call in calls]

    def _tool(self, message: ToolMessage) -> dict[str, Any]:
        id = self._ids.of_result(message.tool_call_id)
        if isinstance(message.content, str):
            return {"role": "tool", "tool_call_id": id, "content": message.content}
        blocks = cast("Blocks", message.content_blocks)
        media = [block for block in blocks if block["type"] in _MEDIA]
        rest = [block for block in blocks if block["type"] not in _MEDIA]
        if media:
            # A tool message holds text only; the media follow the results as the user's.
            head = {"type": "text", "text": f"Shown by the tool call {id}:"}
            self._shown.extend([head, *map(self.parts.part, media)])
            kinds = ", ".join(sorted({str(block["type"]) for block in media}))
            reason = "a tool message holds text only"
            self.notes.record("tool result", kinds, "user message", "translated", reason)
            if not rest:
                rest = [{"type": "text", "text": "The result is shown in the next user message."}]
        return {"role": "tool", "tool_call_id": id, "content": self.parts.content(rest)}

    def _media_message(self) -> dict[str, Any]:
        shown, self._shown = self._shown, []
        return {"role": "user", "content": shown}


def write_history(
    messages: Iterable[BaseMessage],
    dialect: Dialect,
    notes: Notes,
    reasoning: ReasoningField | None = None,
) -> list[dict[str, Any]]:
    """The wire messages of a conversation; `reasoning` overrides the dialect's field."""
    return History(dialect, notes, reasoning or dialect.reasoning_out).write(list(messages))
