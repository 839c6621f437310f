"""Messages as chat templates take them, and as those take them that want them otherwise. Pure.

Source: https://huggingface.co/docs/transformers/en/chat_templating and `apply_chat_template` of
transformers 5.24 (read 2026-11)
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from headrace.errors import InputError, UnsupportedContentError
from headrace.messages import (
    AIMessage,
    BaseMessage,
    ToolMessage,
)
from headrace.transport import leave_name_out, role_of

if TYPE_CHECKING:
    from headrace.chat_models import Notes, Settings

Chat = list[dict[str, Any]]
REASONING = "reasoning_content"  # as most templates call it
_SERVICE = "a chat template"
_OWN_ID = re.compile(r"[A-Za-z0-9]{9}")


def offered(settings: Settings) -> list[dict[str, Any]]:
    """The tools as templates take them; none where the model shall call none."""
    if settings.tool_choice == "none" and settings.tools:
        reason = "templates have no `tool_choice`; no tool is shown"
        settings.notes.record("tool_choice", "none", None, "translated", reason)
        return []
    return [_tool(tool) for tool in settings.tools]


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    if "name" not in tool:
        raise InputError(
            f"a model on this machine has no tools of a service: {tool!r}; bind functions"
        )
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    about = {"name": tool["name"], "description": tool.get("description") or ""}
    return {"type": "function", "function": {**about, "parameters": parameters}}


class History:
    """Writes one conversation; the messages themselves are only read.

    `parts`: content as lists of parts, as the templates of models that see images take it.
    """

    def __init__(self, notes: Notes, *, parts: bool = False) -> None:
        self._notes, self._parts = notes, parts
        self._called: dict[str, str] = {}  # id of a call -> name of its tool
        self._answered: set[str] = set()

    def write(self, messages: Sequence[BaseMessage]) -> Chat:
        if not messages:
            raise InputError("a model answers messages, and there is none")
        self._answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
        return [self._message(message) for message in messages]

    def _message(self, message: BaseMessage) -> dict[str, Any]:
        if isinstance(message, ToolMessage):
            return self._result(message)
        leave_name_out(message, _SERVICE, self._notes)
        if isinstance(message, AIMessage):
            return self._assistant(message)
        return {"role": role_of(message, _SERVICE, self._notes), "content": self._content(message)}

    def _content(self, message: BaseMessage) -> Any:
        parts: list[dict[str, Any]] = []
        for block in message.content_blocks:
            seen: Any = block
            match seen["type"]:
                case "text":
                    parts.append({"type": "text", "text": seen["text"]})
                case "text-plain":
                    parts.append({"type": "text", "text": _plain(seen)})
                case "image" if self._parts and seen.get("base64"):
                    parts.append({"type": "image", "base64": seen["base64"]})
                case kind:
                    raise UnsupportedContentError(
                        f"a local pipeline cannot carry this `{kind}` block; of media it takes "
                        "images with their bytes, by `task='image-text-to-text'`"
                    )
        return parts if self._parts else "\n".join(part["text"] for part in parts)

    def _assistant(self, message: AIMessage) -> dict[str, Any]:
        blocks: Any = message.content_blocks
        own = message.response_metadata.get("model_provider") in (None, "huggingface")
        text = "".join(
            block["text"] if block["type"] == "text" else block["refusal"]
            for block in blocks
            if block["type"] in ("text", "refusal")
        )
        thought = "".join(b.get("reasoning") or "" for b in blocks if b["type"] == "reasoning")
        content: Any = [{"type": "text", "text": text}] if self._parts else text
        wire: dict[str, Any] = {"role": "assistant", "content": content}
        if thought and own:
            wire[REASONING] = thought
        carried = {"text", "refusal", "tool_call", "invalid_tool_call"}
        left = (
            {str(block["type"]) for block in blocks} - carried - ({"reasoning"} if own else set())
        )
        for kind in sorted(left):
            reason = "chat templates have no place for it in an answer" if own else (
                "another service's own"
            )  # fmt: skip
            self._notes.record(kind, kind, None, "left out", reason)
        invalid = [call for call in message.invalid_tool_calls if call["id"] in self._answered]
        calls = [self._call(call) for call in (*message.tool_calls, *invalid)]
        return {**wire, "tool_calls": calls} if calls else wire

    def _call(self, call: Mapping[str, Any]) -> dict[str, Any]:
        name, args = call["name"] or "unknown", call["args"]
        arguments = args if isinstance(args, Mapping) else {"arguments": args or ""}
        function = {"name": name, "arguments": dict(arguments)}
        if not call["id"]:
            return {"type": "function", "function": function}
        self._called[call["id"]] = name
        return {"type": "function", "id": _short(call["id"]), "function": function}

    def _result(self, message: ToolMessage) -> dict[str, Any]:
        id = message.tool_call_id
        wire: dict[str, Any] = {"role": "tool", "content": self._content(message)}
        if name := self._called.get(id) or message.name:
            wire["name"] = name
        return {**wire, "tool_call_id": _short(id)} if id else wire


def _short(id: str) -> str:
    """An id as Mistral's templates demand it, nine letters and digits; the same for the same."""
    return id if _OWN_ID.fullmatch(id) else sha256(id.encode()).hexdigest()[:9]


def _plain(block: Mapping[str, Any]) -> str:
    text = block.get("text")
    if text is None and block.get("base64"):
        text = b64decode(block["base64"]).decode("utf-8", "replace")
    if text is None:
        raise UnsupportedContentError(
            "a local pipeline cannot fetch a document by URL; put its text in the message"
        )
    return "\n".join([*(block[key] for key in ("title", "context") if block.get(key)), text])


def forms(chat: Chat) -> Iterator[tuple[Chat, str | None]]:
    """The conversation as it is, then as stricter templates take it, each with what was done."""
    yield chat, None
    yield from _stricter(chat)
    if any(REASONING in message for message in chat):
        bare = [{k: v for k, v in m.items() if k != REASONING} for m in chat]
        yield bare, "reasoning left out"
        for form, done in _stricter(bare):
            yield form, f"{done}, reasoning left out"


def _stricter(chat: Chat) -> Iterator[tuple[Chat, str]]:
    one_first = _system_first(chat)
    if one_first != chat:
        yield one_first, "system messages joined at the beginning"
    joined = _joined(one_first)
    if joined != one_first:
        yield joined, "messages of one role joined"
    folded = _joined(_folded(joined))
    if folded != joined:
        yield folded, "system message put before the first message, messages of one role joined"


def _system_first(chat: Chat) -> Chat:
    told = [message for message in chat if message["role"] == "system"]
    if not told or chat.index(told[-1]) < len(told) == 1:
        return chat
    rest = [message for message in chat if message["role"] != "system"]
    return [*_joined(told), *rest]


def _joined(chat: Chat) -> Chat:
    found: Chat = []
    for message in chat:
        last = found[-1] if found else None
        alike = last is not None and last["role"] == message["role"] != "tool"
        if last is not None and alike and "tool_calls" not in last and "tool_calls" not in message:
            found[-1] = {**last, "content": _sum(last["content"], message["content"])}
        else:
            found.append(message)
    return found


def _folded(chat: Chat) -> Chat:
    if len(chat) < 2 or chat[0]["role"] != "system":
        return chat if chat[0]["role"] != "system" else [{**chat[0], "role": "user"}]
    if chat[1]["role"] != "user":
        return [{**chat[0], "role": "user"}, *chat[1:]]
    return [{**chat[1], "content": _sum(chat[0]["content"], chat[1]["content"])}, *chat[2:]]


def _sum(one: Any, other: Any) -> Any:
    return one + other if isinstance(one, list) else f"{one}\n\n{other}"


def missing(chat: Chat, tools: Sequence[Mapping[str, Any]], text: str) -> str | None:
    """What of a conversation a rendered prompt does not show, in words; templates drop in silence.

    Of tools their names are looked for; what only reasons was thought out before.
    """
    for message in chat:
        content = message["content"]
        parts = (
            [content] if isinstance(content, str) else [p["text"] for p in content if "text" in p]
        )
        if not all(_in(part, text) for part in parts):
            return f"a `{message['role']}` message"
        for call in message.get("tool_calls", ()):
            if call["function"]["name"] not in text:
                return f"the call of `{call['function']['name']}`"
    for tool in tools:
        if tool["function"]["name"] not in text:
            return "tools"
    return None


def has_images(chat: Chat) -> bool:
    return any(
        part["type"] == "image"
        for message in chat
        if not isinstance(message["content"], str)
        for part in message["content"]
    )


def _in(part: str, text: str) -> bool:
    said = part.strip()
    return said in text or any(
        json.dumps(said, ensure_ascii=ascii)[1:-1] in text for ascii in (False, True)
    )
