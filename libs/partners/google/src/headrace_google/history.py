"""Messages as the `contents` and the `systemInstruction` of a `generateContent` request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from headrace.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    DeveloperMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from headrace.transport import unsendable
from headrace_google.grounding import SEARCH_ID
from headrace_google.incoming import SIGNATURE
from headrace_google.outgoing import Part, Parts, server_part

if TYPE_CHECKING:
    from headrace.chat_models import Notes
    from headrace.tools import WireNames

Blocks = Sequence[Mapping[str, Any]]
Content = dict[str, Any]

# What stands in for a signature that there is none of, in calls that another model made
# (https://ai.google.dev/gemini-api/docs/thought-signatures, the questions at its end).
DUMMY = "skip_thought_signature_validator"
_ROLES = {"user": "user", "human": "user", "assistant": "model", "model": "model", "ai": "model"}
_MEDIA = frozenset({"image", "audio", "video", "file"})
# Media that a function response may hold
# (https://ai.google.dev/gemini-api/docs/function-calling, multimodal function responses).
_RESULT_TYPES = ("image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain")


class History:
    """Writes one conversation; the messages themselves are only read.

    `signed`: the model wants a signature on the calls of the current turn. `rich`: the result of
    a tool may hold media.
    """

    def __init__(
        self, provider: str, notes: Notes, names: WireNames, *, signed: bool, rich: bool
    ) -> None:
        self.provider, self.notes, self.names = provider, notes, names
        self.signed, self.rich = signed, rich
        self.parts = Parts(notes)
        self._contents: list[Content] = []
        self._system: list[Part] = []
        self._shown: list[Part] = []  # media of tool results, until the run of results ends
        self._called: list[tuple[str | None, str]] = []  # (id, name) of calls without a result
        self._answered: set[str] = set()

    def write(self, messages: Sequence[BaseMessage]) -> tuple[list[Part], list[Content]]:
        """The parts of the system instruction, and the contents."""
        self._answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
        turn = max((i for i, m in enumerate(messages) if _speaks(m)), default=0)
        for place, message in enumerate(messages):
            if self._shown and not isinstance(message, ToolMessage):
                self._show()
            self._write(message, current=place >= turn)
        if self._shown:
            self._show()
        if not self._contents and self._system:
            reason = "a request needs something that a user says"
            self.notes.record("system message", "system", "user", "translated", reason)
            self._contents, self._system = [{"role": "user", "parts": self._system}], []
        return self._system, self._contents

    def _write(self, message: BaseMessage, *, current: bool) -> None:
        if message.name is not None and not isinstance(message, ToolMessage):
            reason = "the service takes no names of speakers"
            self.notes.record("name", message.name, None, "left out", reason)
        match message:
            case AIMessage():
                self._model(message, current=current)
            case ToolMessage():
                self._result(message)
            case HumanMessage():
                self._say("user", message)
            case SystemMessage() | DeveloperMessage():
                self._instruct(message)
            case ChatMessage(role="system" | "developer"):
                self._instruct(message)
            case ChatMessage():
                role = _ROLES.get(message.role.lower(), "user")
                if message.role.lower() not in _ROLES:
                    reason = "the service knows the roles user and model"
                    self.notes.record("role", message.role, role, "translated", reason)
                self._say(role, message)
            case _:
                raise unsendable(message)

    def _say(self, role: str, message: BaseMessage) -> None:
        self._contents.append({"role": role, "parts": self._parts_of(message)})

    def _parts_of(self, message: BaseMessage) -> list[Part]:
        if isinstance(message.content, str):
            return [{"text": message.content}]
        return self.parts.content(cast("Blocks", message.content_blocks)) or [{"text": ""}]

    def _instruct(self, message: BaseMessage) -> None:
        """Adds to the system instruction: there is but one, and it stands apart."""
        if isinstance(message, DeveloperMessage):
            reason = "the service has no such role"
            self.notes.record("developer message", "developer", "system", "translated", reason)
        if self._contents:
            reason = "the service takes them apart from the conversation"
            self.notes.record(
                "system message", "later", "at the beginning", "translated", reason
            )  # fmt: skip
        self._system.extend(self._parts_of(message))

    # What the model said.

    def _model(self, message: AIMessage, *, current: bool) -> None:
        own = message.response_metadata.get("model_provider") in (None, self.provider)
        self._called = []
        parts: list[Part] = []
        calls: list[Part] = []
        for block in cast("Blocks", message.content_blocks):
            if block["type"] in ("tool_call", "invalid_tool_call"):
                # An invalid call nobody answered never was; one that was answered needs its pair.
                if block["type"] == "tool_call" or block["id"] in self._answered:
                    calls.append(self._call(block, own))
                    parts.append(calls[-1])
            elif (part := self._said(block, own)) is not None:
                parts.append(part)
        if calls and self.signed and current and "thoughtSignature" not in calls[0]:
            calls[0]["thoughtSignature"] = DUMMY
            reason = "the model wants a signature on the first call of an answer"
            self.notes.record("thought signature", None, DUMMY, "added", reason)
        if parts:
            self._contents.append({"role": "model", "parts": parts})
        else:
            reason = "an answer without any content cannot be sent"
            self.notes.record("message", "empty answer", None, "left out", reason)

    def _said(self, block: Mapping[str, Any], own: bool) -> Part | None:
        """The part of one block of an answer; what only another service understands is none."""
        kind = block["type"]
        extras = block.get("extras") or {}
        if kind == "text":
            if not block["text"] and not (own and extras.get(SIGNATURE)):
                return None  # an empty part is refused
            part: Part = {"text": block["text"]}
        elif kind == "refusal":
            part = {"text": block["refusal"]}
        elif kind in _MEDIA:
            part = self.parts.media(block)
            if own and extras.get("thought"):
                part["thought"] = True
        elif not own:
            self._leave_out(kind)
            return None
        elif kind == "reasoning":
            part = {"text": block.get("reasoning") or "", "thought": True}
        elif kind in ("server_tool_call", "server_tool_result"):
            return self._served(block)
        elif kind == "non_standard":
            return dict(block["value"])
        else:
            return self.parts.part(block)
        self._mark(part, extras, own)
        return part

    def _served(self, block: Mapping[str, Any]) -> Part | None:
        """The part of a use of the service's own tool; a search it told of was never a part."""
        part = server_part(block)
        if part is None and SEARCH_ID not in (block.get("id"), block.get("tool_call_id")):
            self._leave_out(block["type"])
        return part

    def _mark(self, part: Part, extras: Mapping[str, Any], own: bool) -> None:
        """Puts a signature back where it was; what else hangs on a block has no place."""
        for key, value in extras.items():
            if key == SIGNATURE and own:
                part["thoughtSignature"] = value
            elif key != "thought":
                shown = f"{value[:40]}…" if isinstance(value, str) and len(value) > 40 else value
                reason = f"`{self.provider}` does not understand it"
                self.notes.record(key, shown, None, "left out", reason)

    def _leave_out(self, kind: str) -> None:
        reason = f"only the service that made it understands it, not `{self.provider}`"
        self.notes.record(f"{kind} block", kind, None, "left out", reason)

    def _call(self, call: Mapping[str, Any], own: bool) -> Part:
        args = call.get("args")
        self._called.append((call.get("id"), call.get("name") or ""))
        wire: Part = {
            "name": self.names.out(call.get("name") or "unknown"),
            "args": {"arguments": args} if isinstance(args, str) else args or {},
        }
        if call.get("id"):
            wire["id"] = call["id"]
        part: Part = {"functionCall": wire}
        self._mark(part, call.get("extras") or {}, own)
        return part

    # What the tools gave back.

    def _result(self, message: ToolMessage) -> None:
        id = message.tool_call_id or None
        wire: Part = {"name": self.names.out(self._name_of(message))}
        if id:
            wire["id"] = id
        blocks = _blocks_of(message)
        media = [self.parts.part(block) for block in blocks if block["type"] in _MEDIA]
        inside = [part for part in media if self.rich and _fits(part)]
        beside = [part for part in media if part not in inside]
        rest = self.parts.content([block for block in blocks if block["type"] not in _MEDIA])
        key = "error" if message.status == "error" else "output"
        wire["response"] = {key: "\n".join(str(part.get("text", part)) for part in rest)}
        if inside:
            wire["parts"] = inside
        if beside:
            self._set_aside(id or wire["name"], beside)
        last = self._contents[-1] if self._contents else None
        part = {"functionResponse": wire}
        if last is not None and "functionResponse" in last["parts"][-1]:
            last["parts"].append(part)
        else:
            self._contents.append({"role": "user", "parts": [part]})

    def _name_of(self, message: ToolMessage) -> str:
        """The name of the tool that a result is of: the call says it, or the result itself."""
        id = message.tool_call_id or None
        found = next((call for call in self._called if call[0] == id), None)
        if found is None and id is None and self._called:
            found = self._called[0]
        if found is not None:
            self._called.remove(found)
            return found[1] or message.name or "unknown"
        return message.name or "unknown"

    def _set_aside(self, id: str, media: list[Part]) -> None:
        """Keeps media for a message after the results, where a result takes none."""
        self._shown.extend([{"text": f"Shown by the tool call {id}:"}, *media])
        reason = "the model takes no such media in the result of a tool"
        self.notes.record("tool result", "media", "user message", "translated", reason)

    def _show(self) -> None:
        shown, self._shown = self._shown, []
        self._contents.append({"role": "user", "parts": shown})


def write_history(
    messages: Iterable[BaseMessage],
    provider: str,
    notes: Notes,
    names: WireNames,
    *,
    signed: bool = False,
    rich: bool = False,
) -> tuple[list[Part], list[Content]]:
    """The parts of the system instruction and the contents of a conversation."""
    history = History(provider, notes, names, signed=signed, rich=rich)
    return history.write(list(messages))


def _blocks_of(message: BaseMessage) -> Blocks:
    if isinstance(message.content, str):
        return [{"type": "text", "text": message.content}]
    return cast("Blocks", message.content_blocks)


def _speaks(message: BaseMessage) -> bool:
    """Whether a turn begins with it: a user says something."""
    return isinstance(message, HumanMessage) or (
        isinstance(message, ChatMessage) and _ROLES.get(message.role.lower(), "user") == "user"
    )


def _fits(part: Part) -> bool:
    found = part.get("inlineData") or part.get("fileData") or {}
    return found.get("mimeType") in _RESULT_TYPES
