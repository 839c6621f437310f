"""Messages as the `input.messages` of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from headrace.messages import (
    AIMessage,
    BaseMessage,
    ToolMessage,
)
from headrace.transport import ANY_ID, CallIds, leave_name_out, role_of
from headrace_dashscope.outgoing import Part, write_part

if TYPE_CHECKING:
    from headrace.chat_models import Notes
    from headrace.tools import WireNames

Blocks = Sequence[Mapping[str, Any]]

_SERVICE = "DashScope"
_MEDIA = frozenset({"image", "audio", "video", "file"})
_SAID = ("text", "refusal")
_TAKEN = frozenset({*_SAID, "reasoning", "tool_call", "invalid_tool_call"})
_OWN = (None, "dashscope", "dashscope_openai")  # whose reasoning means something to it


class History:
    """Writes one conversation; the messages themselves are only read.

    Content is a str where it is plain text, else a list of parts.
    """

    def __init__(self, names: WireNames, notes: Notes) -> None:
        self.names, self.notes = names, notes
        self._shown: list[Part] = []  # media of tool results, until the run of results ends
        self._ids = CallIds(ANY_ID, notes)
        self._answered: set[str] = set()

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
        if isinstance(message, ToolMessage):
            return self._result(message)
        leave_name_out(message, _SERVICE, self.notes)
        if isinstance(message, AIMessage):
            return self._assistant(message)
        return {"role": role_of(message, _SERVICE, self.notes), "content": self._content(message)}

    def _content(self, message: BaseMessage) -> str | list[Part]:
        if isinstance(message.content, str):
            return message.content
        return self._parts(cast("Blocks", message.content_blocks))

    def _parts(self, blocks: Blocks) -> str | list[Part]:
        parts = [write_part(block, self.notes) for block in blocks]
        if not parts:
            return ""
        lone = len(parts) == 1 and parts[0].keys() == {"text"}
        return cast("str", parts[0]["text"]) if lone else parts

    def _assistant(self, message: AIMessage) -> dict[str, Any]:
        blocks = cast("Blocks", message.content_blocks)
        said = "".join(
            b.get("text") or b.get("refusal") or "" for b in blocks if b["type"] in _SAID
        )
        wire: dict[str, Any] = {"role": "assistant", "content": said}
        for kind in sorted({str(b["type"]) for b in blocks} - _TAKEN):
            reason = "an answer goes back as text, reasoning and calls"
            self.notes.record(f"{kind} block", kind, None, "left out", reason)
        thought = "".join(b.get("reasoning", "") for b in blocks if b["type"] == "reasoning")
        whose = message.response_metadata.get("model_provider")
        if thought and whose in _OWN:
            wire["reasoning_content"] = thought
        elif whose not in _OWN and any(b["type"] == "reasoning" for b in blocks):
            reason = f"it is the reasoning of a model of `{whose}`"
            self.notes.record("reasoning", f"of `{whose}`", None, "left out", reason)
        calls: list[Mapping[str, Any]] = [*message.tool_calls]
        calls += [call for call in message.invalid_tool_calls if call["id"] in self._answered]
        if calls:
            wire["tool_calls"] = [self._call(call, at) for at, call in enumerate(calls)]
        if message.additional_kwargs.get("partial"):
            wire["partial"] = True  # the model goes on from here
        return wire

    def _call(self, call: Mapping[str, Any], at: int) -> dict[str, Any]:
        id, args = self._ids.of_call(call["id"]), call.get("args")
        text = args if isinstance(args, str) else json.dumps(args or {}, ensure_ascii=False)
        function = {"name": self.names.out(call.get("name") or ""), "arguments": text}
        return {"id": id, "type": "function", "index": at, "function": function}

    def _result(self, message: ToolMessage) -> dict[str, Any]:
        id = self._ids.of_result(message.tool_call_id)
        wire: dict[str, Any] = {"role": "tool", "tool_call_id": id}
        if isinstance(message.content, str):
            return {**wire, "content": message.content}
        blocks = cast("Blocks", message.content_blocks)
        media = [block for block in blocks if block["type"] in _MEDIA]
        rest = [block for block in blocks if block["type"] not in _MEDIA]
        if media:
            # A tool message holds text only; the media follow the results as the user's.
            self._shown.append({"text": f"Shown by the tool call {id}:"})
            self._shown += [write_part(block, self.notes) for block in media]
            kinds = ", ".join(sorted({str(block["type"]) for block in media}))
            reason = "a tool message holds text only"
            self.notes.record("tool result", kinds, "user message", "translated", reason)
            if not rest:
                rest = [{"type": "text", "text": "The result is shown in the next user message."}]
        return {**wire, "content": self._parts(rest)}

    def _media_message(self) -> dict[str, Any]:
        shown, self._shown = self._shown, []
        return {"role": "user", "content": shown}
