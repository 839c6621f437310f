"""Messages as the `system` and `messages` of a Converse request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
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
from headrace.transport import CallIds, IdRule, unsendable
from headrace_aws.answers import Answers
from headrace_aws.families import Family
from headrace_aws.outgoing import Block, Part, Parts

_IDS = IdRule(
    re.compile(r"[a-zA-Z0-9_.:-]{1,64}"),
    "an id has at most 64 letters, digits, and `_`, `.`, `:`, `-`",
)
_BINARY = ("document", "video")  # what a cache point may not follow
_BLANK = "Converse takes no blank text"
_NO_OUTPUT = "(no output)"
_ATTACHED = "See the attached documents."


class History:
    """Writes one conversation; the messages themselves are only read."""

    def __init__(self, family: Family, facts: Mapping[str, Any], notes: Notes) -> None:
        self.family, self.facts, self.notes = family, facts, notes
        self.parts = Parts(family, notes)
        self.ids = CallIds(_IDS, notes)
        self.system: list[Part] = []
        self.messages: list[dict[str, Any]] = []

    def write(self, messages: Sequence[BaseMessage]) -> None:
        """Fills `system` and `messages`; neighbours of one role become one message."""
        answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
        answers = Answers(self.family, self.notes, self.ids, answered)
        for place, message in enumerate(messages):
            match message:
                case SystemMessage() | DeveloperMessage():
                    self._instruct(message)
                case AIMessage():
                    last = place == len(messages) - 1
                    self._add("assistant", self._spoken(answers.write(message), last))
                case ToolMessage():
                    self._add("user", self._result(message))
                case HumanMessage():
                    self._add("user", self._said(message))
                case ChatMessage():
                    raise InputError(f"Converse has no role {message.role!r}; use user, assistant")
                case _:
                    raise unsendable(message)
        for turn in self.messages:
            self._accompany(turn)

    def _instruct(self, message: BaseMessage) -> None:
        if isinstance(message, DeveloperMessage):
            reason = "Converse has no such role"
            self.notes.record("developer message", "developer", "system", "translated", reason)
        parts = self._blocks(cast("Sequence[Block]", message.content_blocks))
        if self.messages and self.facts.get("mid_conversation_system_messages"):
            self._add("system", parts)
            return
        if self.messages and parts:
            reason = "Converse takes system messages at the beginning"
            self.notes.record("system message", "later", "at the beginning", "translated", reason)
        self.system += parts

    def _said(self, message: HumanMessage) -> list[Part]:
        parts = self._blocks(cast("Sequence[Block]", message.content_blocks))
        if not parts:
            raise InputError(
                "a user's message is blank, which Converse does not take; say something"
            )
        return parts

    def _blocks(self, blocks: Iterable[Block]) -> list[Part]:
        parts: list[Part] = []
        for block in blocks:
            if block["type"] == "text" and not block["text"].strip():
                if block["text"]:
                    self.notes.record("text", block["text"], None, "left out", _BLANK)
            else:
                parts.append(self.parts.part(block))
            put_cache_point(parts, self.parts.cache_point(block.get("extras")))
        return parts

    def _result(self, message: ToolMessage) -> list[Part]:
        content, beside = list[Part](), list[Part]()
        marks: list[Part] = self.parts.cache_point(message.additional_kwargs)
        for block in cast("Sequence[Block]", message.content_blocks):
            if block["type"] == "text" and not block["text"].strip():
                continue
            part = self.parts.part(block)
            (content if self._fits_result(part) else beside).append(part)
            marks = marks or self.parts.cache_point(block.get("extras"))
        if beside:
            kinds = ", ".join(sorted({next(iter(part)) for part in beside}))
            reason = f"`{self.notes.model}` takes none in the result of a tool"
            self.notes.record("tool result", kinds, "beside the result", "translated", reason)
        told = _NO_OUTPUT if not beside else "The result is shown beside this."
        result: Part = {
            "toolUseId": self.ids.of_result(message.tool_call_id),
            "content": content or [{"text": told}],
        }
        if message.status == "error":
            result["status"] = "error"
        return [{"toolResult": result}, *beside, *marks]

    def _fits_result(self, part: Part) -> bool:
        """Whether a part may stand in the result of a tool; a profile may say no."""
        kind = next(iter(part))
        if kind in ("image", "document"):
            fact = {"image": "image_tool_message", "document": "pdf_tool_message"}[kind]
            return self.facts.get(fact) is not False
        return kind in ("text", "json", "video", "searchResult")

    def _spoken(self, parts: list[Part], last: bool) -> list[Part]:
        """An answer of the model without blank texts; as the last message, without blank end."""
        kept = [part for part in parts if "text" not in part or part["text"].strip()]
        if last and kept and "text" in kept[-1]:
            text = kept[-1]["text"]
            if text != text.rstrip():
                reason = "the beginning of an answer must not end with white space"
                self.notes.record("text", text[-20:], text.rstrip()[-20:], "translated", reason)
                kept[-1] = {"text": text.rstrip()}
        return kept

    def _add(self, role: str, parts: list[Part]) -> None:
        if not parts:
            return
        if self.messages and self.messages[-1]["role"] == role:
            self.messages[-1]["content"] += parts
        else:
            self.messages.append({"role": role, "content": parts})

    def _accompany(self, message: dict[str, Any]) -> None:
        """Puts a text to documents that stand alone, as Converse demands."""
        content = message["content"]
        kinds = {next(iter(part)) for part in content}
        if message["role"] == "user" and "document" in kinds and not kinds & {"text", "toolResult"}:
            content.append({"text": _ATTACHED})
            reason = "a document must stand beside a text"
            self.notes.record("text", None, _ATTACHED, "added", reason)


def put_cache_point(parts: list[Part], points: list[Part]) -> None:
    """Adds a cache point, before the documents and videos at the end.

    One that follows them is refused (recorded 2026-01, by pydantic-ai's tests).
    """
    if not points:
        return
    at = len(parts)
    while at and next(iter(parts[at - 1])) in _BINARY:
        at -= 1
    if at:
        parts[at:at] = points
